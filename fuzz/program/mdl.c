/* SPDX-License-Identifier: MIT */
/*
 * MDLs of a driver's own, mapped for its device by the WDDM 2.4 callbacks. Their pages the driver has from the
 * kernel, not from the callbacks. The MDL is overwritten as soon as the call returns: nobody may read it later.
 */
#include "block.h"
#include "machine.h"

#define PATTERN 0xcc

static const struct out_field map_out[] = {OUT(DXGKARGCB_MAPMDLTOIOMMU, hMemoryHandle)};

static bool offered(struct runner *runner)
{
    return BLOCK_OFFERED(runner, DxgkCbMapMdlToIoMmu, DxgkCbUnmapMdlFromIoMmu) && OFFERS(runner, driver_page);
}

/* The driver gets its pages when it first needs them; false: there are none. */
static bool driver_has_pages(struct runner *runner)
{
    if (runner->driver_pages != 0)
        return true;
    for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++) {
        uint64_t page;

        if (!runner->provider->driver_page(runner->sim, i, &page))
            return false;
        runner->driver_page[i] = (DXGK_PAGE_NUMBER)page;
    }
    runner->driver_pages = DXGKMEM_SIM_DRIVER_PAGES;
    if (runner->model != NULL)
        model_set_driver_pages(runner->model, runner->driver_page, runner->driver_pages);
    return true;
}

/* -- the MDL -------------------------------------------------------------------------------- */

/* A page of a live memory that the callbacks handed out; 0: there is none. */
static uint64_t page_of_others(const struct runner *runner)
{
    for (unsigned i = runner->things; i-- > 0;)
        if (runner->thing[i].live && runner->thing[i].kind == PROGRAM_MEMORY && !runner->thing[i].drivers)
            return runner_adl_page(runner, &runner->thing[i], 0);
    return 0;
}

/* The number that stands where the last page's should. */
static ULONG_PTR last_page(const struct runner *runner, const struct runner_mdl *mdl, unsigned last)
{
    const struct model_world *world = &runner->here->model;

    switch (runner_number(runner, MAP_MDL_MDL)) {
    case PROGRAM_MDL_TWICE:
        return mdl->page[0];
    case PROGRAM_MDL_GAP:
        return (ULONG_PTR)(world->highest_ram_page + 1);
    case PROGRAM_MDL_BEYOND:
        return world->highest_page < (ULONG_PTR)-1 ? (ULONG_PTR)(world->highest_page + 1) : (ULONG_PTR)-1;
    case PROGRAM_MDL_OTHERS:
        return (ULONG_PTR)page_of_others(runner);
    default:
        return mdl->page[last];
    }
}

/* So many of the driver's pages from one on, as far as it has them. */
static void fill_mdl(const struct runner *runner, struct runner_mdl *mdl, unsigned first)
{
    uint64_t offset = runner_number(runner, MAP_MDL_OFFSET) & 0xffff,
             bytes = runner_number(runner, MAP_MDL_SIZE);
    uint64_t room = (uint64_t)(runner->driver_pages - first) << DXGKMEM_PAGE_SHIFT;
    unsigned pages;

    if (bytes > room - (offset & DXGKMEM_PAGE_MASK))
        bytes = room - (offset & DXGKMEM_PAGE_MASK);
    pages = (unsigned)(((offset & DXGKMEM_PAGE_MASK) + bytes + DXGKMEM_PAGE_MASK) >> DXGKMEM_PAGE_SHIFT);
    memset(mdl, 0, sizeof(*mdl));
    mdl->header.Size = (int16_t)(sizeof(mdl->header) + pages * sizeof(mdl->page[0]));
    mdl->header.MdlFlags =
        runner_number(runner, MAP_MDL_MDL) == PROGRAM_MDL_UNLOCKED ? 0 : DXGKMEM_MDL_PAGES_LOCKED;
    mdl->header.ByteCount = (ULONG)bytes;
    mdl->header.ByteOffset = (ULONG)offset;
    for (unsigned i = 0; i < pages; i++)
        mdl->page[i] = runner->driver_page[first + i];
    if (pages != 0)
        mdl->page[pages - 1] = last_page(runner, mdl, pages - 1);
}

