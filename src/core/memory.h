/* SPDX-License-Identifier: MIT */
/*
 * Memories: what the WDDM 2.4 callbacks hand out. One is pages that the device and the kernel reach from
 * the allocation to the free, under one handle, of one logical adapter.
 *
 * The lock of a memory is that of its handle slot; between allocation and free nothing of it changes.
 */
#ifndef DXGKMEM_CORE_MEMORY_H
#define DXGKMEM_CORE_MEMORY_H

#include "adl.h"

#include <dxgkmem/mdl.h>

struct memory {
    struct object *object;   /* the pages; it has no handle */
    struct adl reach;        /* the device's, of all of them; in no table */
    struct list_link link;   /* in logical->memories, under its lock */
    struct dxgkmem_mdl *mdl; /* handed out by ALLOCATE_PAGES; owned, written once, compared when freed */
    uint32_t slot;           /* TABLE_NONE: none yet */
    enum dxgkmem_call made_by;
    bool charged, locked, connected;
};

/* Ends the oldest memory of a logical adapter that goes away, with a report; false: there is none. */
bool memory_abandon(struct call *call, struct logical_adapter *logical);
/* Ends a memory, locked, and gives up its lock. */
void memory_end(struct memory *memory, stamp when);

#endif
