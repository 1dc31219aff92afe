/* SPDX-License-Identifier: MIT */
/*
 * The steps of a callback: begin it, fill in the block, hand it over, call, finish. What the callback wrote is
 * compared with what it may write.
 */
#ifndef DXGKMEM_PROGRAM_BLOCK_H
#define DXGKMEM_PROGRAM_BLOCK_H

#include "runner_internal.h"

/* A field that the callback writes. kept: a refused call leaves it, else it zeroes it. */
struct out_field {
    uint8_t offset, bytes;
    bool kept;
};

/* Out fields are pointers: a handle, an address, an ADL. */
#define OUT(type, member)                                                                                    \
    {                                                                                                        \
        offsetof(type, member), sizeof(void *), false                                                        \
    }
#define IN_OUT(type, member)                                                                                 \
    {                                                                                                        \
        offsetof(type, member), sizeof(((type *)0)->member), true                                            \
    }
#define OUTS(fields) (fields), sizeof(fields) / sizeof((fields)[0])

/* Whether any driver was given this callback and all up to `last`; else the line is skipped. */
#define BLOCK_OFFERED(runner, member, last)                                                                  \
    (!((runner)->event.skipped =                                                                             \
           (runner)->offering.Size < DXGKMEM_DDI_THROUGH(last) || (runner)->offering.member == NULL))

/* Takes an operation's number; the block holds a pattern. */
void block_begin(struct runner *runner);
/*
 * Where pages are found depends on those that the machine keeps at hand. The model's question whether there
 * are any sends them back; asked without a model too, so that a program means the same.
 */
void block_begin_taking(struct runner *runner);
/*
 * What the callback gets for the block that was filled in; from then on accesses of it, and of what is lent, are
 * the callback's (runner.h). block_lend: what a live ADL or memory that the call ends has in the driver's hands;
 * thing may be NULL.
 */
void block_lend(const struct runner_thing *thing, struct runner_lent lent[RUNNER_LENT]);
void *block_hand_over_with(struct runner *runner, const struct runner_lent lent[RUNNER_LENT]);
void *block_hand_over(struct runner *runner);
/* Whether the call is to be made at all; the block was handed over already. */
bool block_may_call(struct runner *runner);
/* True: the call succeeded, there is something to take down. */
bool block_finish(struct runner *runner, bool has_status, NTSTATUS status, const struct out_field *out,
                  size_t outs);
/* The model's verdict on the outputs; false: a finding. */
bool block_accepted(struct runner *runner);

#endif
