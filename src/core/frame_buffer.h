/* SPDX-License-Identifier: MIT */
/*
 * Memory that is pinned to save a frame buffer: an object and an ADL over all of
 * it that have no handles, or a memory with an MDL that has none. One per physical adapter; its logical adapter's pin
 * lock guards it, and the one mapping that its object may have.
 */
#ifndef DXGKMEM_CORE_FRAME_BUFFER_H
#define DXGKMEM_CORE_FRAME_BUFFER_H

#include "memory.h"

struct frame_buffer {
    struct object *object; /* the memory's, if it is one */
    struct adl *adl;       /* NULL: it is a memory */
    struct memory *memory; /* NULL: it is none */
    stamp pinned;
};

/* What was left of a frame buffer: 0 for what was not. */
struct frame_buffer_left {
    uint64_t base, address; /* of its mapping; of its ADL or MDL */
    stamp mapped, pinned;
};

/*
 * Ends the mapping of what is pinned on an adapter that goes away, and unpins it; says what it was. The pin lock
 * is held, or everything stands still.
 */
struct frame_buffer_left frame_buffer_abandon(struct adapter *adapter, stamp when);
/* Frees without a report. The pin lock is held, or everything stands still. */
void frame_buffer_free(struct adapter *adapter, stamp when);

#endif
