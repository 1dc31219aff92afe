/* SPDX-License-Identifier: MIT */
/*
 * DxgkCbCreatePhysicalMemoryObject: decodes what is asked for, checks all of it,
 * then makes the object.
 */
#include "callbacks.h"
#include "object.h"

/* MmAllocatePagesForMdlEx flags that are accepted (wdm/nf-wdm-mmallocatepagesformdlex). */
#define MDL_FLAGS 0x17Fu
#define LARGE_PAGE_BYTES ((uint64_t)2 << 20)

typedef DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create_arguments;

static uint64_t address(PHYSICAL_ADDRESS physical)
{
    return (uint64_t)physical.QuadPart;
}

/* Whole pages within [low, high] (bytes, inclusive); an empty window has lowest > highest. */
static void plan_window(struct object_plan *plan, uint64_t low, uint64_t high)
{
    struct dxgkmem_memory_request *request = &plan->request;
    request->lowest_page = pages_of(low);
    request->highest_page = high >> DXGKMEM_PAGE_SHIFT;
    if ((high & DXGKMEM_PAGE_MASK) != DXGKMEM_PAGE_MASK) {
        /* The page of `high` reaches past it. Page 0 has none below: the window is empty. */
        if (request->highest_page == 0)
            request->lowest_page = 1;
        else
            request->highest_page--;
    }
    plan->highest_logical_page = request->highest_page;
}

static NTSTATUS check_size(struct call *call, const create_arguments *in)
{
    uint64_t limit = instance.config.limits.object_bytes;
    if (in->Type == DXGK_PHYSICAL_MEMORY_TYPE_MDL)
        limit = least(limit, MDL_BYTES_MAX);
    if (in->Size == 0 || in->Size > limit)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_SIZE, 0, 0);
    return STATUS_SUCCESS;
}

/* MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS and what depends on it. */
static bool mdl_chunks_fit(const create_arguments *in)
{
    uint64_t skip = address(in->Mdl.SkipBytes);
    uint64_t rounded = pages_of(in->Size) * DXGKMEM_PAGE_BYTES;
    bool chunks = (in->Mdl.Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) != 0;

    if (chunks && skip != 0 && (!is_power_of_two(skip) || rounded % skip != 0))
        return false;
    if ((in->Mdl.Flags & MM_ALLOCATE_FAST_LARGE_PAGES) != 0 &&
        (!chunks || skip == 0 || skip % LARGE_PAGE_BYTES != 0))
        return false;
    return true;
}

static NTSTATUS plan_mdl(struct call *call, const create_arguments *in, struct object_plan *plan)
{
    struct dxgkmem_memory_request *request = &plan->request;
    uint64_t skip = address(in->Mdl.SkipBytes);

    if ((in->Mdl.Flags & ~MDL_FLAGS) != 0)
        return refuse(call, DXGKMEM_VIOLATION_RESERVED_BITS, 0, 0);
    if (address(in->Mdl.LowAddress) > address(in->Mdl.HighAddress) || !is_page_multiple(skip) ||
        (in->Mdl.Flags & MM_ALLOCATE_AND_HOT_REMOVE) != 0 || !mdl_chunks_fit(in))
        return refuse(call, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0, 0);
    plan_window(plan, address(in->Mdl.LowAddress), address(in->Mdl.HighAddress));
    request->prefer_contiguous = (in->Mdl.Flags & MM_ALLOCATE_PREFER_CONTIGUOUS) != 0;
    if ((in->Mdl.Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) != 0)
        request->chunk_pages = skip == 0 ? DXGKMEM_CHUNK_WHOLE : skip >> DXGKMEM_PAGE_SHIFT;
    else
        request->skip_pages = skip >> DXGKMEM_PAGE_SHIFT;
    /* A window that moves up has no upper bound of its own. */
    if (skip != 0)
        plan->highest_logical_page = UINT64_MAX;
    return STATUS_SUCCESS;
}

