/* SPDX-License-Identifier: MIT */
/*
 * CPU mappings. A mapping belongs to an object, under whose lock it is made and
 * ended, and is found by its base address through a stripe, under whose lock
 * the trees and lists of that stripe are.
 */
#ifndef DXGKMEM_CORE_MAPPING_H
#define DXGKMEM_CORE_MAPPING_H

#include "object.h"

struct mapping {
    struct range_node node;        /* [base, base + bytes): in the stripe */
    struct list_link object_link;  /* in object->mappings, oldest first */
    struct list_link process_link; /* user mappings: in the space's list, oldest first */
    struct object *object;
    uint64_t process; /* 0: kernel */
    stamp made;
};

/* The user mappings of one process; exists while there are any. */
struct mapping_space {
    struct mapping_space *next;
    uint64_t process;
    struct range_tree tree;
    struct list_link *mappings;
};

/* Of an object that has mappings. */
static inline struct mapping *mapping_oldest(const struct object *object)
{
    return CONTAINER_OF(object->mappings, struct mapping, object_link);
}

static inline stamp mapping_made(const struct mapping *mapping)
{
    return mapping->made;
}

/* Maps `pages` pages from page `first` of a locked object, or of one that nobody else can name. */
NTSTATUS mapping_make(struct call *call, struct object *object, uint64_t first, uint64_t pages,
                      DXGK_ACCESS_MODE mode, struct mapping **made);
/*
 * The mapping of a locked object that begins at a base, as the current process sees addresses; NULL: there is none,
 * and the mistake is noted.
 */
struct mapping *mapping_named(struct call *call, const struct object *object, uint64_t base);
/* Ends a mapping. Its object is locked, or everything stands still. */
void mapping_end(struct mapping *mapping, stamp when);

#endif
