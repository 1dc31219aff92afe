/* SPDX-License-Identifier: MIT */
/*
 * The WDDM 2.4 memory callbacks, made through the interface of an adapter whose driver may use them. What
 * the pages are the driver sees in two ways: in the MDL, or as the kernel translates where it is mapped.
 */
#include "block.h"
#include "machine.h"

#include <dxgkmem/mdl.h>

static const struct out_field contiguous_out[] = {
    OUT(DXGKARGCB_ALLOCATECONTIGUOUSMEMORY, hMemoryHandle),
    OUT(DXGKARGCB_ALLOCATECONTIGUOUSMEMORY, pMemory),
};
static const struct out_field pages_out[] = {
    OUT(DXGKARGCB_ALLOCATEPAGESFORMDL, hMemoryHandle),
    OUT(DXGKARGCB_ALLOCATEPAGESFORMDL, pMdl),
};

static const struct out_field pin_out[] = {OUT(DXGKARGCB_PINFRAMEBUFFERFORSAVE, pMdl)};

static bool offered(struct runner *runner)
{
    return BLOCK_OFFERED(runner, DxgkCbAllocateContiguousMemory, DxgkCbFreePagesFromMdl);
}

void runner_end_memory(struct runner *runner, uint64_t value)
{
    runner_end_value(runner, PROGRAM_MEMORY, value, 0);
    for (unsigned i = 0; i < runner->things; i++) {
        struct runner_thing *mapping = &runner->thing[i];

        if (mapping->live && mapping->kind == PROGRAM_MAPPING && mapping->owner == value)
            runner_end(runner, mapping);
    }
}

/* Takes down a memory and its mapping. The pages are told as those of an ADL. */
static void made_memory(struct runner *runner, HANDLE adapter, HANDLE handle, const void *base,
                        const DXGK_ADL *pages)
{
    struct runner_thing *thing = runner_make(runner, PROGRAM_MEMORY, runner_pointer(handle));

    runner_remember_adl(runner, thing, pages);
    thing->chain = runner_chain_of(runner, runner_pointer(adapter));
    runner_bind(runner, PROGRAM_MEMORY, (unsigned)runner_number(runner, CONTIGUOUS_MEMORY));
    runner->event.value[0] = thing->pages;
    thing = runner_make(runner, PROGRAM_MAPPING, runner_pointer(base));
    thing->owner = runner_pointer(handle);
    thing->size = (uint64_t)pages->PageCount << DXGKMEM_PAGE_SHIFT;
    runner->event.unseen = pages->PageCount == 0;
    runner_bind(runner, PROGRAM_MAPPING, (unsigned)runner_number(runner, CONTIGUOUS_MAPPING));
}

/* Whole pages of so many bytes. */
static uint32_t pages_of(uint64_t bytes)
{
    return (uint32_t)((bytes + DXGKMEM_PAGE_MASK) >> DXGKMEM_PAGE_SHIFT);
}

/* As MmGetPhysicalAddress tells the driver where its memory begins. */
static DXGK_ADL seen_pages(struct runner *runner, const void *base, uint64_t bytes)
{
    struct dxgkmem_sim_translation translation = {.page = 0};
    DXGK_ADL pages;

    memset(&pages, 0, sizeof(pages));
    pages.PageCount = pages_of(bytes);
    pages.Flags.Contiguous = 1;
    if (!OFFERS(runner, cpu_page) ||
        !runner->provider->cpu_page(runner->sim, runner->process, base, &translation)) {
        if (runner->options.gone != NULL) /* another thread's removal has ended it */
            pages.PageCount = 0;
        else
            runner_find_that(runner, 10, "the memory is not mapped where it was said to be");
    }
    pages.BasePageNumber = (DXGK_PAGE_NUMBER)translation.page;
    return pages;
}

