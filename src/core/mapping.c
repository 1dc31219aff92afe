/* SPDX-License-Identifier: MIT */
/* MAP, UNMAP, and the end of a process. */
#include "mapping.h"

#include "callbacks.h"

static struct mapping_stripe *stripe_of(uint64_t process, uint64_t base)
{
    /* User mappings go by process, so that all of one process are together when it ends. */
    return &instance.stripe[mix64(process != 0 ? process : base >> DXGKMEM_PAGE_SHIFT) % MAPPING_STRIPES];
}

static struct mapping_space *space_find(struct mapping_stripe *stripe, uint64_t process)
{
    struct mapping_space *space = stripe->spaces;
    while (space != NULL && space->process != process)
        space = space->next;
    return space;
}

/* The stripe is locked. NULL: no memory. */
static struct mapping_space *space_make(struct mapping_stripe *stripe, uint64_t process)
{
    struct mapping_space *space = space_find(stripe, process);
    if (space != NULL)
        return space;
    space = pool_alloc(sizeof(*space));
    if (space == NULL)
        return NULL;
    space->process = process;
    space->next = stripe->spaces;
    stripe->spaces = space;
    return space;
}

static void space_drop_empty(struct mapping_stripe *stripe, struct mapping_space *space)
{
    struct mapping_space **link = &stripe->spaces;
    if (space->mappings != NULL)
        return;
    while (*link != space)
        link = &(*link)->next;
    *link = space->next;
    pool_free(space, sizeof(*space));
}

/* The live mapping that begins at base, as this process sees addresses; the stripe is locked. */
static struct mapping *stripe_find(struct mapping_stripe *stripe, uint64_t process, uint64_t base)
{
    struct mapping_space *space = process == 0 ? NULL : space_find(stripe, process);
    struct range_tree *tree = process == 0 ? &stripe->kernel : space == NULL ? NULL : &space->tree;
    struct range_node *node = tree == NULL ? NULL : range_first_overlap(tree, base, base + 1);
    return node != NULL && node->start == base ? CONTAINER_OF(node, struct mapping, node) : NULL;
}

static bool mapping_insert(struct mapping *mapping)
{
    struct mapping_stripe *stripe = stripe_of(mapping->process, mapping->node.start);
    struct mapping_space *space = NULL;
    bool room = true;

    lock_acquire(&stripe->lock, RANK_SPACE);
    if (mapping->process != 0) {
        space = space_make(stripe, mapping->process);
        room = space != NULL;
    }
    if (room)
        range_insert(space == NULL ? &stripe->kernel : &space->tree, &mapping->node);
    if (space != NULL)
        list_append(&space->mappings, &mapping->process_link);
    lock_release(&stripe->lock);
    return room;
}

static void mapping_extract(struct mapping *mapping)
{
    struct mapping_stripe *stripe = stripe_of(mapping->process, mapping->node.start);
    struct mapping_space *space;

    lock_acquire(&stripe->lock, RANK_SPACE);
    if (mapping->process == 0) {
        range_remove(&stripe->kernel, &mapping->node);
    } else {
        space = space_find(stripe, mapping->process);
        range_remove(&space->tree, &mapping->node);
        list_remove(&space->mappings, &mapping->process_link);
        space_drop_empty(stripe, space);
    }
    lock_release(&stripe->lock);
}

static uint64_t mapping_pages(const struct mapping *mapping)
{
    return (mapping->node.end - mapping->node.start) >> DXGKMEM_PAGE_SHIFT;
}

/* Gives back the machine's mapping and the record; the mapping is in no tree or list. */
static void mapping_free(struct mapping *mapping)
{
    struct dxgkmem_machine *machine = instance.machine;
    if (mapping->node.start != 0)
        machine->ops->unmap(machine, mapping->object->memory, (void *)(uintptr_t)mapping->node.start,
                            mapping_pages(mapping), mapping->process);
    pool_free(mapping, sizeof(*mapping));
}

void mapping_end(struct mapping *mapping, stamp when)
{
    struct object *object = mapping->object;
    object->last_unmapped = mapping->node.start;
    object->last_unmapped_at = when;
    list_remove(&object->mappings, &mapping->object_link);
    mapping_extract(mapping);
    mapping_free(mapping);
    count_down(COUNT_MAPPINGS, 1);
}

/* -- DxgkCbMapPhysicalMemory --------------------------------------------------------- */

