/* SPDX-License-Identifier: MIT */
/*
 * PinFrameBufferForSave2, its forerunner PinFrameBufferForSave, and UnpinFrameBufferForSave; MapFrameBufferPointer and
 * UnmapFrameBufferPointer, for the CPU.
 */
#include "frame_buffer.h"

#include "callbacks.h"
#include "mapping.h"

void frame_buffer_free(struct adapter *adapter, stamp when)
{
    struct frame_buffer *frame_buffer = adapter->pinned;
    struct logical_adapter *logical = adapter->logical;

    if (frame_buffer == NULL)
        return;
    adapter->pinned = NULL;
    if (frame_buffer->pinned != 0)
        count_down(COUNT_FRAME_BUFFERS, 1);
    if (frame_buffer->object != NULL && frame_buffer->object->mappings != NULL)
        mapping_end(mapping_oldest(frame_buffer->object), when);
    if (frame_buffer->adl != NULL)
        adl_end(frame_buffer->adl, when);
    if (frame_buffer->memory != NULL) {
        memory_free(frame_buffer->memory, when);
    } else if (frame_buffer->object != NULL) {
        lock_acquire(&logical->lock, RANK_LOGICAL);
        logical->opened--;
        lock_release(&logical->lock);
        quota_give(&logical->quota, frame_buffer->object->pages, 0, 1);
        object_free(frame_buffer->object);
    }
    pool_free(frame_buffer, sizeof(*frame_buffer));
}

/* What the driver was given. */
static void *frame_buffer_handed_out(const struct frame_buffer *frame_buffer)
{
    return frame_buffer->memory != NULL ? (void *)frame_buffer->memory->mdl
                                        : (void *)adl_handed_out(frame_buffer->adl);
}

struct frame_buffer_left frame_buffer_abandon(struct adapter *adapter, stamp when)
{
    const struct frame_buffer *frame_buffer = adapter->pinned;
    struct frame_buffer_left left = {0, 0, 0, 0};

    if (frame_buffer == NULL)
        return left;
    left.address = (uintptr_t)frame_buffer_handed_out(frame_buffer);
    left.pinned = frame_buffer->pinned;
    if (frame_buffer->object->mappings != NULL) {
        left.base = mapping_oldest(frame_buffer->object)->node.start;
        left.mapped = mapping_made(mapping_oldest(frame_buffer->object));
    }
    frame_buffer_free(adapter, when);
    return left;
}

/* -- pinning ------------------------------------------------------------------------ */

static void plan_pin(struct object_plan *plan, uint64_t bytes, bool prefer_contiguous)
{
    memset(plan, 0, sizeof(*plan));
    plan->size = bytes;
    plan->highest_logical_page = UINT64_MAX;
    plan->request.type = DXGK_PHYSICAL_MEMORY_TYPE_MDL;
    plan->request.cache = DXGK_MEMORY_CACHING_TYPE_CACHED;
    plan->request.pages = bytes >> DXGKMEM_PAGE_SHIFT;
    plan->request.highest_page = instance.highest_ram_page;
    plan->request.prefer_contiguous = prefer_contiguous;
}

