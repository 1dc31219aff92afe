/* SPDX-License-Identifier: MIT */
/*
 * ALLOCATEADL and FREEADL: locking pages, giving them logical addresses, making
 * the device reach them, and the way back.
 *
 * The order of the way back is what isolation rests on: unmap, flush, then
 * give up the logical pages, then unlock.
 */
#include "adl.h"

#include "callbacks.h"

DXGK_ADL *adl_handed_out(const struct adl *adl)
{
    /* Entries and what is handed out have the same index; the index is found from the entry's place. */
    return table_at(&instance.adls, 1, adl->entry.next_free);
}

static uint64_t adl_end_page(const struct adl *adl)
{
    return (uint64_t)adl->first + adl->pages;
}

static unsigned device_access(const struct object *object)
{
    return DXGKMEM_ACCESS_READ | (object->access & DXGKMEM_ACCESS_WRITE);
}

/* A stretch of an ADL that is one run of physical pages and one run of logical ones. */
struct piece {
    uint64_t logical;
    struct dxgkmem_run run;
};

/*
 * The next stretch at or after page *at, below `end`; *at moves past it. In an
 * identity domain pages that another ADL of the object covers are skipped: they
 * are reachable before and after.
 */
static bool piece_next(const struct adl *adl, struct object *owner, uint64_t *at, uint64_t end,
                       struct piece *piece)
{
    struct dxgkmem_machine *machine = instance.machine;
    bool remapped = owner->logical->remapped;

    while (*at < end) {
        uint64_t stop = end;
        if (!remapped) {
            struct range_node *other = range_first_overlap(&owner->coverage, *at, end);
            if (other != NULL && other->start <= *at) {
                *at = other->end;
                continue;
            }
            if (other != NULL)
                stop = other->start;
        }
        piece->run = machine->ops->memory_run(machine, owner->memory, *at);
        piece->run.pages = least(piece->run.pages, stop - *at);
        piece->logical = remapped ? adl->node.start + (*at - adl->first) : piece->run.page;
        *at += piece->run.pages;
        return true;
    }
    return false;
}

/* Makes the device forget the pages from adl->first up to `end`. The ADL is not in the coverage. */
void adl_disconnect(struct adl *adl, struct object *owner, uint64_t end)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct dxgkmem_domain *domain = owner->logical->domain;
    uint64_t at = adl->first;
    struct piece piece;

    while (piece_next(adl, owner, &at, end, &piece)) {
        machine->ops->domain_unmap(machine, domain, piece.logical, piece.run.pages);
        machine->ops->domain_flush(machine, domain, piece.logical, piece.run.pages);
    }
}

NTSTATUS adl_connect(struct adl *adl, struct object *owner)
{
    struct dxgkmem_machine *machine = instance.machine;
    uint64_t at = adl->first, done = at;
    struct piece piece;

    while (piece_next(adl, owner, &at, adl_end_page(adl), &piece)) {
        NTSTATUS status = machine->ops->domain_map(machine, owner->logical->domain, piece.logical, piece.run,
                                                   device_access(owner));
        if (!NT_SUCCESS(status)) {
            adl_disconnect(adl, owner, done);
            return status;
        }
        done = at;
    }
    return STATUS_SUCCESS;
}

/* Takes logical pages of the ADL's own, within the bounds of the object and the adapter. */
static bool adl_take_logical(struct adl *adl, struct object *owner)
{
    struct logical_adapter *logical = owner->logical;
    uint64_t boundary = owner->boundary_log2 == 0 ? 0 : (uint64_t)1 << (owner->boundary_log2 - 1);
    /* Logical page 0 is never used: a device that is handed a null address must fault. */
    uint64_t low = greatest(owner->lowest_page, 1), start;
    bool found;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    found = range_find_gap(&logical->taken, low, least(owner->highest_page, logical->highest_visible_page),
                           adl->pages, boundary, &start);
    if (found) {
        adl->node.start = start;
        adl->node.end = start + adl->pages;
        range_insert(&logical->taken, &adl->node);
    }
    lock_release(&logical->lock);
    return found;
}

static void adl_give_logical(struct adl *adl, struct object *owner)
{
    lock_acquire(&owner->logical->lock, RANK_LOGICAL);
    range_remove(&owner->logical->taken, &adl->node);
    lock_release(&owner->logical->lock);
}

