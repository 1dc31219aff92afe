/* SPDX-License-Identifier: MIT */
/*
 * MapMdlToIoMmu and UnmapMdlFromIoMmu: reading an MDL that is the driver's, claiming its pages, and the
 * callbacks. The rest of a memory's life is in memory.c.
 */
#include "mdl.h"

#include "callbacks.h"

/* As MmProbeAndLockPages, MmBuildMdlForNonPagedPool and IoBuildPartialMdl leave them: the pages stay where they are. */
#define PAGES_STAY (DXGKMEM_MDL_PAGES_LOCKED | DXGKMEM_MDL_SOURCE_IS_NONPAGED_POOL | DXGKMEM_MDL_PARTIAL)

/* What was read of an MDL. */
struct mdl_seen {
    struct dxgkmem_mdl *mdl;
    uint64_t pages;
};

/* -- reading ---------------------------------------------------------------------------- */

static NTSTATUS mdl_read(struct call *call, struct dxgkmem_mdl *mdl, struct mdl_seen *seen)
{
    struct dxgkmem_mdl header;

    if (mdl == NULL || (uintptr_t)mdl % _Alignof(struct dxgkmem_mdl) != 0)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_MDL, 0, 0);
    capture(mdl, &header, sizeof(header));
    if (header.ByteCount == 0 || header.ByteOffset >= DXGKMEM_PAGE_BYTES ||
        (header.MdlFlags & PAGES_STAY) == 0)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_MDL, 0, 0);
    seen->mdl = mdl;
    seen->pages = pages_of((uint64_t)header.ByteOffset + header.ByteCount);
    if (seen->pages * DXGKMEM_PAGE_BYTES > instance.config.limits.object_bytes)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_SIZE, 0, 0);
    return STATUS_SUCCESS;
}

/* Reads the page numbers, each once; all of them are visible to the adapter. */
static NTSTATUS mdl_read_pages(struct call *call, const struct mdl_seen *seen, uint64_t highest,
                               uint64_t *numbers)
{
    const volatile ULONG_PTR *page = dxgkmem_mdl_pages(seen->mdl);

    for (uint64_t i = 0; i < seen->pages; i++)
        numbers[i] = page[i];
    for (uint64_t i = 0; i < seen->pages; i++)
        if (numbers[i] > highest)
            return refuse(call, DXGKMEM_VIOLATION_NOT_VISIBLE, 0, 0);
    return STATUS_SUCCESS;
}

/* -- claiming --------------------------------------------------------------------------- */

static size_t runs_bytes(uint64_t pages)
{
    return sizeof(struct mdl_runs) + (size_t)pages * sizeof(struct mdl_run);
}

void mdl_free(struct memory *memory)
{
    if (memory->runs != NULL)
        pool_free(memory->runs, runs_bytes(memory->runs->room));
}

void mdl_give(struct memory *memory)
{
    struct mdl_runs *runs = memory->runs;

    for (uint32_t i = 0; runs != NULL && i < runs->count; i++)
        range_remove(&memory->object->logical->lent, &runs->run[i].node);
    if (runs != NULL)
        runs->count = 0;
}

/* All of the pages or none. The lock of the logical adapter is held. */
static NTSTATUS mdl_claim(struct call *call, struct memory *memory)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct object *object = memory->object;
    struct range_tree *lent = &object->logical->lent;

    for (uint64_t at = 0; at < object->pages;) {
        struct dxgkmem_run run = machine->ops->memory_run(machine, object->memory, at);
        struct mdl_run *own = &memory->runs->run[memory->runs->count];
        struct range_node *taken;

        own->node.start = run.page;
        own->node.end = run.page + least(run.pages, object->pages - at);
        own->mapped = call->now;
        taken = range_first_overlap(lent, own->node.start, own->node.end);
        if (taken != NULL) {
            stamp mapped = CONTAINER_OF(taken, struct mdl_run, node)->mapped;
            mdl_give(memory);
            return refuse(call, DXGKMEM_VIOLATION_MDL_PAGE_TWICE, 0, mapped == call->now ? 0 : mapped);
        }
        range_insert(lent, &own->node);
        memory->runs->count++;
        at += own->node.end - own->node.start;
    }
    return STATUS_SUCCESS;
}

/* Whether they could be claimed now. */
static NTSTATUS mdl_check_claim(struct call *call, struct memory *memory)
{
    struct logical_adapter *logical = memory->object->logical;
    NTSTATUS status;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    status = mdl_claim(call, memory);
    mdl_give(memory);
    lock_release(&logical->lock);
    return status;
}

