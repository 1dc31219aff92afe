/* SPDX-License-Identifier: MIT */
/*
 * Physical memory objects, and the adapter memory object that one may have.
 *
 * The lock of an object is that of its handle slot; it guards every field. The
 * save area of a frame buffer has no handle: the pin lock of its logical
 * adapter guards it. That of a memory (memory.h) has none either: the memory's lock guards it.
 */
#ifndef DXGKMEM_CORE_OBJECT_H
#define DXGKMEM_CORE_OBJECT_H

#include "adapter.h"

/* The count of an MDL is a ULONG. */
#define MDL_BYTES_MAX ((uint64_t)0x100000000 - DXGKMEM_PAGE_BYTES)

struct object {
    uint32_t slot;         /* TABLE_NONE: of a save area or a memory */
    uint32_t adapter_slot; /* of the adapter memory object; TABLE_NONE: not open */
    uint32_t pages;
    uint32_t type : 2;
    uint32_t access : 3;          /* of CPU mappings, DXGKMEM_ACCESS_ bits */
    uint32_t charged_total : 1;   /* against instance.total, for life */
    uint32_t charged_adapter : 1; /* against logical->quota, while open */
    uint32_t attached : 1;        /* to logical->open */
    uint32_t boundary_log2 : 6;   /* in pages, plus 1; 0: no boundary */
    uint64_t size;                /* bytes, as asked */
    struct dxgkmem_memory *memory;

    /* While open. */
    struct logical_adapter *logical;
    struct list_link *adls;     /* struct adl.link, oldest first */
    struct range_tree coverage; /* pages under ADLs, when the domain is identity */

    struct list_link *mappings; /* struct mapping.object_link, oldest first */
    uint64_t last_unmapped;     /* base of the mapping that ended last, and when */
    stamp last_unmapped_at;

    /* CREATE's bounds, in pages, for logical addresses. */
    uint64_t lowest_page, highest_page;
    ULONG_PTR context; /* for people who debug; never followed */
    /* While open, in logical->open, under its lock: neighbours write here, so it is far from what a call looks at. */
    struct list_link open_link;
};

/* An IO_SPACE object also claims its range; what is below `object` is read under the claims lock alone. */
struct io_object {
    struct object object;
    struct range_node claim; /* in instance.claims, in pages; start == end: not claimed (yet) */
    stamp claimed;           /* the CREATE */
};

/* What to make, checked and rounded. */
struct object_plan {
    struct dxgkmem_memory_request request;
    uint64_t size;
    ULONG_PTR context;
    uint64_t highest_logical_page; /* bound of logical addresses */
};

/*
 * Checks all that a CREATE asks for but the adapter, and plans it (create.c). Cutting the plan to what machine
 * and adapter have: false: nobody could ever meet it.
 */
NTSTATUS object_plan_make(struct call *call, const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *in,
                          struct object_plan *plan);
bool object_plan_cut(struct object_plan *plan, const struct adapter_reference *adapter);

static inline bool object_is_io(const struct object *object)
{
    return object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE;
}

/*
 * Building, in this order; each step may fail and leaves what is there to
 * object_free. object_new: NULL, no memory. object_charge: the quota of all
 * objects. object_prepare: what opening it on the reference's logical adapter
 * takes. object_populate: pages, zeroed. object_claim: an IO_SPACE object takes
 * its range; the mistake is noted when it is in use (object_check_claim only looks).
 */
struct object *object_new(const struct object_plan *plan);
NTSTATUS object_check_claim(struct call *call, const struct dxgkmem_memory_request *request);
NTSTATUS object_claim(struct call *call, struct object *object, const struct dxgkmem_memory_request *request);
NTSTATUS object_charge(struct object *object);
NTSTATUS object_prepare(struct object *object, const struct adapter_reference *reference);
NTSTATUS object_populate(struct object *object, const struct dxgkmem_memory_request *request);
/*
 * Opens it on the logical adapter that it was prepared for; publishes the adapter memory object. request: of an
 * object that is being made, which takes its claim here, when nothing can fail any more; NULL: it has one.
 */
NTSTATUS object_attach(struct call *call, struct object *object, const struct adapter_reference *reference,
                       const struct dxgkmem_memory_request *request);

/*
 * The only destructor: takes objects in any half-built state, but none with
 * live ADLs or mappings. Nobody can name the object any more, or could yet.
 */
void object_free(struct object *object);
/* The part of it that undoes prepare and attach. */
void object_close(struct object *object);
/* Ends the adapter memory object. No ADL is live; the object is locked. */
void object_end_adapter(struct object *object, stamp when);
/* Ends the object, locked, and gives up its lock. It has no ADLs and no mappings. */
void object_end(struct object *object, stamp when);

/* The handle of an object that is no save area; that of its adapter memory object, 0 when not open. */
static inline uint64_t object_handle(const struct object *object)
{
    return handle_of(object->slot);
}

static inline uint64_t object_adapter_handle(const struct object *object)
{
    return object->adapter_slot == TABLE_NONE ? 0 : handle_of(object->adapter_slot);
}

/* The open (or create) that opened it. */
static inline stamp object_opened(const struct object *object)
{
    return handle_made(object->adapter_slot);
}

#endif
