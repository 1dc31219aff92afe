/* SPDX-License-Identifier: MIT */
/*
 * What the drivers of all kernels have in common: takes a request of protocol.h,
 * checks it, runs its programs, and writes the reply. A driver copies the
 * request into memory of its own, calls, and copies the reply out.
 *
 * Freestanding, at PASSIVE_LEVEL; memory comes from the host's pool.
 */
#ifndef DXGKMEM_DRIVER_BATCH_H
#define DXGKMEM_DRIVER_BATCH_H

#include "protocol.h"

#include <dxgkmem/ddi_base.h>

struct batch;

/* X(constant, sentence): everything that can come of a request. */
#define BATCH_STATUSES(X)                                                                                    \
    X(DONE, "done")                                                                                          \
    X(CUT_OFF, "the request is shorter than its header")                                                     \
    X(BAD_MAGIC, "it is no request of dxgkmem")                                                              \
    X(BAD_VERSION, "the request is of another version of the protocol")                                      \
    X(BAD_FUNCTION, "there is no such function")                                                             \
    X(BAD_FLAGS, "the function does not have such flags")                                                    \
    X(BAD_LENGTH, "the request's length is not what its header says, or above the limit")                    \
    X(BAD_LANGUAGE, "the programs are of a version of the language that is not known")                       \
    X(BAD_COUNT, "too many programs, or none, or some where the function takes none")                        \
    X(BAD_RESERVED, "a reserved field is not 0")                                                             \
    X(BAD_PROGRAM, "a program is longer than programs may be, or than the request, or something is behind "  \
                   "the last one")                                                                           \
    X(NO_ROOM, "the reply does not fit into the room for it, or that room is above the limit")               \
    X(BUSY, "another request is under way")                                                                  \
    X(CANCELLED, "the client went away")                                                                     \
    X(NO_MEMORY, "no memory")

enum batch_status {
#define BATCH_CONSTANT(constant, sentence) BATCH_##constant,
    BATCH_STATUSES(BATCH_CONSTANT)
#undef BATCH_CONSTANT
        BATCH_STATUS_COUNT
};

const char *batch_status_sentence(enum batch_status status);

struct batch_options {
    const char *host; /* "nt", "linux", "user" */
    /* Edge counters; NULL: there are none. They are read and cleared while others may add to them. */
    uint8_t *coverage;
    size_t coverage_bytes;
    uint64_t (*refusals)(void); /* of memory by the host; see runner.h; may be NULL */
    /* Called with each matrix cell that a program hits. NULL: nobody looks. */
    void (*cell)(void *context, unsigned cell);
    void *cell_context;
};

struct batch_call {
    const void *request; /* nobody else can write to it; of any alignment */
    size_t request_bytes;
    void *reply; /* apart from the request; of any alignment */
    size_t reply_room;
    size_t reply_bytes; /* out: how much was written; 0 unless BATCH_DONE */
    /* Asked before each program: false ends the call with BATCH_CANCELLED. NULL: it goes on. */
    bool (*proceed)(void *context);
    void *context;
};

/* NULL: no memory. One at a time, as with runners: no two may run programs at once. */
struct batch *batch_create(const struct batch_options *options);
/* No call is under way. */
void batch_destroy(struct batch *batch);
/* Any thread; one request at a time is taken, the others are told BATCH_BUSY. QUERY is always answered. */
enum batch_status batch_call(struct batch *batch, struct batch_call *call);

#endif
