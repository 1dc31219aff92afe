/* SPDX-License-Identifier: MIT */
/*
 * PinFrameBufferForSave2, PinFrameBufferForSave and UnpinFrameBufferForSave; MapFrameBufferPointer and
 * UnmapFrameBufferPointer.
 *
 * A pinned frame buffer is recorded as an object without a handle that has one
 * ADL over all of it. The ADL belongs to the adapter whose frame buffer it is. Of one that was pinned for an MDL
 * nobody was handed the ADL.
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

/* What both ask for. */
struct pin {
    uint64_t index, bytes;
    bool prefer;
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
    } else if (in->bytes == 0 || in->bytes > member->frame_buffer_bytes) {
        model_refuse(expectation, DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE, lead->handle);
    } else if (member->frame_buffer != NULL) {
        model_refuse_after(expectation, DXGKMEM_VIOLATION_PINNED_TWICE, lead->handle,
                           member->frame_buffer->life.made, member->frame_buffer->life.made_by);
    } else {
        uint64_t pages = in->bytes >> DXGKMEM_PAGE_SHIFT;
        struct model_bounds bounds = save_bounds(model, chain);
        if (model_chain_quota(chain, pages, 0, 1, expectation) &&
            model_machine_can(model, DXGK_PHYSICAL_MEMORY_TYPE_MDL, DXGK_MEMORY_CACHING_TYPE_CACHED, pages,
                              &bounds, in->prefer, 0, expectation))
            (void)model_logical_room(model, chain, &bounds, pages, expectation);
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
    struct pin asked = {.index = in->PhysicalAdapterIndex, .bytes = in->CommitSize};
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

/* The record of what was pinned, but its ADL. */
static struct model_object *make_memory(struct model *model, const struct model_adapter *member,
                                        uint64_t bytes)
{
    struct model_object *memory = &model->object[model->objects++];

    *memory = (struct model_object){
        .type = DXGK_PHYSICAL_MEMORY_TYPE_MDL,
        .cache = DXGK_MEMORY_CACHING_TYPE_CACHED,
        .size = bytes,
        .pages = bytes >> DXGKMEM_PAGE_SHIFT,
        .memory = MODEL_MEMORY_IO + ++model->memories,
        .bounds = save_bounds(model, member->chain),
        .cpu_access = DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE,
        .device_access = DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE,
    };
    return memory;
}

/* The newest ADL is that of the frame buffer. */
static void pinned(struct model *model, struct model_adapter *member, uint64_t operation,
                   enum dxgkmem_call by)
{
    struct model_adl *adl = model->live_adl[model->live_adls - 1];

    model_life_begin(&adl->object->life, operation, by);
    member->frame_buffer = adl;
    member->chain->pages += adl->pages;
    member->chain->frame_buffers++;
    model->live_frame_buffers++;
    model->live_pages += adl->pages;
}

/* The adapter whose frame buffer was pinned; NULL: wrong. */
static struct model_adapter *pinned_on(struct model *model, HANDLE handle, uint64_t index, const char **wrong,
                                       unsigned *invariant)
{
    const struct model_adapter *lead = model_find_live(model, MODEL_ADAPTER, model_value(handle));
    struct model_adapter *member = lead != NULL ? member_at(model, lead->chain, index) : NULL;

    *wrong = NULL;
    if (member == NULL || member->frame_buffer != NULL)
        *wrong = model_wrong(invariant, 1, "a pin succeeded that must be refused");
    else if (model->objects == MODEL_THINGS)
        *wrong = model_wrong(invariant, 0, "the model has no room for another frame buffer");
    return *wrong == NULL ? member : NULL;
}

const char *model_pin_done(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                           const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *in,
                           const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *out, unsigned *invariant)
{
    const char *wrong;
    struct model_adapter *member = pinned_on(model, handle, in->PhysicalAdapterIndex, &wrong, invariant);

    if (member == NULL)
        return wrong;
    if (out->PhysicalAdapterIndex != in->PhysicalAdapterIndex || out->CommitSize != in->CommitSize ||
        out->Flags.Value != in->Flags.Value)
        return model_wrong(invariant, 22, "pin wrote to an input field");

    struct model_object *memory = make_memory(model, member, in->CommitSize);
    struct model_adl_wish wish = {
        .object = memory,
        .adapter = member,
        .chain = member->chain,
        .pages = memory->pages,
        .prefer = (in->Flags.Value & PREFER_CONTIGUOUS) != 0,
    };
    wrong = model_make_adl(model, &wish, out->pAdl, conditions->operation, DXGKMEM_CALL_PIN, invariant);
    if (wrong == NULL)
        pinned(model, member, conditions->operation, DXGKMEM_CALL_PIN);
    return wrong;
}

const char *model_pin_mdl_done(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                               const DXGKARGCB_PINFRAMEBUFFERFORSAVE *in,
                               const DXGKARGCB_PINFRAMEBUFFERFORSAVE *out, unsigned *invariant)
{
    struct dxgkmem_mdl *mdl = (struct dxgkmem_mdl *)(void *)out->pMdl;
    const char *wrong;
    struct model_adapter *member = pinned_on(model, handle, in->PhysicalAdapterIndex, &wrong, invariant);

    if (member != NULL)
        wrong = model_check_mdl(mdl, in->CommitSize, false, invariant);
    if (wrong != NULL)
        return wrong;
    struct model_object *memory = make_memory(model, member, in->CommitSize);
    struct model_adl_wish wish = {
        .object = memory, .adapter = member, .chain = member->chain, .pages = memory->pages};
    DXGK_ADL pages = {.PageCount = (UINT32)memory->pages};

    pages.Pages = (DXGK_PAGE_NUMBER *)dxgkmem_mdl_pages(mdl);
    wrong = model_make_reach(model, &wish, &pages, conditions->operation, DXGKMEM_CALL_PIN_MDL, invariant);
    if (wrong != NULL)
        return wrong;
    model->live_adl[model->live_adls - 1]->mdl = model_value(mdl);
    pinned(model, member, conditions->operation, DXGKMEM_CALL_PIN_MDL);
    return NULL;
}

void model_end_frame_buffer(struct model *model, struct model_adapter *adapter, uint64_t operation,
                            enum dxgkmem_call by)
{
    struct model_adl *adl = adapter->frame_buffer;

    model_end_adl(model, adl, operation, by);
    model_life_end(model, &adl->object->life, operation, by);
    adapter->frame_buffer = NULL;
    adapter->chain->pages -= adl->pages;
    adapter->chain->frame_buffers--;
    model->live_frame_buffers--;
    model->live_pages -= adl->pages;
}

/* -- for the CPU --------------------------------------------------------------------- */

/* The one mapping that a pinned frame buffer may have. */
static struct model_mapping *mapping_of(const struct model *model, const struct model_adapter *member)
{
    return model_oldest_mapping(model, member->frame_buffer->object);
}

/* The adapter of an index that has a frame buffer pinned; NULL: refused. */
static const struct model_adapter *pinned_member(struct model *model, const struct model_adapter *lead,
                                                 uint64_t index, struct model_expectation *expectation)
{
    const struct model_adapter *member = member_at(model, lead->chain, index);

    if (member == NULL)
        model_refuse(expectation, DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX, lead->handle);
    else if (member->frame_buffer == NULL)
        model_refuse(expectation, DXGKMEM_VIOLATION_NOT_PINNED, lead->handle);
    else
        return member;
    return NULL;
}

static void refuse_mapped(const struct model *model, const struct model_adapter *lead,
                          const struct model_adapter *member, struct model_expectation *expectation)
{
    const struct model_mapping *mapping = mapping_of(model, member);

    if (mapping != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_FRAME_BUFFER_MAPPED, lead->handle,
                           mapping->life.made, mapping->life.made_by);
}

/* The same for both calls; NULL: refused. */
static const struct model_adapter *resolve_pinned(struct model *model, HANDLE handle, uint64_t index,
                                                  enum dxgkmem_call call, const struct model_adapter **lead,
                                                  struct model_expectation *expectation)
{
    *lead = model_resolve_offering(model, handle, call, expectation);
    if (*lead == NULL)
        return NULL;
    if (is_lead(model, *lead))
        return pinned_member(model, *lead, index, expectation);
    model_refuse(expectation, DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER, (*lead)->handle);
    return NULL;
}

void model_map_frame_buffer(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                            const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in, struct model_expectation *expectation)
{
    const struct model_adapter *lead, *member;
    uint64_t bytes;

    if (!model_begin(model, conditions, expectation))
        return;
    member = resolve_pinned(model, handle, in->PhysicalAdapterIndex, DXGKMEM_CALL_MAP_FRAME_BUFFER, &lead,
                            expectation);
    if (member == NULL)
        return;
    bytes = member->frame_buffer->object->size;
    if (!model_page_multiple(in->Size) || !model_page_multiple(in->Offset))
        model_refuse(expectation, DXGKMEM_VIOLATION_UNALIGNED_RANGE, lead->handle);
    else if (in->Size == 0 || in->Size > bytes || in->Offset > bytes - in->Size)
        model_refuse(expectation, DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE, lead->handle);
    else
        refuse_mapped(model, lead, member, expectation);
    if (expectation->violation == DXGKMEM_VIOLATION_NONE)
        model_mapping_may_fail(model, (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT, expectation);
}

void model_unmap_frame_buffer(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                              const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *in,
                              struct model_expectation *expectation)
{
    const struct model_adapter *lead, *member;

    if (!model_begin(model, conditions, expectation))
        return;
    member = resolve_pinned(model, handle, in->PhysicalAdapterIndex, DXGKMEM_CALL_UNMAP_FRAME_BUFFER, &lead,
                            expectation);
    if (member != NULL)
        model_check_unmap(model, model_value(in->pBaseAddress), member->frame_buffer->object,
                          conditions->process, expectation);
}

/* The adapter whose frame buffer was mapped or unmapped, or NULL. */
static struct model_adapter *member_of(struct model *model, HANDLE handle, uint64_t index)
{
    const struct model_adapter *lead = model_find_live(model, MODEL_ADAPTER, model_value(handle));
    struct model_adapter *member = lead != NULL ? member_at(model, lead->chain, index) : NULL;

    return member != NULL && member->frame_buffer != NULL ? member : NULL;
}

const char *model_map_frame_buffer_done(struct model *model, const struct model_conditions *conditions,
                                        HANDLE handle, const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in,
                                        const DXGKARGCB_MAPFRAMEBUFFERPOINTER *out, unsigned *invariant)
{
    const struct model_adapter *member = member_of(model, handle, in->PhysicalAdapterIndex);

    if (member == NULL || mapping_of(model, member) != NULL)
        return model_wrong(invariant, 1, "a map of a frame buffer succeeded that must be refused");
    if (out->PhysicalAdapterIndex != in->PhysicalAdapterIndex || out->Size != in->Size)
        return model_wrong(invariant, 22, "map wrote to an input field");
    if (out->Offset != 0)
        return model_wrong(invariant, 10, "map returned an offset that does not lead to the wanted byte");

    struct model_mapping made = {
        .base = model_value(out->pBaseAddress),
        .object = member->frame_buffer->object,
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
    struct model_mapping *mapping = member != NULL ? mapping_of(model, member) : NULL;

    if (mapping == NULL || mapping->base != model_value(in->pBaseAddress))
        return model_wrong(invariant, 1, "an unmap of what is not mapped succeeded");
    model_end_mapping(model, mapping, conditions->operation, DXGKMEM_CALL_UNMAP_FRAME_BUFFER);
    return NULL;
}

/* -- the end -------------------------------------------------------------------------- */

const struct model_mapping *model_end_mapping_of(struct model *model, const struct model_adapter *adapter,
                                                 uint64_t operation, enum dxgkmem_call by)
{
    struct model_mapping *mapping = mapping_of(model, adapter);

    if (mapping != NULL)
        model_end_mapping(model, mapping, operation, by);
    return mapping;
}

void model_unpin(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                 const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *in, struct model_expectation *expectation)
{
    const struct model_adapter *lead, *member;

    if (!model_begin(model, conditions, expectation))
        return;
    lead = resolve_lead(model, handle, DXGKDDI_INTERFACE_VERSION_WDDM2_4, DXGKMEM_CALL_UNPIN, expectation);
    if (lead == NULL)
        return;
    member = pinned_member(model, lead, in->PhysicalAdapterIndex, expectation);
    if (member != NULL)
        refuse_mapped(model, lead, member, expectation);
}

const char *model_unpin_done(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                             const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *in, unsigned *invariant)
{
    struct model_adapter *member = member_of(model, handle, in->PhysicalAdapterIndex);

    if (member == NULL)
        return model_wrong(invariant, 1, "an unpin of what is not pinned succeeded");
    if (mapping_of(model, member) != NULL)
        return model_wrong(invariant, 12, "an unpin of what is mapped succeeded");
    model_end_frame_buffer(model, member, conditions->operation, DXGKMEM_CALL_UNPIN);
    return NULL;
}