NTSTATUS mdl_take(struct call *call, struct memory *memory)
{
    NTSTATUS status = mdl_claim(call, memory);

    if (NT_SUCCESS(status))
        status = memory_connect(memory);
    if (!NT_SUCCESS(status))
        mdl_give(memory);
    return status;
}

/* Has the machine hold the pages. */
static NTSTATUS mdl_hold(struct call *call, struct memory *memory, const struct mdl_seen *seen)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct object *object = memory->object;
    uint64_t highest = least(instance.highest_page, logical_highest_physical(object->logical));
    size_t bytes = (size_t)seen->pages * sizeof(uint64_t);
    uint64_t *numbers = pool_alloc(bytes);
    NTSTATUS status;

    if (numbers == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mdl_read_pages(call, seen, highest, numbers);
    if (NT_SUCCESS(status)) {
        status = machine->ops->memory_hold(machine, numbers, seen->pages, &object->memory);
        if (!NT_SUCCESS(status))
            object->memory = NULL;
        if (status == STATUS_INVALID_ADDRESS)
            refuse(call, DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD, 0, 0);
    }
    pool_free(numbers, bytes);
    if (NT_SUCCESS(status))
        count_up(COUNT_PAGES, object->pages);
    return call->violation.code == DXGKMEM_VIOLATION_NONE ? status : call_status(call);
}

/* Judges the pages: a call that is refused for them has taken nothing that lasts. */
static NTSTATUS mdl_judge(struct call *call, struct memory *memory, const struct mdl_seen *seen)
{
    NTSTATUS status = mdl_hold(call, memory, seen);

    if (!NT_SUCCESS(status))
        return status;
    memory->runs = pool_alloc(runs_bytes(memory->object->pages));
    if (memory->runs == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memory->runs->room = memory->object->pages;
    return mdl_check_claim(call, memory);
}

/* -- the callbacks ---------------------------------------------------------------------- */

static NTSTATUS mdl_build(struct call *call, struct memory *memory, const struct mdl_seen *seen,
                          const struct adapter_reference *reference)
{
    struct object_plan plan;
    NTSTATUS status;

    memset(&plan, 0, sizeof(plan));
    plan.request.type = DXGK_PHYSICAL_MEMORY_TYPE_MDL;
    plan.request.pages = seen->pages;
    plan.size = seen->pages * DXGKMEM_PAGE_BYTES;
    status = memory_begin(memory, &plan, reference->logical);
    if (NT_SUCCESS(status))
        status = mdl_judge(call, memory, seen);
    return NT_SUCCESS(status) ? memory_reserve(memory) : status;
}

static NTSTATUS map(struct call *call, const struct adapter_reference *reference, struct dxgkmem_mdl *mdl,
                    uint64_t *handle)
{
    struct mdl_seen seen = {NULL, 0};
    struct memory *memory;
    NTSTATUS status;

    if (instance.machine->ops->memory_hold == NULL)
        return STATUS_NOT_SUPPORTED;
    status = mdl_read(call, mdl, &seen);
    if (!NT_SUCCESS(status))
        return status;
    memory = memory_new(call);
    if (memory == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mdl_build(call, memory, &seen, reference);
    if (NT_SUCCESS(status))
        status = memory_publish(call, memory, reference, handle);
    if (!NT_SUCCESS(status))
        memory_free(memory, call->now);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_map_mdl_to_iommu(const HANDLE hAdapter, DXGKARGCB_MAPMDLTOIOMMU *pArgs)
{
    DXGKARGCB_MAPMDLTOIOMMU in;
    struct adapter_reference reference;
    uint64_t handle = 0;
    struct call call;
    bool writable;
    NTSTATUS status;

    if (CALL_BEGIN(&call, MAP_MDL, pArgs, in, &writable) && memory_adapter(&call, hAdapter, &reference)) {
        status = map(&call, &reference, (struct dxgkmem_mdl *)(void *)in.pMdl, &handle);
        adapter_release(&reference);
    } else {
        status = call_status(&call);
    }
    if (writable)
        pArgs->hMemoryHandle = handle_pointer(handle);
    call_end(&call);
    return status;
}

VOID APIENTRY CALLBACK dxgkmem_unmap_mdl_from_iommu(const HANDLE hAdapter,
                                                    const DXGKARGCB_UNMAPMDLFROMIOMMU *pArgs)
{
    DXGKARGCB_UNMAPMDLFROMIOMMU in;
    struct call call;
    bool writable;

    if (CALL_BEGIN(&call, UNMAP_MDL, pArgs, in, &writable))
        memory_release(&call, hAdapter, in.hMemoryHandle, DXGKMEM_CALL_MAP_MDL);
    call_end(&call);
}