static uint64_t adl_base(const struct adl *adl, const struct object *owner)
{
    struct dxgkmem_machine *machine = instance.machine;
    if (owner->logical->remapped)
        return adl->node.start;
    return machine->ops->memory_run(machine, owner->memory, adl->first).page;
}

static size_t array_bytes(const struct adl *adl)
{
    return sizeof(DXGK_PAGE_NUMBER) * (size_t)adl->pages;
}

/* The page array of an ADL: what it must hold, page by page. */
static bool array_walk(const struct adl *adl, const struct object *owner, bool compare)
{
    struct dxgkmem_machine *machine = instance.machine;
    uint64_t at = adl->first;

    while (at < adl_end_page(adl)) {
        struct dxgkmem_run run = machine->ops->memory_run(machine, owner->memory, at);
        for (uint64_t i = 0; i < run.pages && at < adl_end_page(adl); i++, at++) {
            DXGK_PAGE_NUMBER *number = &adl->array[at - adl->first];
            if (compare && *number != (DXGK_PAGE_NUMBER)(run.page + i))
                return false;
            if (!compare)
                *number = (DXGK_PAGE_NUMBER)(run.page + i);
        }
    }
    return true;
}

static DXGK_ADL adl_describe(const struct adl *adl, const struct object *owner)
{
    DXGK_ADL described;
    memset(&described, 0, sizeof(described));
    described.PageCount = adl->pages;
    if (adl->flags & ADL_CONTIGUOUS) {
        described.Flags.Contiguous = 1;
        described.BasePageNumber = (DXGK_PAGE_NUMBER)adl_base(adl, owner);
    } else {
        described.Pages = adl->array;
    }
    return described;
}

/*
 * How far an ADL has been built. One way back serves the failure at each step
 * and the end of a live one.
 */
enum adl_step { ADL_TAKEN, ADL_CHARGED, ADL_LOCKED, ADL_PLACED, ADL_ARRAYED, ADL_LIVE };

static void adl_undo(struct adl *adl, struct object *owner, enum adl_step step, stamp when)
{
    struct dxgkmem_machine *machine = instance.machine;
    bool remapped = owner->logical->remapped;
    uint32_t index = adl->entry.next_free;

    if (step >= ADL_LIVE) {
        list_remove(&owner->adls, &adl->link);
        if (!remapped)
            range_remove(&owner->coverage, &adl->node);
        adl_disconnect(adl, owner, adl_end_page(adl));
        memset(adl_handed_out(adl), 0, sizeof(DXGK_ADL));
        if ((adl->flags & ADL_FRAME_BUFFER) == 0)
            count_down(COUNT_ADLS, 1);
        ATOMIC_STORE(&adl->owner, NULL);
        __atomic_store_n(&adl->when, when, __ATOMIC_RELAXED);
    }
    if (step >= ADL_ARRAYED && adl->array != NULL) {
        pool_free(adl->array, array_bytes(adl));
        adl->array = NULL;
    }
    if (step >= ADL_PLACED && remapped)
        adl_give_logical(adl, owner);
    if (step >= ADL_LOCKED)
        machine->ops->memory_unlock(machine, owner->memory, adl->first, adl->pages);
    if (step >= ADL_CHARGED)
        quota_give(&owner->logical->quota, 0, 0, 1);
    table_give(&instance.adls, index);
}

/* Whether the driver gets a base instead of an array. */
static bool adl_is_contiguous(const struct adl *adl, const struct object *owner, bool wish)
{
    struct dxgkmem_machine *machine = instance.machine;
    if (owner->logical->remapped)
        return true;
    return wish && machine->ops->memory_run(machine, owner->memory, adl->first).pages >= adl->pages;
}