/* Fills adapter->pinned step by step; what fails leaves the rest to frame_buffer_free. */
static NTSTATUS pin_build(struct call *call, struct adapter *adapter, const struct object_plan *plan)
{
    struct logical_adapter *logical = adapter->logical;
    struct frame_buffer *frame_buffer;
    struct object *object;
    NTSTATUS status;

    if (!quota_take(&logical->quota, plan->request.pages, 0, 1))
        return STATUS_QUOTA_EXCEEDED;
    adapter->pinned = frame_buffer = pool_alloc(sizeof(*frame_buffer));
    object = frame_buffer == NULL ? NULL : object_new(plan);
    if (object == NULL) {
        quota_give(&logical->quota, plan->request.pages, 0, 1);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    frame_buffer->object = object;
    /* From here on the chain keeps its promise of what it sees. */
    lock_acquire(&logical->lock, RANK_LOGICAL);
    logical->opened++;
    lock_release(&logical->lock);
    logical_refer(logical);
    object->logical = logical;
    status = object_populate(object, &plan->request);
    if (!NT_SUCCESS(status))
        return status;
    status = adl_make(call, object, 0, object->pages, plan->request.prefer_contiguous, ADL_FRAME_BUFFER,
                      &frame_buffer->adl);
    return status;
}

/* The same for an MDL. */
static NTSTATUS pin_memory(struct call *call, struct adapter *adapter, const struct object_plan *plan)
{
    struct frame_buffer *frame_buffer = adapter->pinned = pool_alloc(sizeof(*frame_buffer));
    struct memory *memory;
    NTSTATUS status;

    if (frame_buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memory = frame_buffer->memory = memory_new(call);
    if (memory == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = memory_begin(memory, plan, adapter->logical);
    frame_buffer->object = memory->object;
    if (NT_SUCCESS(status))
        status = object_populate(memory->object, &plan->request);
    if (NT_SUCCESS(status))
        status = memory_connect(memory);
    if (NT_SUCCESS(status))
        status = memory_describe(memory);
    if (NT_SUCCESS(status))
        memory_pin(memory);
    return status;
}

/*
 * Whether the adapter that a call names is still there, now that the pin lock is held: a removal takes it to end
 * the handle, so what is said of the chain from here on is said of one that the adapter is in. False: it is noted.
 */
static bool still_there(struct call *call, HANDLE handle)
{
    stamp made;
    return handle_check(call, (uintptr_t)handle, HANDLE_ADAPTER, &made);
}

/* What both ask for; the forerunner has no flags. */
struct pin_request {
    uint32_t index, flags;
    uint64_t bytes;
    bool mdl;
};

/* The pin lock is held. *out: the ADL or the MDL. */
static NTSTATUS pin_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                       const struct pin_request *in, void **out)
{
    struct adapter *adapter = logical_adapter_at(lead->logical, in->index);
    uint64_t subject = (uintptr_t)handle;
    struct object_plan plan;
    NTSTATUS status;

    if (!still_there(call, handle))
        return call_status(call);
    if (!logical_is_lead(lead->logical, lead->physical_index))
        return refuse(call, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, subject, 0);
    if ((in->flags & ~1u) != 0)
        return refuse(call, DXGKMEM_VIOLATION_RESERVED_BITS, subject, 0);
    if (adapter == NULL)
        return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX, subject, 0);
    if (!is_page_multiple(in->bytes))
        return refuse(call, DXGKMEM_VIOLATION_UNALIGNED_RANGE, subject, 0);
    if (in->bytes == 0 || in->bytes > adapter->frame_buffer_bytes)
        return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE, subject, 0);
    if (adapter->pinned != NULL)
        return refuse(call, DXGKMEM_VIOLATION_PINNED_TWICE, subject, adapter->pinned->pinned);
    plan_pin(&plan, in->bytes, (in->flags & 1) != 0);
    status = in->mdl ? pin_memory(call, adapter, &plan) : pin_build(call, adapter, &plan);
    if (!NT_SUCCESS(status)) {
        frame_buffer_free(adapter, call->now);
        return status;
    }
    adapter->pinned->pinned = call->now;
    count_up(COUNT_FRAME_BUFFERS, 1);
    *out = frame_buffer_handed_out(adapter->pinned);
    return STATUS_SUCCESS;
}

static NTSTATUS pin(struct call *call, HANDLE handle, struct adapter_reference *lead,
                    const struct pin_request *in, void **out)
{
    NTSTATUS status;

    lock_acquire(&lead->logical->pin_lock, RANK_PIN);
    status = pin_on(call, handle, lead, in, out);
    lock_release(&lead->logical->pin_lock);
    adapter_release(lead);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_pin_frame_buffer_for_save2(const HANDLE hAdapter,
                                                              DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *pArgs)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 in;
    struct adapter_reference lead;
    struct call call;
    bool writable;
    void *out = NULL;
    NTSTATUS status;

    if (CALL_BEGIN(&call, PIN, pArgs, in, &writable) &&
        adapter_acquire(&call, hAdapter, DXGKDDI_INTERFACE_VERSION_WDDM2_9, &lead))
        status =
            pin(&call, hAdapter, &lead,
                &(struct pin_request){in.PhysicalAdapterIndex, in.Flags.Value, in.CommitSize, false}, &out);
    else
        status = call_status(&call);
    if (writable)
        pArgs->pAdl = out;
    call_end(&call);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_pin_frame_buffer_for_save(const HANDLE hAdapter,
                                                             DXGKARGCB_PINFRAMEBUFFERFORSAVE *pArgs)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE in;
    struct adapter_reference lead;
    struct call call;
    bool writable;
    void *out = NULL;
    NTSTATUS status;

    if (CALL_BEGIN(&call, PIN_MDL, pArgs, in, &writable) && memory_adapter(&call, hAdapter, &lead))
        status = pin(&call, hAdapter, &lead,
                     &(struct pin_request){in.PhysicalAdapterIndex, 0, in.CommitSize, true}, &out);
    else
        status = call_status(&call);
    if (writable)
        pArgs->pMdl = (PMDL)out;
    call_end(&call);
    return status;
}

/* -- unpinning ------------------------------------------------------------------------- */

/* The adapter of an index that has a frame buffer pinned; NULL: the mistake is noted. The pin lock is held. */
static struct adapter *pinned_at(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                                 uint32_t index)
{
    struct adapter *adapter = logical_adapter_at(lead->logical, index);
    uint64_t subject = (uintptr_t)handle;

    if (!still_there(call, handle))
        return NULL;
    if (!logical_is_lead(lead->logical, lead->physical_index))
        refuse(call, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, subject, 0);
    else if (adapter == NULL)
        refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX, subject, 0);
    else if (adapter->pinned == NULL)
        refuse(call, DXGKMEM_VIOLATION_NOT_PINNED, subject, 0);
    else
        return adapter;
    return NULL;
}