static NTSTATUS plan_contiguous(struct call *call, const create_arguments *in, struct object_plan *plan)
{
    uint64_t low = address(in->ContiguousMemory.LowestAcceptableAddress);
    uint64_t high = address(in->ContiguousMemory.HighestAcceptableAddress);
    uint64_t boundary = address(in->ContiguousMemory.BoundaryAddressMultiple);

    if (low > high || (boundary != 0 && (!is_power_of_two(boundary) || boundary < DXGKMEM_PAGE_BYTES)))
        return refuse(call, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0, 0);
    plan_window(plan, low, high);
    plan->request.boundary_pages = boundary >> DXGKMEM_PAGE_SHIFT;
    return STATUS_SUCCESS;
}

static NTSTATUS plan_section(struct call *call, const create_arguments *in, struct object_plan *plan)
{
    struct dxgkmem_memory_request *request = &plan->request;
    uint32_t protection = in->Section.PageProtection;

    if (protection != DXGKMEM_PAGE_READONLY && protection != DXGKMEM_PAGE_READWRITE &&
        protection != DXGKMEM_PAGE_EXECUTE && protection != DXGKMEM_PAGE_WRITECOPY)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_PROTECTION, 0, 0);
    if (in->Section.AllocationAttributes != 0 && in->Section.AllocationAttributes != SEC_COMMIT)
        return refuse(call, DXGKMEM_VIOLATION_RESERVED_BITS, 0, 0);
    request->highest_page = instance.highest_ram_page;
    request->page_protection = protection;
    request->desired_access = in->Section.DesiredAccess;
    request->object_attributes = in->Section.ObjectAttributes;
    plan->highest_logical_page = UINT64_MAX;
    return STATUS_SUCCESS;
}

static NTSTATUS plan_io(struct call *call, const create_arguments *in, struct object_plan *plan)
{
    struct dxgkmem_machine *machine = instance.machine;
    uint64_t base = address(in->IOSpace.BaseAddress), page = base >> DXGKMEM_PAGE_SHIFT;
    struct dxgkmem_run run = {page, in->Size >> DXGKMEM_PAGE_SHIFT};

    if (!is_page_multiple(base) || !is_page_multiple(in->Size))
        return refuse(call, DXGKMEM_VIOLATION_UNALIGNED_RANGE, 0, 0);
    if (page > instance.highest_page || instance.highest_page - page < run.pages - 1)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0, 0);
    if (machine->ops->touches_ram(machine, run))
        return refuse(call, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0, 0);
    plan->request.lowest_page = page;
    plan->request.highest_page = page + run.pages - 1;
    plan->highest_logical_page = UINT64_MAX;
    return STATUS_SUCCESS;
}

static NTSTATUS check_kind(struct call *call, const create_arguments *in)
{
    if ((unsigned)in->Type > DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        return refuse(call, DXGKMEM_VIOLATION_INVALID_TYPE, 0, 0);
    if ((unsigned)in->CacheType > DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED ||
        (in->Type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION &&
         in->CacheType == DXGK_MEMORY_CACHING_TYPE_NON_CACHED))
        return refuse(call, DXGKMEM_VIOLATION_INVALID_CACHE_TYPE, 0, 0);
    return check_size(call, in);
}

NTSTATUS object_plan_make(struct call *call, const create_arguments *in, struct object_plan *plan)
{
    NTSTATUS status = check_kind(call, in);

    memset(plan, 0, sizeof(*plan));
    if (!NT_SUCCESS(status))
        return status;
    plan->size = in->Size;
    plan->context = in->Context;
    plan->request.type = in->Type;
    plan->request.cache = in->CacheType;
    plan->request.pages = pages_of(in->Size);
    switch (in->Type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_MDL:
        return plan_mdl(call, in, plan);
    case DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY:
        return plan_contiguous(call, in, plan);
    case DXGK_PHYSICAL_MEMORY_TYPE_SECTION:
        return plan_section(call, in, plan);
    default:
        return plan_io(call, in, plan);
    }
}

/* -- the making -------------------------------------------------------------------------- */

bool object_plan_cut(struct object_plan *plan, const struct adapter_reference *adapter)
{
    struct dxgkmem_memory_request *request = &plan->request;
    bool window = request->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL ||
                  request->type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY;

    if (window)
        request->highest_page = least(request->highest_page, instance.highest_page);
    if (window && adapter->logical != NULL)
        request->highest_page = least(request->highest_page, logical_highest_physical(adapter->logical));
    return request->lowest_page <= request->highest_page &&
           (request->boundary_pages == 0 || request->pages <= request->boundary_pages);
}

/* An I/O range lies where it lies: the adapter must see it. */
static NTSTATUS check_visible(struct call *call, const struct object_plan *plan,
                              const struct adapter_reference *adapter)
{
    if (plan->request.type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE && adapter->logical != NULL &&
        plan->request.highest_page > logical_highest_physical(adapter->logical))
        return refuse(call, DXGKMEM_VIOLATION_NOT_VISIBLE, 0, 0);
    return STATUS_SUCCESS;
}

/* From the first step that may run out of something; what fails leaves everything to object_free. */
static NTSTATUS build(struct object *object, struct object_plan *plan,
                      const struct adapter_reference *adapter)
{
    NTSTATUS status = object_charge(object);
    if (NT_SUCCESS(status) && adapter->logical != NULL)
        status = object_prepare(object, adapter);
    if (!NT_SUCCESS(status))
        return status;
    object->slot = handle_reserve();
    if (object->slot == TABLE_NONE)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!object_plan_cut(plan, adapter))
        return STATUS_NO_MEMORY;
    return object_populate(object, &plan->request);
}

