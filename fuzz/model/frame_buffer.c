/* SPDX-License-Identifier: MIT */
/*
 * PinFrameBufferForSave2, PinFrameBufferForSave and UnpinFrameBufferForSave; MapFrameBufferPointer and
 * UnmapFrameBufferPointer.
 *
 * A save area is recorded as an object without a handle, from the first call that needs it until its adapter is gone.
 * A pin is an ADL of its first pages, which belongs to the adapter whose frame buffer it is. Of one that was pinned for
 * an MDL nobody was handed the ADL.
 */
#include "model_internal.h"

#define PREFER_CONTIGUOUS 1u

static struct model_adapter *member_at(struct model *model, const struct model_chain *chain,
                                       uint64_t physical_index)
{
    for (unsigned i = 0; i < model->adapters; i++) {
        struct model_adapter *member = &model->adapter[i];
        if (member->life.live && member->chain == chain && member->physical_index == physical_index)
            return member;
    }
    return NULL;
}

static bool is_lead(const struct model *model, const struct model_adapter *adapter)
{
    for (unsigned i = 0; i < model->adapters; i++) {
        const struct model_adapter *other = &model->adapter[i];
        if (other->life.live && other->chain == adapter->chain &&
            other->physical_index < adapter->physical_index)
            return false;
    }
    return true;
}

/* What both calls check of the adapter; NULL: refused. */
static const struct model_adapter *resolve_lead(struct model *model, HANDLE handle, uint32_t lowest_version,
                                                enum dxgkmem_call call, struct model_expectation *expectation)
{
    const struct model_adapter *adapter = model_resolve(model, MODEL_ADAPTER, handle, call, expectation);

    if (adapter == NULL)
        return NULL;
    if (adapter->chain->version < lowest_version &&
        model_minds(model, call, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL))
        model_refuse(expectation, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, adapter->handle);
    else if (!is_lead(model, adapter))
        model_refuse(expectation, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, adapter->handle);
    else
        return adapter;
    return NULL;
}

/* Anywhere in RAM; an identity chain must see it. */
static struct model_bounds save_bounds(const struct model *model, const struct model_chain *chain)
{
    struct model_bounds bounds = {.highest = model->world.highest_page};

    if (!chain->remapped)
        bounds.highest = model_min(bounds.highest, model_pages_up_to(chain->highest_visible) - 1);
    return bounds;
}

/* -- the area ---------------------------------------------------------------------- */

static uint64_t area_pages(const struct model_adapter *member)
{
    return member->frame_buffer_bytes >> DXGKMEM_PAGE_SHIFT;
}

/* What the first call that needs it takes; false: the call must fail, the expectation is complete. */
static bool area_can(const struct model *model, const struct model_adapter *member, bool prefer_contiguous,
                     struct model_expectation *expectation)
{
    struct model_bounds bounds = save_bounds(model, member->chain);

    return member->area != NULL ||
           (model_chain_quota(member->chain, area_pages(member), 1, 0, expectation) &&
            model_machine_can(model, DXGK_PHYSICAL_MEMORY_TYPE_MDL, DXGK_MEMORY_CACHING_TYPE_CACHED,
                              area_pages(member), &bounds, prefer_contiguous, 0, expectation));
}

/* The area of an adapter, made by this call if it has none; NULL: the model has no room. */
static struct model_object *need_area(struct model *model, struct model_adapter *member, uint64_t operation,
                                      enum dxgkmem_call by)
{
    struct model_object *area = member->area;

    if (area != NULL || model->objects == MODEL_THINGS)
        return area;
    member->area = area = &model->object[model->objects++];
    *area = (struct model_object){
        .type = DXGK_PHYSICAL_MEMORY_TYPE_MDL,
        .cache = DXGK_MEMORY_CACHING_TYPE_CACHED,
        .size = member->frame_buffer_bytes,
        .pages = area_pages(member),
        .memory = MODEL_MEMORY_IO + ++model->memories,
        .bounds = save_bounds(model, member->chain),
        .cpu_access = DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE,
        .device_access = DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE,
    };
    model_life_begin(&area->life, operation, by);
    member->chain->pages += area->pages;
    member->chain->areas++;
    model->live_pages += area->pages;
    return area;
}

void model_end_area(struct model *model, struct model_adapter *adapter)
{
    struct model_object *area = adapter->area;

    if (area == NULL)
        return;
    model_life_end(model, &area->life, adapter->life.ended, adapter->life.ended_by);
    adapter->area = NULL;
    adapter->chain->pages -= area->pages;
    adapter->chain->areas--;
    model->live_pages -= area->pages;
}

