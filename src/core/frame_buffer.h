/* SPDX-License-Identifier: MIT */
/*
 * Memory that is pinned to save a frame buffer: an object and an ADL over all of
 * it that have no handles. One per physical adapter; its logical adapter's pin
 * lock guards it.
 */
#ifndef DXGKMEM_CORE_FRAME_BUFFER_H
#define DXGKMEM_CORE_FRAME_BUFFER_H

#include "adl.h"

struct frame_buffer {
    struct object *object;
    struct adl *adl;
};

/*
 * Unpins what is pinned on an adapter that goes away: returns the address of
 * its ADL and when it was pinned, or 0. The pin lock is held, or everything
 * stands still.
 */
uint64_t frame_buffer_abandon(struct adapter *adapter, stamp when, stamp *made);
/* Frees without a report. The pin lock is held, or everything stands still. */
void frame_buffer_free(struct adapter *adapter, stamp when);

#endif
