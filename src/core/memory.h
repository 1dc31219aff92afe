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

struct mdl_runs;

struct memory {
    struct object *object; /* the pages; it has no handle */
    struct adl reach;      /* the device's, of all of them, or of the first of those borrowed; in no table */
    struct list_link link; /* in logical->memories, under its lock */
    struct dxgkmem_mdl *
        mdl; /* handed out by ALLOCATE_PAGES or PIN_MDL; owned, written once; ALLOCATE_PAGES: compared when freed */
    struct mdl_runs *runs; /* of MAP_MDL: its claim on the pages; owned */
    uint32_t slot;         /* TABLE_NONE: none yet, or a pin's */
    enum dxgkmem_call made_by;
    bool charged, locked, connected;
    bool entered;  /* its logical adapter knows of it: what others can see of it but its handle */
    bool borrowed; /* the object is a save area, and stays: only the reach of it is the memory's */
};

/* The adapter of a WDDM 2.4 memory callback; false: the mistake is noted. */
bool memory_adapter(struct call *call, HANDLE handle, struct adapter_reference *reference);

/*
 * Making one, in this order; what fails leaves what is there to memory_free. memory_begin: the record of the
 * pages, the adapter's quota; or memory_borrow: the first pages of a save area. memory_reserve: a handle. The pages
 * themselves are the caller's to bring. memory_connect: the device reaches them. memory_describe: an MDL of
 * them. memory_publish: one step for all that others can see, the last one: unless the last adapter went away since it
 * was looked at, the handle is good; a driver's own pages are claimed and connected in it (mdl_take). memory_pin: the
 * same step for what has no handle.
 */
struct memory *memory_new(const struct call *call);
NTSTATUS memory_begin(struct memory *memory, const struct object_plan *plan, struct logical_adapter *logical);
NTSTATUS memory_borrow(struct memory *memory, struct object *object, uint64_t pages);
NTSTATUS memory_reserve(struct memory *memory);
NTSTATUS memory_connect(struct memory *memory);
NTSTATUS memory_describe(struct memory *memory);
NTSTATUS memory_publish(struct call *call, struct memory *memory, const struct adapter_reference *reference,
                        uint64_t *handle);
void memory_pin(struct memory *memory);
/*
 * The only destructor: takes memories in any half-built state. Nobody can name it any more, or could yet. The
 * device forgets the pages before anything else.
 */
void memory_free(struct memory *memory, stamp when);

/* What a free does with a handle; made_by: the callback that this one belongs to. */
NTSTATUS memory_release(struct call *call, HANDLE adapter, HANDLE handle, enum dxgkmem_call made_by);
/* Ends the oldest memory of a logical adapter that goes away, with a report; false: there is none. */
bool memory_abandon(struct call *call, struct logical_adapter *logical);
/* Ends a memory, locked, and gives up its lock. */
void memory_end(struct memory *memory, stamp when);

#endif