/* -- pinning ------------------------------------------------------------------------ */

/* What both ask for. */
struct pin {
    uint64_t index, bytes;
    bool prefer, mdl;
};

static void pin(struct model *model, const struct model_adapter *lead, const struct pin *in,
                struct model_expectation *expectation)
{
    const struct model_chain *chain = lead->chain;
    const struct model_adapter *member = member_at(model, chain, in->index);

    if (member == NULL) {
        model_refuse(expectation, DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX, lead->handle);
    } else if (!model_page_multiple(in->bytes)) {
        model_refuse(expectation, DXGKMEM_VIOLATION_UNALIGNED_RANGE, lead->handle);
    } else if (in->bytes == 0 || in->bytes > member->frame_buffer_bytes ||
               (in->mdl && in->bytes > MODEL_MDL_BYTES)) {
        model_refuse(expectation, DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE, lead->handle);
    } else if (member->frame_buffer != NULL) {
        model_refuse_after(expectation, DXGKMEM_VIOLATION_PINNED_TWICE, lead->handle,
                           member->frame_buffer->life.made, member->frame_buffer->life.made_by);
    } else {
        struct model_bounds bounds = save_bounds(model, chain);
        if (area_can(model, member, in->prefer, expectation) &&
            model_chain_quota(chain, 0, 0, 1, expectation))
            (void)model_logical_room(model, chain, &bounds, in->bytes >> DXGKMEM_PAGE_SHIFT, expectation);
    }
}

void model_pin(struct model *model, const struct model_conditions *conditions, HANDLE handle,
               const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *in, struct model_expectation *expectation)
{
    struct pin asked = {.index = in->PhysicalAdapterIndex,
                        .bytes = in->CommitSize,
                        .prefer = (in->Flags.Value & PREFER_CONTIGUOUS) != 0};
    const struct model_adapter *lead;

    if (!model_begin(model, conditions, expectation))
        return;
    lead = resolve_lead(model, handle, DXGKDDI_INTERFACE_VERSION_WDDM2_9, DXGKMEM_CALL_PIN, expectation);
    if (lead == NULL)
        return;
    if ((in->Flags.Value & ~PREFER_CONTIGUOUS) != 0 &&
        model_minds(model, DXGKMEM_CALL_PIN, DXGKMEM_VIOLATION_RESERVED_BITS))
        model_refuse(expectation, DXGKMEM_VIOLATION_RESERVED_BITS, lead->handle);
    else
        pin(model, lead, &asked, expectation);
}

void model_pin_mdl(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                   const DXGKARGCB_PINFRAMEBUFFERFORSAVE *in, struct model_expectation *expectation)
{
    struct pin asked = {.index = in->PhysicalAdapterIndex, .bytes = in->CommitSize, .mdl = true};
    const struct model_adapter *lead;

    if (!model_begin(model, conditions, expectation))
        return;
    lead = model_resolve_offering(model, handle, DXGKMEM_CALL_PIN_MDL, expectation);
    if (lead == NULL)
        return;
    if (!is_lead(model, lead))
        model_refuse(expectation, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, lead->handle);
    else
        pin(model, lead, &asked, expectation);
}

/* The newest ADL is that of the frame buffer. */
static void pinned(struct model *model, struct model_adapter *member)
{
    member->frame_buffer = model->live_adl[model->live_adls - 1];
    member->chain->frame_buffers++;
    model->live_frame_buffers++;
}

/* The adapter whose frame buffer a call named, or NULL. */
static struct model_adapter *member_of(struct model *model, HANDLE handle, uint64_t index)
{
    const struct model_adapter *lead = model_find_live(model, MODEL_ADAPTER, model_value(handle));

    return lead != NULL ? member_at(model, lead->chain, index) : NULL;
}

/* The adapter whose frame buffer was pinned by this call, with its area; NULL: wrong. */
static struct model_adapter *pinned_on(struct model *model, HANDLE handle, uint64_t index, uint64_t operation,
                                       enum dxgkmem_call by, const char **wrong, unsigned *invariant)
{
    struct model_adapter *member = member_of(model, handle, index);

    *wrong = NULL;
    if (member == NULL || member->frame_buffer != NULL)
        *wrong = model_wrong(invariant, 1, "a pin succeeded that must be refused");
    else if (need_area(model, member, operation, by) == NULL)
        *wrong = model_wrong(invariant, 0, "the model has no room for another frame buffer");
    return *wrong == NULL ? member : NULL;
}

