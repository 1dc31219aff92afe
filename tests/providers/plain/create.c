/* SPDX-License-Identifier: MIT */
/* CREATE: what is asked of the machine for each of the four types of memory. */
#include "plain.h"

#include <stdlib.h>

#define MDL_BYTES (0x100000000u - DXGKMEM_PAGE_BYTES)

/* Whole pages between two addresses. */
static void set_window(struct dxgkmem_memory_request *request, LARGE_INTEGER low, LARGE_INTEGER high)
{
    uint64_t from = (uint64_t)low.QuadPart, to = (uint64_t)high.QuadPart;

    request->lowest_page = (from >> DXGKMEM_PAGE_SHIFT) + ((from & DXGKMEM_PAGE_MASK) != 0);
    request->highest_page = to >> DXGKMEM_PAGE_SHIFT;
    if ((to & DXGKMEM_PAGE_MASK) != DXGKMEM_PAGE_MASK) {
        if (request->highest_page == 0)
            request->lowest_page = 1; /* not even page 0 */
        else
            request->highest_page--;
    }
}

/* The adapter must see the pages itself when DMA is not remapped. */
static void lower_window(struct dxgkmem_memory_request *request, const struct plain_chain *chain)
{
    uint64_t highest = OPS->highest_page(plain.machine);

    if (request->highest_page > highest)
        request->highest_page = highest;
    while (chain && request->highest_page >= request->lowest_page &&
           !plain_sees(chain, request->highest_page, 1))
        request->highest_page = chain->highest_visible >> DXGKMEM_PAGE_SHIFT == request->highest_page
                                    ? request->highest_page - 1
                                    : chain->highest_visible >> DXGKMEM_PAGE_SHIFT;
}

static void ask_mdl(const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args,
                    struct dxgkmem_memory_request *request)
{
    uint64_t skip = (uint64_t)args->Mdl.SkipBytes.QuadPart >> DXGKMEM_PAGE_SHIFT;

    set_window(request, args->Mdl.LowAddress, args->Mdl.HighAddress);
    request->prefer_contiguous = (args->Mdl.Flags & MM_ALLOCATE_PREFER_CONTIGUOUS) != 0;
    if (args->Mdl.Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS)
        request->chunk_pages = skip ? skip : DXGKMEM_CHUNK_WHOLE;
    else
        request->skip_pages = skip;
}

static NTSTATUS ask(const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args, const struct plain_chain *chain,
                    struct dxgkmem_memory_request *request)
{
    request->highest_page = OPS->highest_ram_page(plain.machine);
    switch (args->Type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_MDL:
        if (args->Size > MDL_BYTES)
            return STATUS_INVALID_PARAMETER;
        ask_mdl(args, request);
        lower_window(request, chain);
        return STATUS_SUCCESS;
    case DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY:
        set_window(request, args->ContiguousMemory.LowestAcceptableAddress,
                   args->ContiguousMemory.HighestAcceptableAddress);
        lower_window(request, chain);
        request->boundary_pages =
            (uint64_t)args->ContiguousMemory.BoundaryAddressMultiple.QuadPart >> DXGKMEM_PAGE_SHIFT;
        return STATUS_SUCCESS;
    case DXGK_PHYSICAL_MEMORY_TYPE_SECTION:
        request->page_protection = (uint32_t)args->Section.PageProtection;
        if (args->CacheType == DXGK_MEMORY_CACHING_TYPE_NON_CACHED)
            return STATUS_INVALID_PARAMETER;
        return request->page_protection == DXGKMEM_PAGE_READONLY ||
                       request->page_protection == DXGKMEM_PAGE_READWRITE ||
                       request->page_protection == DXGKMEM_PAGE_EXECUTE ||
                       request->page_protection == DXGKMEM_PAGE_WRITECOPY
                   ? STATUS_SUCCESS
                   : STATUS_INVALID_PARAMETER;
    default:
        request->lowest_page = (uint64_t)args->IOSpace.BaseAddress.QuadPart >> DXGKMEM_PAGE_SHIFT;
        request->highest_page = request->lowest_page + request->pages - 1;
        if ((args->IOSpace.BaseAddress.QuadPart & (LONGLONG)DXGKMEM_PAGE_MASK) ||
            (args->Size & DXGKMEM_PAGE_MASK) ||
            OPS->touches_ram(plain.machine, (struct dxgkmem_run){request->lowest_page, request->pages}) ||
            (chain && !plain_sees(chain, request->lowest_page, request->pages)))
            return STATUS_INVALID_PARAMETER;
        return STATUS_SUCCESS;
    }
}

static unsigned access_of(const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args)
{
    if (args->Type != DXGK_PHYSICAL_MEMORY_TYPE_SECTION ||
        args->Section.PageProtection == DXGKMEM_PAGE_READWRITE)
        return DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE;
    if (args->Section.PageProtection == DXGKMEM_PAGE_EXECUTE)
        return DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_EXECUTE;
    return DXGKMEM_ACCESS_READ;
}

/* Takes the memory; the object is not in the list yet. */
static NTSTATUS take(struct plain_object *object, const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args,
                     const struct plain_chain *chain)
{
    struct dxgkmem_memory_request request = {
        .type = args->Type,
        .cache = args->CacheType,
        .pages = (args->Size >> DXGKMEM_PAGE_SHIFT) + ((args->Size & DXGKMEM_PAGE_MASK) != 0),
    };
    NTSTATUS status = ask(args, chain, &request);

    if (!NT_SUCCESS(status))
        return status;
    if (request.lowest_page > request.highest_page ||
        (request.boundary_pages && request.boundary_pages < request.pages))
        return STATUS_NO_MEMORY;
    status = OPS->memory_create(plain.machine, &request, &object->memory);
    if (!NT_SUCCESS(status))
        return status;
    if (args->Type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        OPS->memory_zero(plain.machine, object->memory);
    object->type = args->Type;
    object->pages = request.pages;
    object->io_page = request.lowest_page;
    object->access = access_of(args);
    return STATUS_SUCCESS;
}

static NTSTATUS create_locked(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args)
{
    struct plain_adapter *adapter = NULL;
    struct plain_object *object;
    NTSTATUS status;

    if (args->hAdapter && !(adapter = plain_find_adapter(args->hAdapter)))
        return STATUS_INVALID_HANDLE;
    if ((unsigned)args->Type > DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE ||
        (unsigned)args->CacheType > DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED || !args->Size ||
        args->Size > DXGKMEM_OBJECT_BYTES_MAX)
        return STATUS_INVALID_PARAMETER;
    object = plain_alloc(sizeof *object);
    if (!object)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = take(object, args, adapter ? adapter->chain : NULL);
    if (!NT_SUCCESS(status)) {
        free(object);
        return status;
    }
    if (adapter && !plain_open_on(object, adapter->chain)) {
        OPS->memory_destroy(plain.machine, object->memory);
        free(object);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    LIST_INSERT_HEAD(&plain.objects, object, next);
    args->hPhysicalMemoryObject = object;
    args->hAdapterMemoryObject = object->open;
    return STATUS_SUCCESS;
}

NTSTATUS APIENTRY CALLBACK plain_create(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&plain.lock);
    NTSTATUS status = create_locked(args);
    pthread_mutex_unlock(&plain.lock);
    return status;
}