/* Builds step by step; *step is how far it came. */
static NTSTATUS adl_build(struct adl *adl, struct object *owner, bool wish_contiguous, enum adl_step *step)
{
    struct dxgkmem_machine *machine = instance.machine;
    NTSTATUS status;

    if (!quota_take(&owner->logical->quota, 0, 0, 1))
        return STATUS_QUOTA_EXCEEDED;
    *step = ADL_CHARGED;
    status = machine->ops->memory_lock(machine, owner->memory, adl->first, adl->pages);
    if (!NT_SUCCESS(status))
        return status;
    *step = ADL_LOCKED;
    if (adl_is_contiguous(adl, owner, wish_contiguous))
        adl->flags |= ADL_CONTIGUOUS;
    if (owner->logical->remapped) {
        if (!adl_take_logical(adl, owner))
            return STATUS_INSUFFICIENT_RESOURCES;
    } else {
        adl->node.start = adl->first;
        adl->node.end = adl_end_page(adl);
    }
    *step = ADL_PLACED;
    if ((adl->flags & ADL_CONTIGUOUS) == 0) {
        adl->array = pool_alloc(array_bytes(adl));
        if (adl->array == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        array_walk(adl, owner, false);
    }
    *step = ADL_ARRAYED;
    return adl_connect(adl, owner);
}

NTSTATUS adl_make(struct call *call, struct object *owner, uint64_t first, uint64_t pages,
                  bool wish_contiguous, uint32_t flags, struct adl **made)
{
    uint32_t index = table_take(&instance.adls);
    enum adl_step step = ADL_TAKEN;
    struct adl *adl;
    DXGK_ADL described;
    NTSTATUS status;

    *made = NULL;
    if (index == TABLE_NONE)
        return STATUS_INSUFFICIENT_RESOURCES;
    adl = table_at(&instance.adls, 0, index);
    adl->entry.next_free = index; /* while it is taken: its own place */
    adl->first = (uint32_t)first;
    adl->pages = (uint32_t)pages;
    adl->flags = flags;
    status = adl_build(adl, owner, wish_contiguous, &step);
    if (!NT_SUCCESS(status)) {
        adl_undo(adl, owner, step, call->now);
        return status;
    }
    if (!owner->logical->remapped)
        range_insert(&owner->coverage, &adl->node);
    list_append(&owner->adls, &adl->link);
    described = adl_describe(adl, owner);
    memcpy(adl_handed_out(adl), &described, sizeof(described));
    __atomic_store_n(&adl->when, call->now, __ATOMIC_RELAXED);
    ATOMIC_STORE(&adl->owner, owner);
    /* Frame buffers are counted by themselves. */
    if ((flags & ADL_FRAME_BUFFER) == 0)
        count_up(COUNT_ADLS, 1);
    *made = adl;
    return STATUS_SUCCESS;
}

void adl_end(struct adl *adl, stamp when)
{
    adl_undo(adl, adl->owner, ADL_LIVE, when);
}

/* -- DxgkCbAllocateAdl -------------------------------------------------------- */

static NTSTATUS allocate_check(struct call *call, const struct object *object,
                               const DXGKARGCB_ALLOCATE_ADL *in)
{
    uint64_t subject = (uintptr_t)in->hAdapterMemoryObject;
    uint64_t bytes = (uint64_t)object->pages * DXGKMEM_PAGE_BYTES;
    stamp gone_at = ATOMIC_LOAD(&object->logical->gone_at);

    /* A removal under way takes this object's lock next: it must not find ever new ADLs. */
    if (gone_at != 0)
        return refuse(call, DXGKMEM_VIOLATION_ADAPTER_REMOVED, subject, gone_at);
    if (in->Flags.Reserved != 0)
        return refuse(call, DXGKMEM_VIOLATION_RESERVED_BITS, subject, 0);
    if (in->Flags.RequireContiguous && object->type != DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY &&
        object->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        return refuse(call, DXGKMEM_VIOLATION_CONTIGUOUS_OF_SCATTERED, subject, 0);
    if (!is_page_multiple(in->Offset) || !is_page_multiple(in->Size))
        return refuse(call, DXGKMEM_VIOLATION_UNALIGNED_RANGE, subject, 0);
    if (in->Size == 0 || in->Offset > bytes || in->Size > bytes - in->Offset)
        return refuse(call, DXGKMEM_VIOLATION_ADL_OUT_OF_RANGE, subject, 0);
    return STATUS_SUCCESS;
}

static NTSTATUS allocate(struct call *call, const DXGKARGCB_ALLOCATE_ADL *in, DXGK_ADL **out)
{
    struct object *object = handle_acquire(call, (uintptr_t)in->hAdapterMemoryObject, HANDLE_ADAPTER_OBJECT);
    struct adl *adl;
    NTSTATUS status;

    if (object == NULL)
        return call_status(call);
    status = allocate_check(call, object, in);
    if (NT_SUCCESS(status)) {
        status = adl_make(call, object, in->Offset >> DXGKMEM_PAGE_SHIFT, in->Size >> DXGKMEM_PAGE_SHIFT,
                          in->Flags.RequireContiguous || in->Flags.PreferContiguous, 0, &adl);
        if (NT_SUCCESS(status))
            *out = adl_handed_out(adl);
    }
    handle_unlock(object->slot);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_allocate_adl(DXGKARGCB_ALLOCATE_ADL *pArgs)
{
    DXGKARGCB_ALLOCATE_ADL in;
    struct call call;
    bool writable;
    DXGK_ADL *out = NULL;
    NTSTATUS status;

    if (CALL_BEGIN(&call, ALLOCATE_ADL, pArgs, in, &writable))
        status = allocate(&call, &in, &out);
    else
        status = call_status(&call);
    if (writable)
        pArgs->pAdl = out;
    call_end(&call);
    return status;
}

/* -- DxgkCbFreeAdl -------------------------------------------------------------- */

static bool adl_scribbled(const struct adl *adl, const struct object *owner)
{
    DXGK_ADL now, described = adl_describe(adl, owner);
    capture(adl_handed_out(adl), &now, sizeof(now));
    if (now.PageCount != described.PageCount || now.Flags.Value != described.Flags.Value ||
        now.BasePageNumber != described.BasePageNumber)
        return true;
    return (adl->flags & ADL_CONTIGUOUS) == 0 && !array_walk(adl, owner, true);
}

/* The ADL that pArgs names, when it is one of this object's; else the mistake is noted. */
static struct adl *free_check(struct call *call, struct object *object, const DXGK_ADL *pointer)
{
    uint32_t index = table_find(&instance.adls, pointer);
    uint64_t subject = (uintptr_t)pointer;
    struct adl *adl;
    stamp when;

    if (index == TABLE_NONE) {
        refuse(call, DXGKMEM_VIOLATION_ADL_FOREIGN, subject, 0);
        return NULL;
    }
    adl = table_at(&instance.adls, 0, index);
    if (ATOMIC_LOAD(&adl->owner) == object)
        return adl;
    /*
     * Only `object` is locked: another one's ADL may change under our eyes. So everything is said
     * from one word, which tells whether the ADL lives, too: by the call that it names.
     */
    when = adl_when(adl);
    switch (stamp_call(when)) {
    case DXGKMEM_CALL_NONE:
        refuse(call, DXGKMEM_VIOLATION_ADL_FOREIGN, subject, 0);
        break;
    case DXGKMEM_CALL_PIN:
        refuse(call, DXGKMEM_VIOLATION_ADL_OF_FRAME_BUFFER, subject, when);
        break;
    case DXGKMEM_CALL_ALLOCATE_ADL:
        refuse(call, DXGKMEM_VIOLATION_ADL_OF_OTHER_OBJECT, subject, when);
        break;
    default:
        refuse(call, DXGKMEM_VIOLATION_ADL_ALREADY_FREED, subject, when);
        break;
    }
    return NULL;
}

static void free_adl(struct call *call, const DXGKARGCB_FREE_ADL *in)
{
    struct object *object = handle_acquire(call, (uintptr_t)in->hAdapterMemoryObject, HANDLE_ADAPTER_OBJECT);
    struct adl *adl;

    if (object == NULL)
        return;
    adl = free_check(call, object, in->pAdl);
    if (adl != NULL) {
        if (adl_scribbled(adl, object))
            refuse(call, DXGKMEM_VIOLATION_ADL_SCRIBBLED, (uintptr_t)in->pAdl, adl_when(adl));
        adl_end(adl, call->now);
    }
    handle_unlock(object->slot);
}

VOID APIENTRY CALLBACK dxgkmem_free_adl(const DXGKARGCB_FREE_ADL *pArgs)
{
    DXGKARGCB_FREE_ADL in;
    struct call call;
    bool writable;

    if (CALL_BEGIN(&call, FREE_ADL, pArgs, in, &writable))
        free_adl(&call, &in);
    call_end(&call);
}
