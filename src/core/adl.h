/* SPDX-License-Identifier: MIT */
/*
 * ADLs. While one lives its pages are locked and the device reaches them.
 *
 * The trusted record is the table entry; the DXGK_ADL that the driver gets lies
 * in the table's other plane and is only ever written, and compared when freed.
 */
#ifndef DXGKMEM_CORE_ADL_H
#define DXGKMEM_CORE_ADL_H

#include "object.h"

#define ADL_CONTIGUOUS 1u
#define ADL_FRAME_BUFFER 2u

struct adl {
    struct table_entry entry;
    uint32_t flags; /* ADL_ bits; under the owner's lock, as the rest is where nothing else is said */
    uint32_t first; /* page of the object */
    uint32_t pages;
    /*
     * Atomic, relaxed: NULL when not live. Changes under the owner's lock, and is compared with an
     * object whose lock is held: it can equal that one only by what was done under the same lock. Of another object
     * nothing is read through it.
     */
    struct object *owner;
    /*
     * Atomic, relaxed: made, while live; else ended; 0: never used. Read while another object's lock is held,
     * as one word from which all is said; no other memory is read because of it.
     */
    stamp when;
    DXGK_PAGE_NUMBER *array; /* handed out, when not contiguous; owned */
    struct list_link link;   /* in owner->adls */
    /* Remapped: its logical pages, in logical->taken. Identity: its pages of the object, in owner->coverage. */
    struct range_node node;
};

/* The owner is locked and open. RequireContiguous needs no word here: such objects are contiguous. */
NTSTATUS adl_make(struct call *call, struct object *owner, uint64_t first, uint64_t pages,
                  bool wish_contiguous, uint32_t flags, struct adl **adl);
/* The owner is locked. When it returns the device cannot reach the pages through this ADL. */
void adl_end(struct adl *adl, stamp when);

/*
 * The device's reach of pages that no ADL of the table names: only first, pages and node of `adl` are
 * looked at. Connecting is all or nothing; the owner's pages are locked. Disconnecting flushes.
 */
NTSTATUS adl_connect(struct adl *adl, struct object *owner);
void adl_disconnect(struct adl *adl, struct object *owner, uint64_t end);

/* What the driver was given. */
DXGK_ADL *adl_handed_out(const struct adl *adl);

static inline stamp adl_when(const struct adl *adl)
{
    return __atomic_load_n(&adl->when, __ATOMIC_RELAXED);
}

/* The oldest live ADL of an object; NULL: none. */
static inline struct adl *adl_oldest(const struct object *object)
{
    return object->adls == NULL ? NULL : CONTAINER_OF(object->adls, struct adl, link);
}

#endif
