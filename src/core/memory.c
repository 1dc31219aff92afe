/* SPDX-License-Identifier: MIT */
/*
 * AllocateContiguousMemory, AllocatePagesForMdl and their frees. What they ask for is planned as a CREATE of
 * the same type; logical pages are physical pages, for a driver whose DMA is remapped is refused.
 */
#include "memory.h"

#include "callbacks.h"
#include "mapping.h"
#include "mdl.h"

typedef DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create_arguments;

/* -- the life of a memory --------------------------------------------------------------- */

static uint64_t memory_pages(const struct memory *memory)
{
    return memory->reach.pages;
}

static size_t mdl_bytes(const struct memory *memory)
{
    return sizeof(struct dxgkmem_mdl) + (size_t)memory_pages(memory) * sizeof(ULONG_PTR);
}

/* From here on the chain keeps its promise of what it sees. The lock of the logical adapter is held. */
static void memory_enter(struct memory *memory)
{
    struct logical_adapter *logical = memory->object->logical;

    logical->opened++;
    if (memory->slot != TABLE_NONE)
        list_append(&logical->memories, &memory->link);
    memory->entered = true;
}

void memory_pin(struct memory *memory)
{
    struct logical_adapter *logical = memory->object->logical;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    memory_enter(memory);
    lock_release(&logical->lock);
}

/* All at once what memory_enter did, and an MDL's claim. The device reaches the pages no more. */
static void memory_leave(struct memory *memory)
{
    struct logical_adapter *logical = memory->object->logical;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    mdl_give(memory);
    logical->opened--;
    if (memory->slot != TABLE_NONE)
        list_remove(&logical->memories, &memory->link);
    lock_release(&logical->lock);
    memory->entered = false;
}

/* Ends all of it that anybody can see but its handle. */
static void memory_withdraw(struct memory *memory, stamp when)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct object *object = memory->object;

    if (memory->connected)
        adl_disconnect(&memory->reach, object, memory_pages(memory));
    while (!memory->borrowed && object->mappings != NULL)
        mapping_end(mapping_oldest(object), when);
    if (memory->locked)
        machine->ops->memory_unlock(machine, object->memory, 0, memory_pages(memory));
    memory->connected = memory->locked = false;
    if (memory->entered)
        memory_leave(memory);
}

void memory_free(struct memory *memory, stamp when)
{
    struct object *object = memory->object;

    if (object != NULL) {
        memory_withdraw(memory, when);
        if (memory->mdl != NULL)
            pool_free(memory->mdl, mdl_bytes(memory));
        mdl_free(memory);
        if (memory->charged)
            quota_give(&object->logical->quota, memory->borrowed ? 0 : memory_pages(memory), 0, 1);
        if (!memory->borrowed)
            object_free(object);
    }
    if (memory->slot != TABLE_NONE)
        handle_release(memory->slot);
    pool_free(memory, sizeof(*memory));
}

void memory_end(struct memory *memory, stamp when)
{
    uint32_t slot = memory->slot;

    /* Before anybody can see its handle ended: who does must meet nothing of it. */
    memory_withdraw(memory, when);
    handle_end(slot, when);
    count_down(COUNT_MEMORIES, 1);
    handle_unlock(slot);
    /* Nobody can find it any more. */
    memory_free(memory, when);
}

bool memory_abandon(struct call *call, struct logical_adapter *logical)
{
    struct call probe = *call;
    struct memory *memory;
    uint64_t handle = 0;
    stamp made;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    if (logical->memories != NULL)
        handle = handle_of(CONTAINER_OF(logical->memories, struct memory, link)->slot);
    lock_release(&logical->lock);
    if (handle == 0)
        return false;
    /* Its lock comes before that of the logical adapter: look again under the right one. */
    memory = handle_acquire(&probe, handle, HANDLE_MEMORY);
    if (memory == NULL)
        return true;
    made = handle_made(memory->slot);
    memory_end(memory, call->now);
    report_left(call, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL, handle, made);
    return true;
}

/* -- making one ------------------------------------------------------------------------- */

struct memory *memory_new(const struct call *call)
{
    struct memory *memory = pool_alloc(sizeof(*memory));

    if (memory == NULL)
        return NULL;
    memory->slot = TABLE_NONE;
    memory->made_by = stamp_call(call->now);
    return memory;
}

