/* SPDX-License-Identifier: MIT */
/*
 * The save area of a physical adapter (struct frame_buffer): memory for all of its frame buffer, made when it is first
 * needed and kept until the adapter goes away. While it is pinned the device reaches the first pages of it, by an ADL of
 * the table or by a memory that borrows them; the CPU sees a piece of it through the one mapping that it may have.
 *
 * Its logical adapter's pin lock guards it while calls can find the adapter in its chain. Who takes the adapter out,
 * under that lock, has it for himself.
 */
#ifndef DXGKMEM_CORE_FRAME_BUFFER_H
#define DXGKMEM_CORE_FRAME_BUFFER_H

#include "memory.h"

/* A part of a frame buffer that was left. */
struct frame_buffer_left {
    uint64_t subject; /* its address; 0: nothing is left */
    stamp made;
    bool mapping; /* else the pin: its ADL or MDL */
};

/*
 * Ends the mapping of an adapter that goes away, or else the pin, and says what it was. The adapter is nobody else's, or
 * everything stands still.
 */
struct frame_buffer_left frame_buffer_abandon(struct adapter *adapter, stamp when);
/* Gives the area back, of which nothing is mapped or pinned. */
void frame_buffer_forget(struct adapter *adapter);

#endif
