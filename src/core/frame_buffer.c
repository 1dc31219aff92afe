/* SPDX-License-Identifier: MIT */
/* PinFrameBufferForSave2 and UnpinFrameBufferForSave. */
#include "frame_buffer.h"

#include "callbacks.h"

void frame_buffer_free(struct adapter *adapter, stamp when)
{
    struct frame_buffer *frame_buffer = adapter->pinned;
    struct logical_adapter *logical = adapter->logical;

    if (frame_buffer == NULL)
        return;
    adapter->pinned = NULL;
    if (frame_buffer->adl != NULL) {
        adl_end(frame_buffer->adl, when);
        count_down(COUNT_FRAME_BUFFERS, 1);
    }
    if (frame_buffer->object != NULL) {
        lock_acquire(&logical->lock, RANK_LOGICAL);
        logical->opened--;
        lock_release(&logical->lock);
        quota_give(&logical->quota, frame_buffer->object->pages, 0, 1);
        object_free(frame_buffer->object);
    }
    pool_free(frame_buffer, sizeof(*frame_buffer));
}

uint64_t frame_buffer_abandon(struct adapter *adapter, stamp when, stamp *made)
{
    uint64_t address;

    if (adapter->pinned == NULL)
        return 0;
    address = (uintptr_t)adl_handed_out(adapter->pinned->adl);
    *made = adl_when(adapter->pinned->adl);
    frame_buffer_free(adapter, when);
    return address;
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
    if (!NT_SUCCESS(status))
        return status;
    count_up(COUNT_FRAME_BUFFERS, 1);
    return STATUS_SUCCESS;
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

/* The pin lock is held. */
static NTSTATUS pin_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                       const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *in, DXGK_ADL **out)
{
    struct adapter *adapter = logical_adapter_at(lead->logical, in->PhysicalAdapterIndex);
    uint64_t subject = (uintptr_t)handle;
    struct object_plan plan;
    NTSTATUS status;

    if (!still_there(call, handle))
        return call_status(call);
    if (!logical_is_lead(lead->logical, lead->physical_index))
        return refuse(call, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, subject, 0);
    if ((in->Flags.Value & ~1u) != 0)
        return refuse(call, DXGKMEM_VIOLATION_RESERVED_BITS, subject, 0);
    if (adapter == NULL)
        return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX, subject, 0);
    if (!is_page_multiple(in->CommitSize))
        return refuse(call, DXGKMEM_VIOLATION_UNALIGNED_RANGE, subject, 0);
    if (in->CommitSize == 0 || in->CommitSize > adapter->frame_buffer_bytes)
        return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE, subject, 0);
    if (adapter->pinned != NULL)
        return refuse(call, DXGKMEM_VIOLATION_PINNED_TWICE, subject, adl_when(adapter->pinned->adl));
    plan_pin(&plan, in->CommitSize, in->Flags.PreferContiguous);
    status = pin_build(call, adapter, &plan);
    if (NT_SUCCESS(status))
        *out = adl_handed_out(adapter->pinned->adl);
    else
        frame_buffer_free(adapter, call->now);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_pin_frame_buffer_for_save2(const HANDLE hAdapter,
                                                              DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *pArgs)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 in;
    struct adapter_reference lead;
    struct call call;
    bool writable;
    DXGK_ADL *out = NULL;
    NTSTATUS status;

    if (CALL_BEGIN(&call, PIN, pArgs, in, &writable) &&
        adapter_acquire(&call, hAdapter, DXGKDDI_INTERFACE_VERSION_WDDM2_9, &lead)) {
        lock_acquire(&lead.logical->pin_lock, RANK_PIN);
        status = pin_on(&call, hAdapter, &lead, &in, &out);
        lock_release(&lead.logical->pin_lock);
        adapter_release(&lead);
    } else {
        status = call_status(&call);
    }
    if (writable)
        pArgs->pAdl = out;
    call_end(&call);
    return status;
}

/* -- unpinning ------------------------------------------------------------------------- */

static NTSTATUS unpin_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                         uint32_t index)
{
    struct adapter *adapter = logical_adapter_at(lead->logical, index);
    uint64_t subject = (uintptr_t)handle;

    if (!still_there(call, handle))
        return call_status(call);
    if (!logical_is_lead(lead->logical, lead->physical_index))
        return refuse(call, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, subject, 0);
    if (adapter == NULL)
        return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX, subject, 0);
    if (adapter->pinned == NULL)
        return refuse(call, DXGKMEM_VIOLATION_NOT_PINNED, subject, 0);
    frame_buffer_free(adapter, call->now);
    return STATUS_SUCCESS;
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