NTSTATUS memory_begin(struct memory *memory, const struct object_plan *plan, struct logical_adapter *logical)
{
    struct object *object = memory->object = object_new(plan);

    if (object == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    logical_refer(logical);
    object->logical = logical;
    memory->reach.pages = object->pages;
    memory->charged = quota_take(&logical->quota, memory_pages(memory), 0, 1);
    return memory->charged ? STATUS_SUCCESS : STATUS_QUOTA_EXCEEDED;
}

NTSTATUS memory_borrow(struct memory *memory, struct object *object, uint64_t pages)
{
    memory->object = object;
    memory->borrowed = true;
    memory->reach.pages = (uint32_t)pages;
    memory->charged = quota_take(&object->logical->quota, 0, 0, 1);
    return memory->charged ? STATUS_SUCCESS : STATUS_QUOTA_EXCEEDED;
}

NTSTATUS memory_reserve(struct memory *memory)
{
    memory->slot = handle_reserve();
    return memory->slot == TABLE_NONE ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

NTSTATUS memory_connect(struct memory *memory)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct object *object = memory->object;
    NTSTATUS status = machine->ops->memory_lock(machine, object->memory, 0, memory_pages(memory));

    memory->locked = NT_SUCCESS(status);
    if (!memory->locked)
        return status;
    status = adl_connect(&memory->reach, object);
    memory->connected = NT_SUCCESS(status);
    return status;
}

/* Takes pages, lets the device reach them and maps them for the kernel; what fails leaves the rest to memory_free. */
static NTSTATUS memory_build(struct call *call, struct memory *memory, struct object_plan *plan,
                             const struct adapter_reference *reference)
{
    struct object *object;
    struct mapping *mapping;
    NTSTATUS status = memory_begin(memory, plan, reference->logical);

    if (NT_SUCCESS(status))
        status = memory_reserve(memory);
    if (!NT_SUCCESS(status))
        return status;
    if (!object_plan_cut(plan, reference))
        return STATUS_NO_MEMORY;
    object = memory->object;
    status = object_populate(object, &plan->request);
    if (!NT_SUCCESS(status))
        return status;
    status = memory_connect(memory);
    if (!NT_SUCCESS(status))
        return status;
    return mapping_make(call, object, 0, object->pages, DXGK_ACCESS_MODE_KERNEL_MODE, &mapping);
}

/* Page by page: writes the page numbers of the MDL, or compares them. */
static bool mdl_walk(struct memory *memory, bool compare)
{
    struct dxgkmem_machine *machine = instance.machine;
    volatile ULONG_PTR *numbers = dxgkmem_mdl_pages(memory->mdl);
    uint64_t at = 0;

    while (at < memory_pages(memory)) {
        struct dxgkmem_run run = machine->ops->memory_run(machine, memory->object->memory, at);
        for (uint64_t i = 0; i < run.pages && at < memory_pages(memory); i++, at++) {
            if (compare && numbers[at] != (ULONG_PTR)(run.page + i))
                return false;
            if (!compare)
                numbers[at] = (ULONG_PTR)(run.page + i);
        }
    }
    return true;
}

NTSTATUS memory_describe(struct memory *memory)
{
    struct dxgkmem_mdl *mdl = memory->mdl = pool_alloc(mdl_bytes(memory));

    if (mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    mdl->Size = (int16_t)(uint16_t)mdl_bytes(memory);
    mdl->MdlFlags = DXGKMEM_MDL_PAGES_LOCKED;
    if (!memory->borrowed) {
        mdl->MdlFlags |= DXGKMEM_MDL_MAPPED_TO_SYSTEM_VA;
        mdl->MappedSystemVa = (void *)(uintptr_t)mapping_oldest(memory->object)->node.start;
    }
    mdl->ByteCount = (ULONG)(memory_pages(memory) * DXGKMEM_PAGE_BYTES);
    mdl_walk(memory, false);
    return STATUS_SUCCESS;
}

/* Of the header what the pages depend on: a driver may chain an MDL, and map it elsewhere. */
static bool mdl_scribbled(struct memory *memory)
{
    struct dxgkmem_mdl now;

    if (memory->mdl == NULL)
        return false;
    capture(memory->mdl, &now, sizeof(now));
    return now.ByteCount != memory_pages(memory) * DXGKMEM_PAGE_BYTES || now.ByteOffset != 0 ||
           !mdl_walk(memory, true);
}

/* The last look at what may have changed since the call began; the lock of the logical adapter is held. */
static NTSTATUS publish_check(struct call *call, struct memory *memory,
                              const struct adapter_reference *reference)
{
    stamp gone_at = memory->object->logical->gone_at;

    if (gone_at != 0)
        return adapter_refuse_removed(call, reference, gone_at);
    return memory->runs != NULL ? mdl_take(call, memory) : STATUS_SUCCESS;
}

NTSTATUS memory_publish(struct call *call, struct memory *memory, const struct adapter_reference *reference,
                        uint64_t *handle)
{
    struct logical_adapter *logical = memory->object->logical;
    NTSTATUS status;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    status = publish_check(call, memory, reference);
    if (NT_SUCCESS(status)) {
        memory_enter(memory);
        *handle = handle_publish(memory->slot, HANDLE_MEMORY, call->now, memory, memory->slot);
        count_up(COUNT_MEMORIES, 1);
    }
    lock_release(&logical->lock);
    return status;
}

struct memory_outputs {
    uint64_t handle;
    void *base;
    struct dxgkmem_mdl *mdl;
};

static NTSTATUS memory_make(struct call *call, const create_arguments *in,
                            const struct adapter_reference *reference, struct memory_outputs *out)
{
    struct memory_outputs made = {0, NULL, NULL};
    struct object_plan plan;
    struct memory *memory;
    NTSTATUS status = object_plan_make(call, in, &plan);

    if (!NT_SUCCESS(status))
        return status;
    memory = memory_new(call);
    if (memory == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = memory_build(call, memory, &plan, reference);
    if (NT_SUCCESS(status)) {
        made.base = (void *)(uintptr_t)mapping_oldest(memory->object)->node.start;
        if (memory->made_by == DXGKMEM_CALL_ALLOCATE_PAGES)
            status = memory_describe(memory);
        made.mdl = memory->mdl;
    }
    if (NT_SUCCESS(status))
        status = memory_publish(call, memory, reference, &made.handle);
    if (NT_SUCCESS(status))
        *out = made;
    else
        memory_free(memory, call->now);
    return status;
}

bool memory_adapter(struct call *call, HANDLE handle, struct adapter_reference *reference)
{
    if (!adapter_acquire(call, handle, DXGKDDI_INTERFACE_VERSION_WDDM2_4, reference))
        return false;
    if (!reference->objects_only)
        return true;
    refuse(call, DXGKMEM_VIOLATION_LEGACY_CALLBACK, (uintptr_t)handle, 0);
    adapter_release(reference);
    return false;
}

static NTSTATUS allocate(struct call *call, HANDLE adapter, const create_arguments *in,
                         struct memory_outputs *out)
{
    struct adapter_reference reference;
    NTSTATUS status;

    if (!memory_adapter(call, adapter, &reference))
        return call_status(call);
    status = memory_make(call, in, &reference, out);
    adapter_release(&reference);
    return status;
}

/* -- ending one ------------------------------------------------------------------------- */

/* The memory of a handle, locked, when this adapter and this call may free it; else the mistake is noted. */
static struct memory *memory_acquire(struct call *call, uint64_t handle,
                                     const struct adapter_reference *reference, enum dxgkmem_call made_by)
{
    struct memory *memory = handle_acquire(call, handle, HANDLE_MEMORY);
    enum dxgkmem_violation_code code = DXGKMEM_VIOLATION_NONE;

    if (memory == NULL)
        return NULL;
    if (memory->object->logical != reference->logical)
        code = DXGKMEM_VIOLATION_MEMORY_OF_OTHER_ADAPTER;
    else if (memory->made_by != made_by)
        code = DXGKMEM_VIOLATION_MEMORY_OF_OTHER_CALL;
    if (code == DXGKMEM_VIOLATION_NONE)
        return memory;
    refuse(call, code, handle, handle_made(memory->slot));
    handle_unlock(memory->slot);
    return NULL;
}

NTSTATUS memory_release(struct call *call, HANDLE adapter, HANDLE handle, enum dxgkmem_call made_by)
{
    struct adapter_reference reference;
    struct memory *memory;

    if (!memory_adapter(call, adapter, &reference))
        return call_status(call);
    memory = memory_acquire(call, (uintptr_t)handle, &reference, made_by);
    if (memory != NULL) {
        if (mdl_scribbled(memory))
            refuse(call, DXGKMEM_VIOLATION_MDL_SCRIBBLED, (uintptr_t)handle, handle_made(memory->slot));
        memory_end(memory, call->now);
    }
    adapter_release(&reference);
    return call_status(call);
}

/* -- the callbacks ---------------------------------------------------------------------- */

NTSTATUS APIENTRY CALLBACK dxgkmem_allocate_contiguous_memory(const HANDLE hAdapter,
                                                              DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *pArgs)
{
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY in;
    struct memory_outputs out = {0, NULL, NULL};
    create_arguments create;
    struct call call;
    bool writable;
    NTSTATUS status;

    if (CALL_BEGIN(&call, ALLOCATE_CONTIGUOUS, pArgs, in, &writable)) {
        memset(&create, 0, sizeof(create));
        create.Type = DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY;
        create.Size = in.NumberOfBytes;
        create.CacheType = in.CacheType;
        create.ContiguousMemory.LowestAcceptableAddress = in.LowestAcceptableAddress;
        create.ContiguousMemory.HighestAcceptableAddress = in.HighestAcceptableAddress;
        create.ContiguousMemory.BoundaryAddressMultiple = in.BoundaryAddressMultiple;
        status = allocate(&call, hAdapter, &create, &out);
    } else {
        status = call_status(&call);
    }
    if (writable) {
        pArgs->hMemoryHandle = handle_pointer(out.handle);
        pArgs->pMemory = out.base;
    }
    call_end(&call);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_allocate_pages_for_mdl(const HANDLE hAdapter,
                                                          DXGKARGCB_ALLOCATEPAGESFORMDL *pArgs)
{
    DXGKARGCB_ALLOCATEPAGESFORMDL in;
    struct memory_outputs out = {0, NULL, NULL};
    create_arguments create;
    struct call call;
    bool writable;
    NTSTATUS status;

    if (CALL_BEGIN(&call, ALLOCATE_PAGES, pArgs, in, &writable)) {
        memset(&create, 0, sizeof(create));
        create.Type = DXGK_PHYSICAL_MEMORY_TYPE_MDL;
        create.Size = in.TotalBytes;
        create.CacheType = in.CacheType;
        create.Mdl.LowAddress = in.LowAddress;
        create.Mdl.HighAddress = in.HighAddress;
        create.Mdl.SkipBytes = in.SkipBytes;
        create.Mdl.Flags = in.Flags;
        status = allocate(&call, hAdapter, &create, &out);
    } else {
        status = call_status(&call);
    }
    if (writable) {
        pArgs->hMemoryHandle = handle_pointer(out.handle);
        pArgs->pMdl = (PMDL)(void *)out.mdl;
    }
    call_end(&call);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_free_contiguous_memory(const HANDLE hAdapter,
                                                          const DXGKARGCB_FREECONTIGUOUSMEMORY *pArgs)
{
    DXGKARGCB_FREECONTIGUOUSMEMORY in;
    struct call call;
    bool writable;
    NTSTATUS status;

    if (CALL_BEGIN(&call, FREE_CONTIGUOUS, pArgs, in, &writable))
        status = memory_release(&call, hAdapter, in.hMemoryHandle, DXGKMEM_CALL_ALLOCATE_CONTIGUOUS);
    else
        status = call_status(&call);
    call_end(&call);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_free_pages_from_mdl(const HANDLE hAdapter,
                                                       const DXGKARGCB_FREEPAGESFROMMDL *pArgs)
{
    DXGKARGCB_FREEPAGESFROMMDL in;
    struct call call;
    bool writable;
    NTSTATUS status;

    if (CALL_BEGIN(&call, FREE_PAGES, pArgs, in, &writable))
        status = memory_release(&call, hAdapter, in.hMemoryHandle, DXGKMEM_CALL_ALLOCATE_PAGES);
    else
        status = call_status(&call);
    call_end(&call);
    return status;
}