static NTSTATUS map_check(struct call *call, const struct object *object,
                          const DXGKARGCB_MAP_PHYSICAL_MEMORY *in)
{
    uint64_t subject = (uintptr_t)in->hPhysicalMemoryObject;

    if ((unsigned)in->AccessMode > DXGK_ACCESS_MODE_USER_MODE)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_ACCESS_MODE, subject, 0);
    if (object_is_io(object) && in->AccessMode == DXGK_ACCESS_MODE_USER_MODE)
        return refuse(call, DXGKMEM_VIOLATION_IO_SPACE_TO_USER, subject, 0);
    if (in->Size == 0 || in->Offset > object->size || in->Size > object->size - in->Offset)
        return refuse(call, DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE, subject, 0);
    return STATUS_SUCCESS;
}

NTSTATUS mapping_make(struct call *call, struct object *object, uint64_t first, uint64_t pages,
                      DXGK_ACCESS_MODE mode, struct mapping **made)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct mapping *mapping = pool_alloc(sizeof(*mapping));
    void *base = NULL;
    NTSTATUS status;

    if (mapping == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    mapping->object = object;
    mapping->made = call->now;
    if (mode == DXGK_ACCESS_MODE_USER_MODE)
        mapping->process = machine->ops->process(machine);
    status = machine->ops->map(machine, object->memory, first, pages, mode, object->access, &base);
    if (NT_SUCCESS(status)) {
        mapping->node.start = (uintptr_t)base;
        mapping->node.end = mapping->node.start + pages * DXGKMEM_PAGE_BYTES;
        if (!mapping_insert(mapping))
            status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!NT_SUCCESS(status)) {
        mapping_free(mapping);
        return status;
    }
    list_append(&object->mappings, &mapping->object_link);
    count_up(COUNT_MAPPINGS, 1);
    *made = mapping;
    return STATUS_SUCCESS;
}

static NTSTATUS map(struct call *call, const DXGKARGCB_MAP_PHYSICAL_MEMORY *in,
                    DXGKARGCB_MAP_PHYSICAL_MEMORY *out)
{
    struct object *object = handle_acquire(call, (uintptr_t)in->hPhysicalMemoryObject, HANDLE_OBJECT);
    uint64_t first = (uint64_t)in->Offset >> DXGKMEM_PAGE_SHIFT;
    struct mapping *mapping;
    NTSTATUS status;

    if (object == NULL)
        return call_status(call);
    status = map_check(call, object, in);
    if (NT_SUCCESS(status))
        status = mapping_make(call, object, first, pages_of((uint64_t)in->Offset + in->Size) - first,
                              in->AccessMode, &mapping);
    if (NT_SUCCESS(status)) {
        out->pMappedAddress = (void *)(uintptr_t)mapping->node.start;
        out->Offset = in->Offset & DXGKMEM_PAGE_MASK;
        out->Size = (SIZE_T)(mapping->node.end - mapping->node.start);
    }
    handle_unlock(object->slot);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_map_physical_memory(DXGKARGCB_MAP_PHYSICAL_MEMORY *pArgs)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY in, out;
    struct call call;
    bool writable;
    NTSTATUS status;

    memset(&out, 0, sizeof(out));
    if (CALL_BEGIN(&call, MAP, pArgs, in, &writable))
        status = map(&call, &in, &out);
    else
        status = call_status(&call);
    if (writable)
        pArgs->pMappedAddress = out.pMappedAddress;
    if (NT_SUCCESS(status)) {
        pArgs->Offset = out.Offset;
        pArgs->Size = out.Size;
    }
    call_end(&call);
    return status;
}

/* -- DxgkCbUnmapPhysicalMemory ---------------------------------------------------------- */

/* What is known of a live mapping at an address: taken under the stripe's lock, so that it may end meanwhile. */
struct found {
    struct mapping *mapping; /* may be followed only when it is the locked object's */
    struct object *object;
    stamp made;
};

static struct found find_visible(uint64_t base)
{
    const uint64_t processes[2] = {0, instance.machine->ops->process(instance.machine)};
    struct found found = {NULL, NULL, 0};

    for (unsigned i = 0; i < 2 && found.mapping == NULL; i++) {
        struct mapping_stripe *stripe = stripe_of(processes[i], base);
        lock_acquire(&stripe->lock, RANK_SPACE);
        found.mapping = stripe_find(stripe, processes[i], base);
        if (found.mapping != NULL) {
            found.object = found.mapping->object;
            found.made = found.mapping->made;
        }
        lock_release(&stripe->lock);
    }
    return found;
}