struct create_outputs {
    uint64_t object, adapter_object;
};

/*
 * Opens the object when it has an adapter, and makes it known: all under its lock, so that nobody meets it between.
 * The claim comes last: one that is given up again would have refused others for nothing.
 */
static NTSTATUS publish(struct call *call, struct object *object,
                        const struct dxgkmem_memory_request *request, const struct adapter_reference *adapter,
                        struct create_outputs *out)
{
    NTSTATUS status;

    handle_lock(object->slot);
    status = object->logical != NULL ? object_attach(call, object, adapter, request)
                                     : object_claim(call, object, request);
    if (NT_SUCCESS(status)) {
        out->adapter_object = object_adapter_handle(object);
        out->object = handle_publish(object->slot, HANDLE_OBJECT, call->now, object, object->slot);
        count_up(COUNT_OBJECTS, 1);
    }
    handle_unlock(object->slot);
    return status;
}

static NTSTATUS create_on(struct call *call, const create_arguments *in,
                          const struct adapter_reference *adapter, struct create_outputs *out)
{
    struct object_plan plan;
    struct object *object;
    NTSTATUS status = object_plan_make(call, in, &plan);

    if (NT_SUCCESS(status))
        status = object_check_claim(call, &plan.request);
    if (NT_SUCCESS(status))
        status = check_visible(call, &plan, adapter);
    if (!NT_SUCCESS(status))
        return status;
    object = object_new(&plan);
    if (object == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = build(object, &plan, adapter);
    if (NT_SUCCESS(status))
        status = publish(call, object, &plan.request, adapter, out);
    if (!NT_SUCCESS(status))
        object_free(object);
    return status;
}

static NTSTATUS create(struct call *call, const create_arguments *in, struct create_outputs *out)
{
    struct adapter_reference adapter = {.logical = NULL};
    NTSTATUS status;

    if (in->hAdapter != NULL &&
        !adapter_acquire(call, in->hAdapter, DXGKDDI_INTERFACE_VERSION_WDDM2_9, &adapter))
        return call_status(call);
    status = create_on(call, in, &adapter, out);
    if (in->hAdapter != NULL)
        adapter_release(&adapter);
    return status;
}

NTSTATUS APIENTRY CALLBACK
dxgkmem_create_physical_memory_object(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *pArgs)
{
    create_arguments in;
    struct call call;
    bool writable;
    struct create_outputs out = {0, 0};
    NTSTATUS status;

    if (CALL_BEGIN(&call, CREATE, pArgs, in, &writable))
        status = create(&call, &in, &out);
    else
        status = call_status(&call);
    if (writable) {
        pArgs->hPhysicalMemoryObject = handle_pointer(out.object);
        pArgs->hAdapterMemoryObject = handle_pointer(out.adapter_object);
    }
    call_end(&call);
    return status;
}