static PMDL pass_mdl(struct runner *runner, struct runner_mdl *mdl)
{
    switch (runner_number(runner, MAP_MDL_MDL)) {
    case PROGRAM_MDL_NULL:
        return NULL;
    case PROGRAM_MDL_MISALIGNED:
        return (PMDL)(void *)((uint8_t *)mdl + 1);
    default:
        return (PMDL)(void *)mdl;
    }
}

/* -- the calls ------------------------------------------------------------------------------ */

/* Takes down what was mapped: pages of the driver's from `first` on. */
static void made_mapping(struct runner *runner, HANDLE adapter, unsigned first, uint32_t pages)
{
    struct runner_thing *thing =
        runner_make(runner, PROGRAM_MEMORY, runner_pointer(runner->arguments.map_mdl.hMemoryHandle));
    DXGK_ADL described;

    memset(&described, 0, sizeof(described));
    described.PageCount = pages;
    described.Pages = &runner->driver_page[first];
    runner_remember_adl(runner, thing, &described);
    thing->drivers = true;
    thing->chain = runner_chain_of(runner, runner_pointer(adapter));
    runner_bind(runner, PROGRAM_MEMORY, (unsigned)runner_number(runner, MAP_MDL_MEMORY));
    runner->event.value[0] = pages;
    runner->event.values = 1;
}

void runner_map_mdl(struct runner *runner)
{
    struct runner_mdl *mdl = &runner->mdl[runner->shard % RUNNER_SHARDS];
    unsigned first = (unsigned)(runner_number(runner, MAP_MDL_AT) % DXGKMEM_SIM_DRIVER_PAGES);
    struct dxgkmem_mdl header;
    NTSTATUS status;
    HANDLE adapter;
    PMDL given;
    void *passed;

    if (!offered(runner) || !driver_has_pages(runner)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    adapter = runner_handle(runner_resolve(runner, MAP_MDL_ADAPTER).value);
    fill_mdl(runner, mdl, first);
    header = mdl->header;
    given = runner->arguments.map_mdl.pMdl = pass_mdl(runner, mdl);
    /* Before the block is handed over, for the model looks at the MDL as well. */
    if (runner->model != NULL)
        model_map_mdl(runner->model, &runner->conditions, adapter, given, &runner->expected);
    if (!runner_may_call(runner))
        return;
    passed = block_hand_over_with(
        runner, (const struct runner_lent[RUNNER_LENT]){{"MDL", mdl, given != NULL ? sizeof(*mdl) : 0}});
    status = runner->offering.DxgkCbMapMdlToIoMmu(adapter, passed);
    memset(mdl, PATTERN, sizeof(*mdl));
    if (!block_finish(runner, true, status, OUTS(map_out)))
        return;
    if (runner->model != NULL)
        runner->wrong = model_map_mdl_done(runner->model, &runner->conditions, adapter, first, &header,
                                           runner->arguments.map_mdl.hMemoryHandle, &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    made_mapping(runner, adapter, first, model_mdl_pages(&header));
}

void runner_unmap_mdl(struct runner *runner)
{
    HANDLE adapter, handle;
    void *passed;

    if (!offered(runner)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    handle = runner->arguments.unmap_mdl.hMemoryHandle =
        runner_handle(runner_resolve(runner, MEMORY_MEMORY).value);
    adapter = runner_handle(runner_resolve(runner, MEMORY_ADAPTER).value);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_free_memory(runner->model, &runner->conditions, adapter, handle, DXGKMEM_CALL_UNMAP_MDL,
                          &runner->expected);
    if (!block_may_call(runner))
        return;
    runner->offering.DxgkCbUnmapMdlFromIoMmu(adapter, passed);
    if (block_finish(runner, false, STATUS_SUCCESS, NULL, 0))
        runner_memory_freed(runner, adapter, handle, DXGKMEM_CALL_UNMAP_MDL);
}