/* The object's own mapping at base in whatever process, or NULL. */
static struct mapping *find_elsewhere(const struct object *object, uint64_t base)
{
    for (struct list_link *link = object->mappings; link != NULL; link = list_next(object->mappings, link)) {
        struct mapping *mapping = CONTAINER_OF(link, struct mapping, object_link);
        if (mapping->node.start == base)
            return mapping;
    }
    return NULL;
}

struct mapping *mapping_named(struct call *call, const struct object *object, uint64_t base)
{
    struct found found = find_visible(base);
    struct mapping *elsewhere;

    if (found.mapping != NULL && found.object == object)
        return found.mapping;
    if (found.mapping != NULL) {
        refuse(call, DXGKMEM_VIOLATION_UNMAP_WRONG_OBJECT, base, found.made);
        return NULL;
    }
    elsewhere = find_elsewhere(object, base);
    if (elsewhere != NULL)
        refuse(call, DXGKMEM_VIOLATION_UNMAP_WRONG_PROCESS, base, elsewhere->made);
    else
        refuse(call, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, base,
               base != 0 && object->last_unmapped == base ? object->last_unmapped_at : 0);
    return NULL;
}

/* The mapping that pArgs names, when it may be undone; else the mistake is noted. The object is locked. */
static struct mapping *unmap_check(struct call *call, const struct object *object,
                                   const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *in)
{
    uint64_t base = (uintptr_t)in->pBaseAddress;
    struct mapping *mapping = mapping_named(call, object, base);

    if (mapping == NULL || in->Size == mapping->node.end - base)
        return mapping;
    refuse(call, DXGKMEM_VIOLATION_UNMAP_WRONG_SIZE, base, mapping->made);
    return NULL;
}

VOID APIENTRY CALLBACK dxgkmem_unmap_physical_memory(const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *pArgs)
{
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY in;
    struct object *object = NULL;
    struct mapping *mapping;
    struct call call;
    bool writable;

    if (CALL_BEGIN(&call, UNMAP, pArgs, in, &writable))
        object = handle_acquire(&call, (uintptr_t)in.hPhysicalMemoryObject, HANDLE_OBJECT);
    if (object != NULL) {
        mapping = unmap_check(&call, object, &in);
        if (mapping != NULL)
            mapping_end(mapping, call.now);
        handle_unlock(object->slot);
    }
    call_end(&call);
}

/* -- the end of a process ------------------------------------------------------------------- */

/* The oldest user mapping of a process; false: there is none. */
static bool process_oldest(uint64_t process, uint64_t *object_handle_value, uint64_t *base, stamp *made)
{
    struct mapping_stripe *stripe = stripe_of(process, 0);
    struct mapping_space *space;

    lock_acquire(&stripe->lock, RANK_SPACE);
    space = space_find(stripe, process);
    if (space != NULL) {
        struct mapping *mapping = CONTAINER_OF(space->mappings, struct mapping, process_link);
        *object_handle_value = object_handle(mapping->object);
        *base = mapping->node.start;
        *made = mapping->made;
    }
    lock_release(&stripe->lock);
    return space != NULL;
}

/* That mapping again, now that its object is locked, if it still is the same. */
static struct mapping *process_mapping(const struct object *object, uint64_t process, uint64_t base,
                                       stamp made)
{
    struct mapping_stripe *stripe = stripe_of(process, base);
    struct mapping *mapping;

    lock_acquire(&stripe->lock, RANK_SPACE);
    mapping = stripe_find(stripe, process, base);
    if (mapping != NULL && (mapping->object != object || mapping->made != made))
        mapping = NULL;
    lock_release(&stripe->lock);
    return mapping;
}

void dxgkmem_process_exit(uint64_t process)
{
    uint64_t handle, base;
    struct call call;
    stamp made;

    if (ATOMIC_LOAD_ACQUIRE(&instance.started) == 0)
        return;
    call_number(&call, DXGKMEM_CALL_PROCESS_EXIT);
    /* Objects' locks come before stripes': pick one, let go, take its object, look again. */
    while (process_oldest(process, &handle, &base, &made)) {
        struct call probe = call;
        struct object *object = handle_acquire(&probe, handle, HANDLE_OBJECT);
        struct mapping *mapping;

        if (object == NULL)
            continue;
        mapping = process_mapping(object, process, base, made);
        if (mapping != NULL)
            mapping_end(mapping, call.now);
        handle_unlock(object->slot);
        if (mapping != NULL)
            report_left(&call, DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT, base, made);
    }
}
