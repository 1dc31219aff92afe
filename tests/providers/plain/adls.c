/* SPDX-License-Identifier: MIT */
/* ALLOCATE_ADL and FREE_ADL: lock the pages, find logical ones, let the devices reach them. */
#include "plain.h"

#include <stdlib.h>

#define READ_WRITE (DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE)

/* -- logical pages ------------------------------------------------------------------ */

static bool meets(const struct plain_adl *adl, uint64_t first, uint64_t pages)
{
    return first < adl->logical + adl->handed_out.PageCount && adl->logical < first + pages;
}

/* The lowest place that no ADL of the chain has; 0: there is none. */
static uint64_t find_logical(const struct plain_chain *chain, uint64_t pages)
{
    const struct plain_adl *adl;
    uint64_t first = 1;

again:
    LIST_FOREACH(adl, &plain.adls, next)
    if (adl->chain == chain && meets(adl, first, pages)) {
        first = adl->logical + adl->handed_out.PageCount;
        goto again;
    }
    return ((first + pages) << DXGKMEM_PAGE_SHIFT) - 1 <= chain->highest_visible ? first : 0;
}

/* -- what the devices reach ------------------------------------------------------------ */

static uint64_t page_of(const struct plain_adl *adl, uint64_t at)
{
    return adl->handed_out.Flags.Contiguous ? adl->handed_out.BasePageNumber + at : adl->handed_out.Pages[at];
}

static bool has_page(const struct plain_adl *adl, uint64_t page)
{
    if (adl->handed_out.Flags.Contiguous)
        return page >= adl->handed_out.BasePageNumber &&
               page < adl->handed_out.BasePageNumber + adl->handed_out.PageCount;
    for (uint64_t at = 0; at < adl->handed_out.PageCount; at++)
        if (adl->handed_out.Pages[at] == page)
            return true;
    return false;
}

/* Without remapping a page may be in several ADLs. It is reached until the last of them ends. */
static bool reached_by_others(const struct plain_adl *adl, uint64_t page)
{
    const struct plain_adl *other;

    LIST_FOREACH(other, &plain.adls, next)
    if (other != adl && other->chain == adl->chain && has_page(other, page))
        return true;
    return false;
}

static void disconnect(const struct plain_adl *adl, uint64_t pages)
{
    struct dxgkmem_domain *domain = adl->chain->domain;

    if (adl->chain->remapped) {
        OPS->domain_unmap(plain.machine, domain, adl->logical, pages);
        OPS->domain_flush(plain.machine, domain, adl->logical, pages);
        return;
    }
    for (uint64_t at = 0; at < pages; at++) {
        uint64_t page = page_of(adl, at);

        if (reached_by_others(adl, page))
            continue;
        OPS->domain_unmap(plain.machine, domain, page, 1);
        OPS->domain_flush(plain.machine, domain, page, 1);
    }
}

static NTSTATUS connect(const struct plain_adl *adl)
{
    struct dxgkmem_domain *domain = adl->chain->domain;
    uint64_t pages = adl->handed_out.PageCount, at = 0;
    NTSTATUS status = STATUS_SUCCESS;

    while (at < pages && NT_SUCCESS(status)) {
        struct dxgkmem_run run = OPS->memory_run(plain.machine, adl->memory, adl->first + at);

        if (!adl->chain->remapped || run.pages > pages - at)
            run.pages = adl->chain->remapped ? pages - at : 1;
        if (adl->chain->remapped || !reached_by_others(adl, run.page))
            status = OPS->domain_map(plain.machine, domain,
                                     adl->chain->remapped ? adl->logical + at : run.page, run, READ_WRITE);
        if (NT_SUCCESS(status))
            at += run.pages;
    }
    if (!NT_SUCCESS(status) && at > 0)
        disconnect(adl, at);
    return status;
}

/* -- making and freeing ----------------------------------------------------------------- */

