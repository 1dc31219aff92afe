/* SPDX-License-Identifier: MIT */
/*
 * MDLs of the driver's own, which it maps for its device: which pages of the simulated machine stand for its pool,
 * and DxgkCbMapMdlToIoMmu and DxgkCbUnmapMdlFromIoMmu.
 *
 * The bytes stay where the driver has them, in this process. Before each access of a device the page gets them, and
 * afterwards the driver gets what the device wrote; nobody else looks at the page, so both see one memory.
 */
#include "kit.h"

#include <dxgkmem/mdl.h>

#include <stdio.h>
#include <string.h>

/* What one page of the machine stands for. */
struct own {
    uint64_t page;
    const void *block;   /* of the pool; NULL: memory from elsewhere */
    uintptr_t at;        /* the page of the process; 0: nothing (any more) */
    unsigned char *from; /* the bytes in it */
    size_t bytes;
};
static struct own own[DXGKMEM_SIM_DRIVER_PAGES];

void kit_mdls_begin(void)
{
    memset(own, 0, sizeof own);
}

/* Whether a device reaches the page: by its own number, as maps of MDLs have it. */
static bool reached(const struct own *it)
{
    struct dxgkmem_sim_translation translation;

    for (unsigned i = 0; it->page != 0 && i < kit.adapters; i++) {
        if (dxgkmem_sim_device_page(kit.sim, i, it->page, &translation) && translation.page == it->page)
            return true;
    }
    return false;
}

/* The one that stands for it already, or one that stands for nothing; NULL: there is no room. */
static struct own *own_for(const void *block, uintptr_t at)
{
    struct own *unused = NULL;

    for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++) {
        if (own[i].at == at && own[i].block == block)
            return &own[i];
        if (unused == NULL && own[i].at == 0 && !reached(&own[i]))
            unused = &own[i];
    }
    return unused != NULL && dxgkmem_sim_driver_page(kit.sim, (unsigned)(unused - own), &unused->page)
               ? unused
               : NULL;
}

uint64_t kit_page_of(const void *block, void *first, size_t bytes)
{
    uintptr_t at = (uintptr_t)first & ~(uintptr_t)DXGKMEM_PAGE_MASK;
    uint64_t physical;
    struct own *it;

    if (kit_physical(first, &physical))
        return physical >> DXGKMEM_PAGE_SHIFT;
    it = own_for(block, at);
    if (it == NULL)
        return KIT_NO_PAGE;
    it->block = block;
    it->at = at;
    it->from = first;
    it->bytes = bytes;
    return it->page;
}

bool kit_block_ended(const void *block, kit_stack *made)
{
    bool still = false;

    for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++) {
        if (own[i].at == 0 || own[i].block != block)
            continue;
        if (reached(&own[i])) {
            *made = kit_map_of_page(own[i].page);
            still = true;
        }
        own[i].at = 0;
        own[i].bytes = 0;
    }
    return still;
}

/* -- what the device sees ----------------------------------------------------------------------- */

void kit_mdls_dma(unsigned adapter, uint64_t address, size_t bytes, bool to_driver)
{
    uint64_t first = address >> DXGKMEM_PAGE_SHIFT;
    uint64_t last = (address + (bytes != 0 ? bytes - 1 : 0)) >> DXGKMEM_PAGE_SHIFT;

    for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++) {
        const struct own *it = &own[i];
        uint64_t place = (it->page << DXGKMEM_PAGE_SHIFT) + ((uintptr_t)it->from & DXGKMEM_PAGE_MASK);

        if (it->bytes == 0 || it->page < first || it->page > last)
            continue;
        /* Where this adapter's device does not reach it, neither does this. */
        if (to_driver)
            (void)dxgkmem_sim_dma_read(kit.sim, adapter, place, it->from, it->bytes);
        else
            (void)dxgkmem_sim_dma_write(kit.sim, adapter, place, it->from, it->bytes);
    }
}

/* -- the callbacks -------------------------------------------------------------------------------- */

static uint32_t pages_of(const struct dxgkmem_mdl *mdl)
{
    return (uint32_t)(((uint64_t)mdl->ByteOffset + mdl->ByteCount + DXGKMEM_PAGE_MASK) >> DXGKMEM_PAGE_SHIFT);
}

/* The kit's own limit, not the driver's mistake. */
static bool lacks_pages(struct dxgkmem_mdl *mdl)
{
    static bool told;
    bool lacks = false;

    if (mdl == NULL || (uintptr_t)mdl % _Alignof(struct dxgkmem_mdl) != 0 ||
        (mdl->MdlFlags & DXGKMEM_MDL_SOURCE_IS_NONPAGED_POOL) == 0)
        return false;
    for (uint32_t i = 0; i < pages_of(mdl) && !lacks; i++)
        lacks = dxgkmem_mdl_pages(mdl)[i] == KIT_NO_PAGE;
    if (lacks && !told) {
        told = true;
        fprintf(
            stderr,
            "note: a map of an MDL failed: the kit has no more than %d pages for those of the driver's own\n",
            DXGKMEM_SIM_DRIVER_PAGES);
    }
    return lacks;
}

static void made(HANDLE handle, struct dxgkmem_mdl *mdl, kit_stack stack)
{
    struct kit_reach reach = {
        .key = handle, .is = KIT_AN_MDL, .made = stack, .made_by = "DxgkCbMapMdlToIoMmu"};
    uint64_t page[DXGKMEM_SIM_DRIVER_PAGES];

    reach.mdl = mdl;
    /* Only the driver's own pages can be mapped, and each once. */
    for (; reach.pages < pages_of(mdl) && reach.pages < DXGKMEM_SIM_DRIVER_PAGES; reach.pages++)
        page[reach.pages] = dxgkmem_mdl_pages(mdl)[reach.pages];
    kit_reach_made(&reach, page);
}

NTSTATUS APIENTRY kit_map_mdl(IN_CONST_HANDLE adapter, INOUT_PDXGKARGCB_MAPMDLTOIOMMU arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    const DXGKRNL_INTERFACE *real;
    struct dxgkmem_mdl *mdl;
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->hMemoryHandle = NULL;
        return STATUS_NO_MEMORY;
    }
    mdl = arguments != NULL ? (struct dxgkmem_mdl *)(void *)arguments->pMdl : NULL;
    real = kit_call_begin(stack);
    if (arguments != NULL && lacks_pages(mdl)) {
        arguments->hMemoryHandle = NULL;
        status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        status = real->DxgkCbMapMdlToIoMmu(kit_inside(adapter), arguments);
    }
    kit_call_end();
    if (arguments == NULL || !NT_SUCCESS(status))
        return status;
    made(arguments->hMemoryHandle, mdl, stack);
    arguments->hMemoryHandle = kit_outside(arguments->hMemoryHandle);
    return status;
}

VOID APIENTRY kit_unmap_mdl(IN_CONST_HANDLE adapter, IN_CONST_PDXGKARGCB_UNMAPMDLFROMIOMMU arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_UNMAPMDLFROMIOMMU in = {kit_inside(arguments != NULL ? arguments->hMemoryHandle : NULL)};
    struct dxgkmem_statistics before, after;

    dxgkmem_query_statistics(&before);
    kit_call_begin(stack)->DxgkCbUnmapMdlFromIoMmu(kit_inside(adapter), arguments != NULL ? &in : NULL);
    kit_call_end();
    dxgkmem_query_statistics(&after);
    if (after.memories < before.memories)
        kit_reach_ended(in.hMemoryHandle, stack, "DxgkCbUnmapMdlFromIoMmu");
}
