/* SPDX-License-Identifier: MIT */
/*
 * The save areas: PinFrameBufferForSave2, its forerunner PinFrameBufferForSave, and UnpinFrameBufferForSave, for the
 * device; MapFrameBufferPointer and UnmapFrameBufferPointer, for the CPU.
 */
#include "frame_buffer.h"

#include "callbacks.h"
#include "mapping.h"

/* -- the area ------------------------------------------------------------------------ */

/* Like an MDL object of scattered cached pages; contiguous ones when whoever needs it first wishes for them. */
static void plan_area(struct object_plan *plan, uint64_t bytes, bool prefer_contiguous)
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

/* Of an adapter that has none. */
static NTSTATUS area_make(struct adapter *adapter, bool prefer_contiguous)
{
    struct logical_adapter *logical = adapter->logical;
    struct object_plan plan;
    struct object *area;
    NTSTATUS status;

    plan_area(&plan, adapter->frame_buffer_bytes, prefer_contiguous);
    area = object_new(&plan);
    if (area == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    logical_refer(logical);
    area->logical = logical;
    area->charged_adapter = quota_take(&logical->quota, area->pages, 1, 0);
    status = area->charged_adapter ? object_populate(area, &plan.request) : STATUS_QUOTA_EXCEEDED;
    if (NT_SUCCESS(status))
        adapter->frame_buffer.area = area;
    else
        object_free(area);
    return status;
}

void frame_buffer_forget(struct adapter *adapter)
{
    struct object *area = adapter->frame_buffer.area;

    if (area != NULL)
        object_free(area);
    adapter->frame_buffer.area = NULL;
}

/* Nobody needed it yet: nothing is mapped of it, or ever was. */
static const struct object unused_area;

static const struct object *area_of(const struct adapter *adapter)
{
    return adapter->frame_buffer.area != NULL ? adapter->frame_buffer.area : &unused_area;
}

/* -- the device's reach of it --------------------------------------------------------------- */

static void count_opened(struct logical_adapter *logical, bool one_more)
{
    lock_acquire(&logical->lock, RANK_LOGICAL);
    if (one_more)
        logical->opened++;
    else
        logical->opened--;
    lock_release(&logical->lock);
}

static NTSTATUS reach_by_adl(struct call *call, struct adapter *adapter, uint64_t pages,
                             bool prefer_contiguous)
{
    struct frame_buffer *frame_buffer = &adapter->frame_buffer;
    NTSTATUS status;

    /* From here on the chain keeps its promise of what it sees. */
    count_opened(adapter->logical, true);
    status =
        adl_make(call, frame_buffer->area, 0, pages, prefer_contiguous, ADL_FRAME_BUFFER, &frame_buffer->adl);
    if (!NT_SUCCESS(status))
        count_opened(adapter->logical, false);
    return status;
}

/* The same for an MDL. */
static NTSTATUS reach_by_mdl(struct call *call, struct adapter *adapter, uint64_t pages)
{
    struct memory *memory = memory_new(call);
    NTSTATUS status;

    if (memory == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = memory_borrow(memory, adapter->frame_buffer.area, pages);
    if (NT_SUCCESS(status))
        status = memory_connect(memory);
    if (NT_SUCCESS(status))
        status = memory_describe(memory);
    if (NT_SUCCESS(status)) {
        memory_pin(memory);
        adapter->frame_buffer.memory = memory;
    } else {
        memory_free(memory, call->now);
    }
    return status;
}

/* What is in the area stays. */
static void reach_end(struct adapter *adapter, stamp when)
{
    struct frame_buffer *frame_buffer = &adapter->frame_buffer;

    if (frame_buffer->memory != NULL) {
        memory_free(frame_buffer->memory, when);
    } else {
        adl_end(frame_buffer->adl, when);
        count_opened(adapter->logical, false);
    }
    frame_buffer->adl = NULL;
    frame_buffer->memory = NULL;
    frame_buffer->pinned = 0;
    count_down(COUNT_FRAME_BUFFERS, 1);
}

/* What the driver was given. */
static void *handed_out(const struct frame_buffer *frame_buffer)
{
    return frame_buffer->memory != NULL ? (void *)frame_buffer->memory->mdl
                                        : (void *)adl_handed_out(frame_buffer->adl);
}

struct frame_buffer_left frame_buffer_abandon(struct adapter *adapter, stamp when)
{
    struct frame_buffer *frame_buffer = &adapter->frame_buffer;
    struct frame_buffer_left left = {0, 0, false};

    if (area_of(adapter)->mappings != NULL) {
        struct mapping *mapping = mapping_oldest(frame_buffer->area);
        left.subject = mapping->node.start;
        left.made = mapping_made(mapping);
        left.mapping = true;
        mapping_end(mapping, when);
    } else if (frame_buffer->pinned != 0) {
        left.subject = (uintptr_t)handed_out(frame_buffer);
        left.made = frame_buffer->pinned;
        reach_end(adapter, when);
    }
    return left;
}

/* -- pinning ------------------------------------------------------------------------ */

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

static NTSTATUS pin_admitted(struct call *call, struct adapter *adapter, const struct pin_request *in,
                             void **out)
{
    struct frame_buffer *frame_buffer = &adapter->frame_buffer;
    bool first = frame_buffer->area == NULL, prefer_contiguous = (in->flags & 1) != 0;
    uint64_t pages = in->bytes >> DXGKMEM_PAGE_SHIFT;
    NTSTATUS status = first ? area_make(adapter, prefer_contiguous) : STATUS_SUCCESS;

    if (!NT_SUCCESS(status))
        return status;
    status =
        in->mdl ? reach_by_mdl(call, adapter, pages) : reach_by_adl(call, adapter, pages, prefer_contiguous);
    if (!NT_SUCCESS(status)) {
        if (first)
            frame_buffer_forget(adapter);
        return status;
    }
    frame_buffer->pinned = call->now;
    count_up(COUNT_FRAME_BUFFERS, 1);
    *out = handed_out(frame_buffer);
    return STATUS_SUCCESS;
}

/* What can be pinned of a frame buffer: what was reported for it, and what the count of an MDL can say. */
static uint64_t pin_limit(const struct adapter *adapter, bool mdl)
{
    return mdl ? least(adapter->frame_buffer_bytes, MDL_BYTES_MAX) : adapter->frame_buffer_bytes;
}

/* The pin lock is held. *out: the ADL or the MDL. */
static NTSTATUS pin_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                       const struct pin_request *in, void **out)
{
    struct adapter *adapter = logical_adapter_at(lead->logical, in->index);
    uint64_t subject = (uintptr_t)handle;

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
    if (in->bytes == 0 || in->bytes > pin_limit(adapter, in->mdl))
        return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE, subject, 0);
    if (adapter->frame_buffer.pinned != 0)
        return refuse(call, DXGKMEM_VIOLATION_PINNED_TWICE, subject, adapter->frame_buffer.pinned);
    return pin_admitted(call, adapter, in, out);
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

/* The adapter of an index; NULL: the mistake is noted. The pin lock is held. */
static struct adapter *adapter_named(struct call *call, HANDLE handle, const struct adapter_reference *lead,
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
    else
        return adapter;
    return NULL;
}

static NTSTATUS unpin_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                         uint32_t index)
{
    struct adapter *adapter = adapter_named(call, handle, lead, index);

    if (adapter == NULL)
        return call_status(call);
    if (adapter->frame_buffer.pinned == 0)
        return refuse(call, DXGKMEM_VIOLATION_NOT_PINNED, (uintptr_t)handle, 0);
    reach_end(adapter, call->now);
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

/* -- for the CPU ------------------------------------------------------------------------- */

/* Whether a piece of the area may be mapped. */
static NTSTATUS map_check(struct call *call, HANDLE handle, const struct adapter *adapter,
                          const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in)
{
    const struct object *area = area_of(adapter);
    uint64_t subject = (uintptr_t)handle, bytes = adapter->frame_buffer_bytes;

    if (!is_page_multiple(in->Size) || !is_page_multiple(in->Offset))
        return refuse(call, DXGKMEM_VIOLATION_UNALIGNED_RANGE, subject, 0);
    if (in->Size == 0 || in->Offset > bytes || in->Size > bytes - in->Offset)
        return refuse(call, DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE, subject, 0);
    if (area->mappings != NULL)
        return refuse(call, DXGKMEM_VIOLATION_FRAME_BUFFER_MAPPED, subject,
                      mapping_made(mapping_oldest(area)));
    return STATUS_SUCCESS;
}

/* The pin lock is held. The offset that goes out is that of the first byte in its page: 0. */
static NTSTATUS map_on(struct call *call, HANDLE handle, const struct adapter_reference *lead,
                       const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in, uint64_t *base)
{
    struct adapter *adapter = adapter_named(call, handle, lead, in->PhysicalAdapterIndex);
    NTSTATUS status = adapter == NULL ? call_status(call) : map_check(call, handle, adapter, in);
    struct mapping *mapping;
    bool first;

    if (!NT_SUCCESS(status))
        return status;
    first = adapter->frame_buffer.area == NULL;
    if (first)
        status = area_make(adapter, false);
    if (!NT_SUCCESS(status))
        return status;
    status = mapping_make(call, adapter->frame_buffer.area, (uint64_t)in->Offset >> DXGKMEM_PAGE_SHIFT,
                          (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT, DXGK_ACCESS_MODE_KERNEL_MODE, &mapping);
    if (NT_SUCCESS(status))
        *base = mapping->node.start;
    else if (first)
        frame_buffer_forget(adapter);
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
        adapter = adapter_named(&call, hAdapter, &lead, in.PhysicalAdapterIndex);
        if (adapter != NULL)
            mapping = mapping_named(&call, area_of(adapter), (uintptr_t)in.pBaseAddress);
        if (mapping != NULL)
            mapping_end(mapping, call.now);
        lock_release(&lead.logical->pin_lock);
        adapter_release(&lead);
    }
    status = mapping != NULL ? STATUS_SUCCESS : call_status(&call);
    call_end(&call);
    return status;
}