/* What the driver is told: one base for neighbours and where DMA is remapped, else every page. */
static bool fill_in(struct plain_adl *adl, uint64_t pages)
{
    struct dxgkmem_run run = OPS->memory_run(plain.machine, adl->memory, adl->first);

    adl->handed_out.PageCount = (UINT32)pages;
    if (adl->chain->remapped || run.pages >= pages) {
        adl->handed_out.Flags.Contiguous = 1;
        adl->handed_out.BasePageNumber = (DXGK_PAGE_NUMBER)(adl->chain->remapped ? adl->logical : run.page);
        return true;
    }
    DXGK_PAGE_NUMBER *array = plain_alloc(pages * sizeof *array);
    if (!array)
        return false;
    for (uint64_t at = 0; at < pages; at++)
        array[at] = (DXGK_PAGE_NUMBER)OPS->memory_run(plain.machine, adl->memory, adl->first + at).page;
    adl->handed_out.Pages = array;
    return true;
}

static void free_record(struct plain_adl *adl)
{
    if (!adl->handed_out.Flags.Contiguous)
        free((void *)(uintptr_t)adl->handed_out.Pages);
    free(adl);
}

NTSTATUS plain_make_adl(struct plain_chain *chain, struct dxgkmem_memory *memory, uint64_t first,
                        uint64_t pages, struct plain_adl **made)
{
    struct plain_adl *adl = plain_alloc(sizeof *adl);
    NTSTATUS status;

    if (!adl)
        return STATUS_INSUFFICIENT_RESOURCES;
    adl->chain = chain;
    adl->memory = memory;
    adl->first = first;
    adl->logical = chain->remapped ? find_logical(chain, pages) : 0;
    status = chain->remapped && !adl->logical ? STATUS_INSUFFICIENT_RESOURCES
                                              : OPS->memory_lock(plain.machine, memory, first, pages);
    if (!NT_SUCCESS(status)) {
        free(adl);
        return status;
    }
    status = fill_in(adl, pages) ? connect(adl) : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(status)) {
        OPS->memory_unlock(plain.machine, memory, first, pages);
        free_record(adl);
        return status;
    }
    LIST_INSERT_HEAD(&plain.adls, adl, next);
    *made = adl;
    return STATUS_SUCCESS;
}

void plain_free_one(struct plain_adl *adl)
{
    disconnect(adl, adl->handed_out.PageCount);
    OPS->memory_unlock(plain.machine, adl->memory, adl->first, adl->handed_out.PageCount);
    LIST_REMOVE(adl, next);
    free_record(adl);
}

static NTSTATUS allocate_locked(DXGKARGCB_ALLOCATE_ADL *args)
{
    struct plain_open *open = plain_find_open(args->hAdapterMemoryObject);
    const struct plain_object *object;
    struct plain_adl *adl;
    uint64_t bytes;
    NTSTATUS status;

    if (!open)
        return STATUS_INVALID_HANDLE;
    object = open->object;
    bytes = object->pages << DXGKMEM_PAGE_SHIFT;
    if (args->Flags.RequireContiguous && object->type != DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY &&
        object->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        return STATUS_INVALID_PARAMETER;
    if ((args->Offset | args->Size) & DXGKMEM_PAGE_MASK || !args->Size || args->Size > bytes ||
        args->Offset > bytes - args->Size)
        return STATUS_INVALID_PARAMETER;
    status = plain_make_adl(open->chain, object->memory, args->Offset >> DXGKMEM_PAGE_SHIFT,
                            args->Size >> DXGKMEM_PAGE_SHIFT, &adl);
    if (!NT_SUCCESS(status))
        return status;
    adl->open = open;
    args->pAdl = &adl->handed_out;
    return STATUS_SUCCESS;
}

NTSTATUS APIENTRY CALLBACK plain_allocate_adl(DXGKARGCB_ALLOCATE_ADL *args)
{
    pthread_mutex_lock(&plain.lock);
    NTSTATUS status = allocate_locked(args);
    pthread_mutex_unlock(&plain.lock);
    return status;
}

void APIENTRY CALLBACK plain_free_adl(const DXGKARGCB_FREE_ADL *args)
{
    struct plain_adl *adl;

    pthread_mutex_lock(&plain.lock);
    LIST_FOREACH(adl, &plain.adls, next)
    if (&adl->handed_out == args->pAdl && adl->open &&
        adl->open == (struct plain_open *)args->hAdapterMemoryObject)
        break;
    if (adl)
        plain_free_one(adl);
    pthread_mutex_unlock(&plain.lock);
}