void runner_allocate_contiguous(struct runner *runner)
{
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *arguments = &runner->arguments.allocate_contiguous;
    DXGK_ADL pages;
    HANDLE adapter;
    void *passed;

    if (!offered(runner))
        return;
    block_begin_taking(runner);
    adapter = runner_handle(runner_resolve(runner, CONTIGUOUS_ADAPTER).value);
    arguments->NumberOfBytes = (SIZE_T)runner_number(runner, CONTIGUOUS_SIZE);
    arguments->LowestAcceptableAddress.QuadPart = (LONGLONG)runner_number(runner, CONTIGUOUS_LOW);
    arguments->HighestAcceptableAddress.QuadPart = (LONGLONG)runner_number(runner, CONTIGUOUS_HIGH);
    arguments->BoundaryAddressMultiple.QuadPart = (LONGLONG)runner_number(runner, CONTIGUOUS_BOUNDARY);
    arguments->CacheType = runner_cache_type(runner_number(runner, CONTIGUOUS_CACHE));
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_allocate_contiguous(runner->model, &runner->conditions, adapter,
                                  &runner->before.allocate_contiguous, &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->offering.DxgkCbAllocateContiguousMemory(adapter, passed),
                      OUTS(contiguous_out)))
        return;
    pages = seen_pages(runner, arguments->pMemory, arguments->NumberOfBytes);
    if (runner->model != NULL)
        runner->wrong = model_allocate_contiguous_done(runner->model, &runner->conditions, adapter,
                                                       &runner->before.allocate_contiguous, arguments, &pages,
                                                       &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    made_memory(runner, adapter, arguments->hMemoryHandle, arguments->pMemory, &pages);
    runner->event.values = 1;
}

/* The pages that an MDL names, as an ADL of them. */
static DXGK_ADL described_pages(struct dxgkmem_mdl *mdl)
{
    DXGK_ADL pages;

    memset(&pages, 0, sizeof(pages));
    if (mdl == NULL)
        return pages;
    pages.PageCount = pages_of(mdl->ByteCount);
    pages.Pages = (DXGK_PAGE_NUMBER *)dxgkmem_mdl_pages(mdl);
    return pages;
}

void runner_allocate_pages(struct runner *runner)
{
    DXGKARGCB_ALLOCATEPAGESFORMDL *arguments = &runner->arguments.allocate_pages;
    struct dxgkmem_mdl *mdl;
    DXGK_ADL pages;
    HANDLE adapter;
    void *passed;

    if (!offered(runner))
        return;
    block_begin_taking(runner);
    adapter = runner_handle(runner_resolve(runner, CONTIGUOUS_ADAPTER).value);
    arguments->LowAddress.QuadPart = (LONGLONG)runner_number(runner, CONTIGUOUS_LOW);
    arguments->HighAddress.QuadPart = (LONGLONG)runner_number(runner, CONTIGUOUS_HIGH);
    arguments->SkipBytes.QuadPart = (LONGLONG)runner_number(runner, PAGES_SKIP);
    arguments->TotalBytes = (SIZE_T)runner_number(runner, CONTIGUOUS_SIZE);
    arguments->CacheType = runner_cache_type(runner_number(runner, CONTIGUOUS_CACHE));
    arguments->Flags = (ULONG)runner_number(runner, PAGES_FLAGS);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_allocate_pages(runner->model, &runner->conditions, adapter, &runner->before.allocate_pages,
                             &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->offering.DxgkCbAllocatePagesForMdl(adapter, passed),
                      OUTS(pages_out)))
        return;
    mdl = (struct dxgkmem_mdl *)(void *)arguments->pMdl;
    if (runner_is_gone(runner, mdl))
        mdl = NULL;
    pages = described_pages(mdl);
    if (runner->model != NULL)
        runner->wrong =
            model_allocate_pages_done(runner->model, &runner->conditions, adapter,
                                      &runner->before.allocate_pages, arguments, &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    made_memory(runner, adapter, arguments->hMemoryHandle, mdl != NULL ? mdl->MappedSystemVa : NULL, &pages);
    runner->event.values = 1;
}

