/* SPDX-License-Identifier: MIT */
/*
 * Memory that is pinned to save a frame buffer: an object and an ADL over all of
 * it that have no handles, or a memory with an MDL that has none. One per physical adapter; its logical adapter's pin
 * lock guards it.
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

/*
 * Unpins what is pinned on an adapter that goes away: returns the address of
 * its ADL or MDL and when it was pinned, or 0. The pin lock is held, or everything
 * stands still.
 */
uint64_t frame_buffer_abandon(struct adapter *adapter, stamp when, stamp *made);
/* Frees without a report. The pin lock is held, or everything stands still. */
void frame_buffer_free(struct adapter *adapter, stamp when);

#endif