/* What is mapped stays as it is; STATUS_SUCCESS: nothing is. */
static NTSTATUS check_unmapped(struct call *call, HANDLE handle, const struct adapter *adapter)
{
    const struct object *object = adapter->pinned->object;

    if (object->mappings == NULL)
        return STATUS_SUCCESS;
    return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_MAPPED, (uintptr_t)handle,
                  mapping_made(mapping_oldest(object)));
}

static NTSTATUS unpin_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                         uint32_t index)
{
    struct adapter *adapter = pinned_at(call, handle, lead, index);
    NTSTATUS status = adapter == NULL ? call_status(call) : check_unmapped(call, handle, adapter);

    if (NT_SUCCESS(status))
        frame_buffer_free(adapter, call->now);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_unpin_frame_buffer_for_save(const HANDLE hAdapter,
                                                               const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *pArgs)
{
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE in;
    struct adapter_reference lead;
    struct call call;
    bool writable;
    NTSTATUS status;

    if (CALL_BEGIN(&call, UNPIN, pArgs, in, &writable) &&
        adapter_acquire(&call, hAdapter, DXGKDDI_INTERFACE_VERSION_WDDM2_4, &lead)) {
        lock_acquire(&lead.logical->pin_lock, RANK_PIN);
        status = unpin_on(&call, hAdapter, &lead, in.PhysicalAdapterIndex);
        lock_release(&lead.logical->pin_lock);
        adapter_release(&lead);
    } else {
        status = call_status(&call);
    }
    call_end(&call);
    return status;
}

/* -- for the CPU ------------------------------------------------------------------------- */

/* The pin lock is held. The offset that goes out is that of the first byte in its page: 0. */
static NTSTATUS map_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                       const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in, uint64_t *base)
{
    struct adapter *adapter = pinned_at(call, handle, lead, in->PhysicalAdapterIndex);
    struct mapping *mapping;
    struct object *object;
    NTSTATUS status;

    if (adapter == NULL)
        return call_status(call);
    object = adapter->pinned->object;
    if (!is_page_multiple(in->Size) || !is_page_multiple(in->Offset))
        return refuse(call, DXGKMEM_VIOLATION_UNALIGNED_RANGE, (uintptr_t)handle, 0);
    if (in->Size == 0 || in->Offset > object->size || in->Size > object->size - in->Offset)
        return refuse(call, DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE, (uintptr_t)handle, 0);
    status = check_unmapped(call, handle, adapter);
    if (NT_SUCCESS(status))
        status =
            mapping_make(call, object, (uint64_t)in->Offset >> DXGKMEM_PAGE_SHIFT,
                         (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT, DXGK_ACCESS_MODE_KERNEL_MODE, &mapping);
    if (NT_SUCCESS(status))
        *base = mapping->node.start;
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_map_frame_buffer_pointer(const HANDLE hAdapter,
                                                            DXGKARGCB_MAPFRAMEBUFFERPOINTER *pArgs)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER in;
    struct adapter_reference lead;
    struct call call;
    bool writable;
    uint64_t base = 0;
    NTSTATUS status;

    if (CALL_BEGIN(&call, MAP_FRAME_BUFFER, pArgs, in, &writable) && memory_adapter(&call, hAdapter, &lead)) {
        lock_acquire(&lead.logical->pin_lock, RANK_PIN);
        status = map_on(&call, hAdapter, &lead, &in, &base);
        lock_release(&lead.logical->pin_lock);
        adapter_release(&lead);
    } else {
        status = call_status(&call);
    }
    if (writable)
        pArgs->pBaseAddress = (void *)(uintptr_t)base;
    if (NT_SUCCESS(status))
        pArgs->Offset = 0;
    call_end(&call);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_unmap_frame_buffer_pointer(const HANDLE hAdapter,
                                                              const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *pArgs)
{
    DXGKARGCB_UNMAPFRAMEBUFFERPOINTER in;
    struct adapter_reference lead;
    struct mapping *mapping = NULL;
    struct adapter *adapter;
    struct call call;
    bool writable;
    NTSTATUS status;

    if (CALL_BEGIN(&call, UNMAP_FRAME_BUFFER, pArgs, in, &writable) &&
        memory_adapter(&call, hAdapter, &lead)) {
        lock_acquire(&lead.logical->pin_lock, RANK_PIN);
        adapter = pinned_at(&call, hAdapter, &lead, in.PhysicalAdapterIndex);
        if (adapter != NULL)
            mapping = mapping_named(&call, adapter->pinned->object, (uintptr_t)in.pBaseAddress);
        if (mapping != NULL)
            mapping_end(mapping, call.now);
        lock_release(&lead.logical->pin_lock);
        adapter_release(&lead);
    }
    status = mapping != NULL ? STATUS_SUCCESS : call_status(&call);
    call_end(&call);
    return status;
}
