/* SPDX-License-Identifier: MIT */
/*
 * The oracle for second reads, over whole programs. A callback's argument block belongs to the
 * driver, which may change it while the callback runs; so each byte is read at most once, outputs
 * are written once, after the last call that can fail, and nothing is read back. The driver can write the ADL that
 * is freed, its page array and MDLs, too: their bytes are read at most once.
 *
 * A program is run three times. As always; with its argument blocks in watched memory, where
 * every access is looked at; and with each byte changed right after its first read, which must
 * come to the same as the first time.
 */
#ifndef DXGKMEM_READS_H
#define DXGKMEM_READS_H

#include "program/runner.h"

struct reads;

struct reads_result {
    struct runner_finding finding; /* invariant 0: none */
    /* Of a finding about accesses, the instructions; 0: it is of another kind, or about one. */
    uintptr_t first, second;
};

/* What was looked at since the beginning. */
struct reads_counts {
    uint64_t blocks, reads, writes; /* of argument blocks */
    uint64_t lent_accesses;         /* of ADLs that are freed, their page arrays, MDLs */
    uint64_t changed;               /* bytes, after their first read */
};

/* cell: for the runner, or NULL. NULL: no memory, or another machine than x86-64 Linux. */
struct reads *reads_open(void (*cell)(void *context, unsigned cell));
void reads_close(struct reads *reads);
void reads_run(struct reads *reads, const struct program *program, struct reads_result *result);
struct reads_counts reads_counts(const struct reads *reads);

/* "capture, src/core/instance.c:173", or what is known of it. Returns text. */
const char *reads_place(uintptr_t instruction, char *text, size_t room);

#endif
