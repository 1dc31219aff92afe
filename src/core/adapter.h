/* SPDX-License-Identifier: MIT */
/*
 * Adapters and logical adapters.
 *
 * A logical adapter owns one DMA domain, its logical address space and the list
 * of what is open on it. It lives as long as anybody refers to it: its physical
 * adapters, the objects open on it, calls under way.
 */
#ifndef DXGKMEM_CORE_ADAPTER_H
#define DXGKMEM_CORE_ADAPTER_H

#include "handle.h"

struct adapter;
struct adl;
struct memory;
struct object;

/* What every ADL reads, and what every OPEN and CLOSE writes, are on cache lines of their own. */
struct logical_adapter {
    struct dxgkmem_domain *domain;
    bool remapped;
    uint32_t version;
    /*
     * The removal that left no physical adapter: nothing may be opened any more; 0: none. Written under the
     * lock. Atomic, relaxed, for the one reader without it: ALLOCATEADL, which would only make work for the
     * removal. Either answer is right for it: the removal comes for its object's lock later and ends the ADL as well.
     */
    stamp gone_at;
    struct dxgkmem_lock pin_lock; /* guards the frame buffers of the chain; who joins it takes it as well */
    /* Under the lock. */
    uint32_t indices;                         /* physical indices given out so far */
    struct adapter *chain[DXGKMEM_CHAIN_MAX]; /* by physical index; NULL: removed */
    uint64_t highest_visible_page;            /* only ever lowered, and only while nothing is open */
    struct quota quota;

    char apart[64];
    struct dxgkmem_lock lock;
    /*
     * Atomic. Raised relaxed by who has a reference, or the lock of an adapter that has one: it cannot be the last.
     * Lowered with acquire and release: who lowers it to 0 sees all that the others did, and frees it.
     */
    counter references;
    /* Under the lock. */
    struct list_ends open;      /* struct object.open_link, in the order of opening */
    struct list_link *memories; /* struct memory.link, oldest first */
    uint32_t opened;            /* objects, memories and pins that rely on what is visible */
    struct range_tree taken;    /* logical pages of ADLs, when remapped */
    struct range_tree lent;     /* pages of mapped MDLs: struct mdl_run */
};

/* Where a frame buffer is saved, and who reaches it (frame_buffer.h). */
struct frame_buffer {
    struct object *area;   /* it has no handle; NULL: nobody needed it yet */
    struct adl *adl;       /* while pinned by PIN */
    struct memory *memory; /* while pinned by PIN_MDL */
    stamp pinned;          /* 0: it is not */
};

struct adapter {
    struct logical_adapter *logical;
    uint64_t device;
    uint64_t frame_buffer_bytes;
    uint32_t slot;
    uint32_t physical_index;
    bool attached;     /* to the domain */
    bool enlisted;     /* in instance.adapters */
    bool objects_only; /* remapped, or claims it at WDDM 3.0 or above: the WDDM 2.4 callbacks are refused */
    struct frame_buffer frame_buffer; /* under the logical adapter's pin_lock */
    struct list_link link;            /* in instance.adapters */
};

/* A physical adapter as a call sees it: refers to the logical adapter until adapter_release. */
struct adapter_reference {
    struct logical_adapter *logical; /* NULL: none */
    uint64_t handle;
    uint32_t physical_index;
    bool objects_only;
};

/* The adapter of a handle; false: the mistake is noted. lowest_version: else wrong_wddm_level. */
bool adapter_acquire(struct call *call, HANDLE handle, uint32_t lowest_version,
                     struct adapter_reference *reference);
void adapter_release(struct adapter_reference *reference);
/* Refuses because the chain of a reference is empty since gone_at: names the removal of the adapter itself. */
NTSTATUS adapter_refuse_removed(struct call *call, const struct adapter_reference *reference, stamp gone_at);

/* Another reference, and the end of one; the last one frees the logical adapter. */
void logical_refer(struct logical_adapter *logical);
void logical_release(struct logical_adapter *logical);

/* Highest physical page that an object open on it may have: all of them when remapped. */
uint64_t logical_highest_physical(struct logical_adapter *logical);

/* The physical adapter of an index, or NULL; whether an index is the lowest one present. The lock is not held. */
struct adapter *logical_adapter_at(struct logical_adapter *logical, uint32_t physical_index);
bool logical_is_lead(struct logical_adapter *logical, uint32_t physical_index);

/* Takes the adapter out of the world and frees it; its handle has ended or nobody knows it. */
void adapter_free(struct adapter *adapter);

#endif
