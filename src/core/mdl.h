/* SPDX-License-Identifier: MIT */
/*
 * MapMdlToIoMmu and UnmapMdlFromIoMmu: the device's reach of pages that the driver brought.
 *
 * What is mapped is a memory whose pages the machine holds for as long; so they go to nobody else before
 * the unmap, whatever becomes of the MDL. The MDL is read once, by the call that maps it.
 */
#ifndef DXGKMEM_CORE_MDL_H
#define DXGKMEM_CORE_MDL_H

#include "memory.h"

/* Neighbouring pages of an MDL, in logical->lent from the map to the unmap. */
struct mdl_run {
    struct range_node node; /* in pages */
    stamp mapped;
};

struct mdl_runs {
    uint32_t room;  /* for so many runs: as many as there are pages */
    uint32_t count; /* in the tree, the first ones */
    struct mdl_run run[];
};

/*
 * Takes the pages for the device: claims them and connects them, or neither. In a domain that gives no page another
 * address one page has one place: it is connected once. The lock of the logical adapter is held: that nobody sees a claim
 * of what fails. mdl_give: gives up the claim, if there is one, of pages that the device reaches no more; the lock is held,
 * too.
 */
NTSTATUS mdl_take(struct call *call, struct memory *memory);
void mdl_give(struct memory *memory);
/* The record of the claim, which was given up. */
void mdl_free(struct memory *memory);

#endif