const char *model_pin_done(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                           const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *in,
                           const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *out, unsigned *invariant)
{
    const char *wrong;
    struct model_adapter *member = pinned_on(model, handle, in->PhysicalAdapterIndex, conditions->operation,
                                             DXGKMEM_CALL_PIN, &wrong, invariant);

    if (member == NULL)
        return wrong;
    if (out->PhysicalAdapterIndex != in->PhysicalAdapterIndex || out->CommitSize != in->CommitSize ||
        out->Flags.Value != in->Flags.Value)
        return model_wrong(invariant, 22, "pin wrote to an input field");

    struct model_adl_wish wish = {
        .object = member->area,
        .adapter = member,
        .chain = member->chain,
        .pages = in->CommitSize >> DXGKMEM_PAGE_SHIFT,
        .prefer = (in->Flags.Value & PREFER_CONTIGUOUS) != 0,
    };
    wrong = model_make_adl(model, &wish, out->pAdl, conditions->operation, DXGKMEM_CALL_PIN, invariant);
    if (wrong == NULL)
        pinned(model, member);
    return wrong;
}

const char *model_pin_mdl_done(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                               const DXGKARGCB_PINFRAMEBUFFERFORSAVE *in,
                               const DXGKARGCB_PINFRAMEBUFFERFORSAVE *out, unsigned *invariant)
{
    struct dxgkmem_mdl *mdl = (struct dxgkmem_mdl *)(void *)out->pMdl;
    const char *wrong;
    struct model_adapter *member = pinned_on(model, handle, in->PhysicalAdapterIndex, conditions->operation,
                                             DXGKMEM_CALL_PIN_MDL, &wrong, invariant);

    if (member != NULL)
        wrong = model_check_mdl(mdl, in->CommitSize, false, invariant);
    if (wrong != NULL)
        return wrong;
    struct model_adl_wish wish = {.object = member->area,
                                  .adapter = member,
                                  .chain = member->chain,
                                  .pages = in->CommitSize >> DXGKMEM_PAGE_SHIFT};
    DXGK_ADL pages = {.PageCount = (UINT32)wish.pages};

    pages.Pages = (DXGK_PAGE_NUMBER *)dxgkmem_mdl_pages(mdl);
    wrong = model_make_reach(model, &wish, &pages, conditions->operation, DXGKMEM_CALL_PIN_MDL, invariant);
    if (wrong != NULL)
        return wrong;
    model->live_adl[model->live_adls - 1]->mdl = model_value(mdl);
    pinned(model, member);
    return NULL;
}

void model_end_frame_buffer(struct model *model, struct model_adapter *adapter, uint64_t operation,
                            enum dxgkmem_call by)
{
    model_end_adl(model, adapter->frame_buffer, operation, by);
    adapter->frame_buffer = NULL;
    adapter->chain->frame_buffers--;
    model->live_frame_buffers--;
}

/* -- for the CPU --------------------------------------------------------------------- */

struct model_mapping *model_mapping_of(const struct model *model, const struct model_adapter *adapter)
{
    return adapter->area != NULL ? model_oldest_mapping(model, adapter->area) : NULL;
}

/* The adapter of an index; NULL: refused. */
static const struct model_adapter *resolve_member(struct model *model, const struct model_adapter *lead,
                                                  uint64_t index, struct model_expectation *expectation)
{
    const struct model_adapter *member = member_at(model, lead->chain, index);

    if (member == NULL)
        model_refuse(expectation, DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX, lead->handle);
    return member;
}

/* The same for both calls; NULL: refused. */
static const struct model_adapter *resolve_mapped(struct model *model, HANDLE handle, uint64_t index,
                                                  enum dxgkmem_call call, const struct model_adapter **lead,
                                                  struct model_expectation *expectation)
{
    *lead = model_resolve_offering(model, handle, call, expectation);
    if (*lead == NULL)
        return NULL;
    if (is_lead(model, *lead))
        return resolve_member(model, *lead, index, expectation);
    model_refuse(expectation, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, (*lead)->handle);
    return NULL;
}

