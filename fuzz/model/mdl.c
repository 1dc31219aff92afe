/* SPDX-License-Identifier: MIT */
/*
 * MapMdlToIoMmu: MDLs of the driver's own pages, mapped for its device.
 *
 * The driver's pages are one record of pages that nobody creates and that never ends. A mapped MDL is a memory
 * with an ADL over some of them that nobody was handed.
 */
#include "model_internal.h"

/* In an MDL: the pages stay where they are. */
#define PAGES_STAY (DXGKMEM_MDL_PAGES_LOCKED | DXGKMEM_MDL_SOURCE_IS_NONPAGED_POOL | DXGKMEM_MDL_PARTIAL)

uint32_t model_mdl_pages(const struct dxgkmem_mdl *mdl)
{
    return (uint32_t)(((uint64_t)mdl->ByteOffset + mdl->ByteCount + DXGKMEM_PAGE_MASK) >> DXGKMEM_PAGE_SHIFT);
}

void model_set_driver_pages(struct model *model, const DXGK_PAGE_NUMBER *page, unsigned pages)
{
    model->driver_page = page;
    model->driver_pages = pages;
    model->driver = NULL;
    if (model->objects == MODEL_THINGS)
        return;
    model->driver = &model->object[model->objects++];
    *model->driver = (struct model_object){
        .type = DXGK_PHYSICAL_MEMORY_TYPE_MDL,
        .cache = DXGK_MEMORY_CACHING_TYPE_CACHED,
        .size = (uint64_t)pages << DXGKMEM_PAGE_SHIFT,
        .pages = pages,
        .memory = MODEL_MEMORY_IO + ++model->memories,
        .bounds = {.highest = MODEL_NO_PAGE_BOUND, .asked_highest = MODEL_NO_PAGE_BOUND},
        .device_access = DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE,
    };
    model_life_begin(&model->driver->life, 0, DXGKMEM_CALL_NONE);
}

/* The place of a page among the driver's, or their number. */
static unsigned place_of(const struct model *model, uint64_t page)
{
    unsigned place = 0;

    while (place < model->driver_pages && model->driver_page[place] != page)
        place++;
    return place;
}

/* The live mapping of the chain that has a page of the driver's, or NULL. */
static const struct model_memory *mapped_in(const struct model *model, const struct model_chain *chain,
                                            unsigned place)
{
    for (unsigned i = 0; i < model->allocations; i++) {
        const struct model_memory *memory = &model->memory[i];

        if (memory->life.live && memory->chain == chain && memory->object == model->driver &&
            place - memory->adl->first < memory->adl->pages)
            return memory;
    }
    return NULL;
}

static bool is_visible(const struct model *model, const struct model_chain *chain, uint64_t page)
{
    return page <= model->world.highest_page && page < model_pages_up_to(chain->highest_visible);
}

static void check_pages(const struct model *model, const struct model_chain *chain, const ULONG_PTR *page,
                        unsigned pages, struct model_expectation *expectation)
{
    for (unsigned i = 0; i < pages; i++)
        if (!is_visible(model, chain, page[i])) {
            model_refuse(expectation, DXGKMEM_VIOLATION_NOT_VISIBLE, 0);
            return;
        }
    for (unsigned i = 0; i < pages; i++)
        if (place_of(model, page[i]) == model->driver_pages) {
            model_refuse(expectation, DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD, 0);
            return;
        }
    for (unsigned i = 0; i < pages; i++) {
        const struct model_memory *memory = mapped_in(model, chain, place_of(model, page[i]));

        for (unsigned k = 0; k < i && memory == NULL; k++)
            if (page[k] == page[i]) {
                model_refuse(expectation, DXGKMEM_VIOLATION_MDL_PAGE_TWICE, 0);
                return;
            }
        if (memory != NULL) {
            model_refuse_after(expectation, DXGKMEM_VIOLATION_MDL_PAGE_TWICE, 0, memory->life.made,
                               memory->life.made_by);
            return;
        }
    }
}

void model_map_mdl(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                   const void *given, struct model_expectation *expectation)
{
    const struct model_adapter *adapter;
    struct dxgkmem_mdl *mdl = (struct dxgkmem_mdl *)(uintptr_t)given;

    if (!model_begin(model, conditions, expectation))
        return;
    adapter = model_resolve_offering(model, handle, DXGKMEM_CALL_MAP_MDL, expectation);
    if (adapter == NULL)
        return;
    if (mdl == NULL || model_value(mdl) % _Alignof(struct dxgkmem_mdl) != 0 || mdl->ByteCount == 0 ||
        mdl->ByteOffset >= DXGKMEM_PAGE_BYTES || (mdl->MdlFlags & PAGES_STAY) == 0) {
        model_refuse(expectation, DXGKMEM_VIOLATION_INVALID_MDL, 0);
        return;
    }
    unsigned pages = model_mdl_pages(mdl);
    if (!model_chain_quota(adapter->chain, pages, 0, 1, expectation))
        return;
    check_pages(model, adapter->chain, dxgkmem_mdl_pages(mdl), pages, expectation);
    if (expectation->violation == DXGKMEM_VIOLATION_NONE)
        model_handle_room(model, 1, expectation);
}

const char *model_map_mdl_done(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                               unsigned first, const struct dxgkmem_mdl *mdl, HANDLE memory,
                               unsigned *invariant)
{
    const struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(handle));
    const char *wrong = model_check_handle(model, memory, invariant);

    if (adapter == NULL)
        return model_wrong(invariant, 1, "an MDL was mapped for an adapter that is not present");
    if (wrong != NULL)
        return wrong;
    if (model->driver == NULL)
        return model_wrong(invariant, 0, "the model has no room for the driver's pages");
    struct model_memory made = {
        .handle = model_value(memory), .object = model->driver, .chain = adapter->chain};
    struct model_adl_wish wish = {
        .object = made.object, .chain = made.chain, .first = first, .pages = model_mdl_pages(mdl)};
    DXGK_ADL pages = {.PageCount = (UINT32)wish.pages};

    pages.Pages = (DXGK_PAGE_NUMBER *)(uintptr_t)&model->driver_page[first];
    wrong = model_make_reach(model, &wish, &pages, conditions->operation, DXGKMEM_CALL_MAP_MDL, invariant);
    if (wrong != NULL)
        return wrong;
    made.adl = model->live_adl[model->live_adls - 1];
    model->live_pages += wish.pages;
    return model_make_memory(model, &made, conditions->operation, DXGKMEM_CALL_MAP_MDL, invariant);
}