void runner_memory_freed(struct runner *runner, HANDLE adapter, HANDLE handle, enum dxgkmem_call by)
{
    if (runner->model != NULL)
        runner->wrong = model_free_memory_done(runner->model, &runner->conditions, adapter, handle, by,
                                               &runner->wrong_invariant);
    if (block_accepted(runner))
        runner_end_memory(runner, runner_pointer(handle));
}

/* Both frees: the same but for where the handle stands and who is called. */
static void free_memory(struct runner *runner, enum dxgkmem_call by)
{
    bool contiguous = by == DXGKMEM_CALL_FREE_CONTIGUOUS;
    struct runner_lent lent[RUNNER_LENT];
    HANDLE adapter, handle;
    NTSTATUS status;
    void *passed;

    if (!offered(runner))
        return;
    block_begin(runner);
    handle = runner_handle(runner_resolve(runner, MEMORY_MEMORY).value);
    adapter = runner_handle(runner_resolve(runner, MEMORY_ADAPTER).value);
    if (contiguous)
        runner->arguments.free_contiguous.hMemoryHandle = handle;
    else
        runner->arguments.free_pages.hMemoryHandle = handle;
    /* Before the block is handed over, for the model looks at the MDL as well. */
    if (runner->model != NULL)
        model_free_memory(runner->model, &runner->conditions, adapter, handle, by, &runner->expected);
    if (!runner_may_call(runner))
        return;
    block_lend(runner_find_live(runner, PROGRAM_MEMORY, runner_pointer(handle), 0), lent);
    passed = block_hand_over_with(runner, lent);
    status = contiguous ? runner->offering.DxgkCbFreeContiguousMemory(adapter, passed)
                        : runner->offering.DxgkCbFreePagesFromMdl(adapter, passed);
    if (block_finish(runner, true, status, NULL, 0))
        runner_memory_freed(runner, adapter, handle, by);
}

void runner_free_contiguous(struct runner *runner)
{
    free_memory(runner, DXGKMEM_CALL_FREE_CONTIGUOUS);
}

void runner_free_pages(struct runner *runner)
{
    free_memory(runner, DXGKMEM_CALL_FREE_PAGES);
}

void runner_pin_mdl(struct runner *runner)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE *arguments = &runner->arguments.pin_mdl;
    struct runner_thing *thing;
    struct dxgkmem_mdl *mdl;
    DXGK_ADL pages;
    HANDLE adapter;
    void *passed;

    if (!BLOCK_OFFERED(runner, DxgkCbPinFrameBufferForSave, DxgkCbPinFrameBufferForSave))
        return;
    block_begin_taking(runner);
    adapter = runner_handle(runner_resolve(runner, PIN_ADAPTER).value);
    arguments->PhysicalAdapterIndex = (UINT)runner_number(runner, PIN_INDEX);
    arguments->CommitSize = (SIZE_T)runner_number(runner, PIN_SIZE);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_pin_mdl(runner->model, &runner->conditions, adapter, &runner->before.pin_mdl,
                      &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->offering.DxgkCbPinFrameBufferForSave(adapter, passed),
                      OUTS(pin_out)))
        return;
    if (runner->model != NULL)
        runner->wrong = model_pin_mdl_done(runner->model, &runner->conditions, adapter,
                                           &runner->before.pin_mdl, arguments, &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    mdl = (struct dxgkmem_mdl *)(void *)arguments->pMdl;
    pages = described_pages(runner_is_gone(runner, mdl) ? NULL : mdl);
    runner->event.unseen = pages.PageCount == 0;
    thing = runner_make(runner, PROGRAM_ADL, runner_pointer(arguments->pMdl));
    runner_remember_adl(runner, thing, &pages);
    thing->frame_buffer = thing->mdl = true;
    thing->index = arguments->PhysicalAdapterIndex;
    thing->chain = runner_chain_of(runner, runner_pointer(adapter));
    runner_bind(runner, PROGRAM_ADL, (unsigned)runner_number(runner, PIN_ADL));
    runner->event.value[0] = thing->pages;
    runner->event.values = 1;
}