void model_map_frame_buffer(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                            const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in, struct model_expectation *expectation)
{
    const struct model_adapter *lead, *member;
    const struct model_mapping *mapping;
    uint64_t bytes;

    if (!model_begin(model, conditions, expectation))
        return;
    member = resolve_mapped(model, handle, in->PhysicalAdapterIndex, DXGKMEM_CALL_MAP_FRAME_BUFFER, &lead,
                            expectation);
    if (member == NULL)
        return;
    bytes = member->frame_buffer_bytes;
    mapping = model_mapping_of(model, member);
    if (!model_page_multiple(in->Size) || !model_page_multiple(in->Offset))
        model_refuse(expectation, DXGKMEM_VIOLATION_UNALIGNED_RANGE, lead->handle);
    else if (in->Size == 0 || in->Size > bytes || in->Offset > bytes - in->Size)
        model_refuse(expectation, DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE, lead->handle);
    else if (mapping != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_FRAME_BUFFER_MAPPED, lead->handle,
                           mapping->life.made, mapping->life.made_by);
    else if (area_can(model, member, false, expectation))
        model_mapping_may_fail(model, (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT, expectation);
}

/* Nobody needed it yet: nothing is mapped of it, or ever was. */
static const struct model_object unused_area;

void model_unmap_frame_buffer(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                              const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *in,
                              struct model_expectation *expectation)
{
    const struct model_adapter *lead, *member;

    if (!model_begin(model, conditions, expectation))
        return;
    member = resolve_mapped(model, handle, in->PhysicalAdapterIndex, DXGKMEM_CALL_UNMAP_FRAME_BUFFER, &lead,
                            expectation);
    if (member != NULL)
        model_check_unmap(model, model_value(in->pBaseAddress),
                          member->area != NULL ? member->area : &unused_area, conditions->process,
                          expectation);
}

const char *model_map_frame_buffer_done(struct model *model, const struct model_conditions *conditions,
                                        HANDLE handle, const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in,
                                        const DXGKARGCB_MAPFRAMEBUFFERPOINTER *out, unsigned *invariant)
{
    struct model_adapter *member = member_of(model, handle, in->PhysicalAdapterIndex);

    if (member == NULL || model_mapping_of(model, member) != NULL)
        return model_wrong(invariant, 1, "a map of a frame buffer succeeded that must be refused");
    if (out->PhysicalAdapterIndex != in->PhysicalAdapterIndex || out->Size != in->Size)
        return model_wrong(invariant, 22, "map wrote to an input field");
    if (out->Offset != 0)
        return model_wrong(invariant, 10, "map returned an offset that does not lead to the wanted byte");
    if (need_area(model, member, conditions->operation, DXGKMEM_CALL_MAP_FRAME_BUFFER) == NULL)
        return model_wrong(invariant, 0, "the model has no room for another frame buffer");

    struct model_mapping made = {
        .base = model_value(out->pBaseAddress),
        .object = member->area,
        .first = (uint64_t)in->Offset >> DXGKMEM_PAGE_SHIFT,
        .pages = (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT,
        .size = in->Size,
    };
    return model_make_mapping(model, &made, conditions->operation, DXGKMEM_CALL_MAP_FRAME_BUFFER, invariant);
}

const char *model_unmap_frame_buffer_done(struct model *model, const struct model_conditions *conditions,
                                          HANDLE handle, const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *in,
                                          unsigned *invariant)
{
    const struct model_adapter *member = member_of(model, handle, in->PhysicalAdapterIndex);
    struct model_mapping *mapping = member != NULL ? model_mapping_of(model, member) : NULL;

    if (mapping == NULL || mapping->base != model_value(in->pBaseAddress))
        return model_wrong(invariant, 1, "an unmap of what is not mapped succeeded");
    model_end_mapping(model, mapping, conditions->operation, DXGKMEM_CALL_UNMAP_FRAME_BUFFER);
    return NULL;
}

/* -- the end -------------------------------------------------------------------------- */

void model_unpin(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                 const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *in, struct model_expectation *expectation)
{
    const struct model_adapter *lead, *member;

    if (!model_begin(model, conditions, expectation))
        return;
    lead = resolve_lead(model, handle, DXGKDDI_INTERFACE_VERSION_WDDM2_4, DXGKMEM_CALL_UNPIN, expectation);
    if (lead == NULL)
        return;
    member = resolve_member(model, lead, in->PhysicalAdapterIndex, expectation);
    if (member != NULL && member->frame_buffer == NULL)
        model_refuse(expectation, DXGKMEM_VIOLATION_NOT_PINNED, lead->handle);
}

const char *model_unpin_done(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                             const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *in, unsigned *invariant)
{
    struct model_adapter *member = member_of(model, handle, in->PhysicalAdapterIndex);

    if (member == NULL || member->frame_buffer == NULL)
        return model_wrong(invariant, 1, "an unpin of what is not pinned succeeded");
    model_end_frame_buffer(model, member, conditions->operation, DXGKMEM_CALL_UNPIN);
    return NULL;
}
