/* SPDX-License-Identifier: MIT */
/*
 * The pages of objects. One routine a type takes them:
 *
 *   MDL                MmAllocatePagesForMdlEx, all of them or none, zeroed by the system
 *   CONTIGUOUS_MEMORY  MmAllocateContiguousMemorySpecifyCache; zeroed here
 *   SECTION            ZwCreateSection and a view in system space, whose pages can be locked
 *   IO_SPACE           nothing is taken
 */
#include "internal.h"

static PHYSICAL_ADDRESS address_of(uint64_t page)
{
    uint64_t bytes = page << DXGKMEM_PAGE_SHIFT;
    PHYSICAL_ADDRESS address;

    address.QuadPart = (LONGLONG)bytes;
    return address;
}

/* The last byte of a page. */
static PHYSICAL_ADDRESS end_of(uint64_t page)
{
    PHYSICAL_ADDRESS address = address_of(page);

    address.QuadPart |= (LONGLONG)DXGKMEM_PAGE_MASK;
    return address;
}

/* -- one function a type ------------------------------------------------------------------ */

static NTSTATUS take_mdl(struct dxgkmem_memory *memory, const struct dxgkmem_memory_request *request)
{
    ULONG flags = MM_ALLOCATE_FULLY_REQUIRED;
    uint64_t skip = request->skip_pages;

    if (request->pages > NT_MDL_PAGES)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (request->prefer_contiguous)
        flags |= MM_ALLOCATE_PREFER_CONTIGUOUS;
    if (request->chunk_pages != 0) {
        flags |= MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS; /* then SkipBytes is the length of a chunk */
        skip = request->chunk_pages != DXGKMEM_CHUNK_WHOLE ? request->chunk_pages : 0;
    }
    memory->mdl = MmAllocatePagesForMdlEx(address_of(request->lowest_page), end_of(request->highest_page),
                                          address_of(skip), bytes_of(request->pages), memory->cache, flags);
    return memory->mdl != NULL ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

static NTSTATUS take_contiguous(struct dxgkmem_memory *memory, const struct dxgkmem_memory_request *request)
{
    memory->address = MmAllocateContiguousMemorySpecifyCache(
        bytes_of(request->pages), address_of(request->lowest_page), end_of(request->highest_page),
        address_of(request->boundary_pages), memory->cache);
    memory->writable = true;
    return memory->address != NULL ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* The section goes when its last reference does; the handle is needed for a moment only. */
static NTSTATUS take_section(struct dxgkmem_memory *memory, const struct dxgkmem_memory_request *request)
{
    ULONG kind = SEC_COMMIT | (memory->cache == MmWriteCombined ? SEC_WRITECOMBINE : 0);
    OBJECT_ATTRIBUTES attributes;
    LARGE_INTEGER bytes;
    uint64_t size;
    SIZE_T view_bytes = 0; /* all of it */
    void *view = NULL;
    HANDLE handle;
    NTSTATUS status;

    if (KeGetCurrentIrql() != PASSIVE_LEVEL) /* as ZwCreateSection demands */
        return STATUS_INSUFFICIENT_RESOURCES;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (request->object_attributes != NULL) {
        attributes = *request->object_attributes;
        attributes.Attributes |= OBJ_KERNEL_HANDLE; /* no process may get at it */
    }
    size = request->pages << DXGKMEM_PAGE_SHIFT;
    bytes.QuadPart = (LONGLONG)size;
    status = ZwCreateSection(&handle, request->desired_access | SECTION_QUERY | SECTION_MAP_READ, &attributes,
                             &bytes, request->page_protection, kind, NULL);
    if (!NT_SUCCESS(status))
        return STATUS_INSUFFICIENT_RESOURCES;
    status = ObReferenceObjectByHandle(handle, SECTION_MAP_READ, NULL, KernelMode, &memory->section, NULL);
    ZwClose(handle);
    if (!NT_SUCCESS(status))
        return STATUS_INSUFFICIENT_RESOURCES;
    status = MmMapViewInSystemSpace(memory->section, &view, &view_bytes);
    if (!NT_SUCCESS(status)) {
        ObDereferenceObject(memory->section);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    memory->address = view;
    memory->writable = request->page_protection == PAGE_READWRITE;
    return STATUS_SUCCESS;
}

static NTSTATUS take(struct dxgkmem_memory *memory, const struct dxgkmem_memory_request *request)
{
    switch (request->type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_MDL:
        return take_mdl(memory, request);
    case DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY:
        return take_contiguous(memory, request);
    case DXGK_PHYSICAL_MEMORY_TYPE_SECTION:
        return take_section(memory, request);
    default:
        memory->first_page = request->lowest_page;
        return STATUS_SUCCESS;
    }
}

NTSTATUS nt_memory_create(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
                          struct dxgkmem_memory **memory)
{
    struct dxgkmem_memory *made = dxgkmem_host_alloc(sizeof(*made));
    NTSTATUS status;

    (void)machine;
    if (made == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    made->type = request->type;
    made->cache = (MEMORY_CACHING_TYPE)request->cache; /* the numbers are the same */
    made->pages = request->pages;
    status = take(made, request);
    if (!NT_SUCCESS(status)) {
        dxgkmem_host_free(made, sizeof(*made));
        return status;
    }
    dxgkmem_host_lock_init(&made->lock);
    *memory = made;
    return STATUS_SUCCESS;
}

void nt_memory_destroy(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
    (void)machine;
    switch (memory->type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_MDL:
        MmFreePagesFromMdl(memory->mdl); /* the pages */
        ExFreePool(memory->mdl);         /* and the list itself */
        break;
    case DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY:
        MmFreeContiguousMemorySpecifyCache(memory->address, bytes_of(memory->pages), memory->cache);
        break;
    case DXGK_PHYSICAL_MEMORY_TYPE_SECTION:
        MmUnmapViewInSystemSpace(memory->address);
        ObDereferenceObject(memory->section);
        break;
    default:
        break;
    }
    dxgkmem_host_lock_destroy(&memory->lock);
    dxgkmem_host_free(memory, sizeof(*memory));
}

/* Pages of an MDL and of a section are zero when they come. */
void nt_memory_zero(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
    (void)machine;
    if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY)
        RtlZeroMemory(memory->address, bytes_of(memory->pages));
}

/* -- locking ------------------------------------------------------------------------------------ */

MDL *nt_lock_pages(const struct dxgkmem_memory *memory, uint64_t first, uint64_t pages)
{
    MDL *mdl;

    if (pages > NT_MDL_PAGES)
        return NULL;
    mdl = IoAllocateMdl(memory->address + bytes_of(first), (ULONG)bytes_of(pages), FALSE, FALSE, NULL);
    if (mdl == NULL)
        return NULL;
    if (!nt_probe_and_lock(mdl, memory->writable ? IoModifyAccess : IoReadAccess)) {
        IoFreeMdl(mdl);
        return NULL;
    }
    return mdl;
}

NTSTATUS nt_memory_lock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                        uint64_t pages)
{
    struct nt_pin *pin;

    (void)machine;
    if (memory->type != DXGK_PHYSICAL_MEMORY_TYPE_SECTION)
        return STATUS_SUCCESS; /* never paged out */
    pin = dxgkmem_host_alloc(sizeof(*pin));
    if (pin == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    pin->first = first;
    pin->pages = pages;
    pin->mdl = nt_lock_pages(memory, first, pages);
    if (pin->mdl == NULL) {
        dxgkmem_host_free(pin, sizeof(*pin));
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    dxgkmem_host_lock_acquire(&memory->lock, DXGKMEM_RANK_MACHINE);
    pin->next = memory->pins;
    memory->pins = pin;
    dxgkmem_host_lock_release(&memory->lock);
    return STATUS_SUCCESS;
}

/* Core unlocks what it locked, piece by piece. */
void nt_memory_unlock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                      uint64_t pages)
{
    struct nt_pin **link, *pin;

    (void)machine;
    if (memory->type != DXGK_PHYSICAL_MEMORY_TYPE_SECTION)
        return;
    dxgkmem_host_lock_acquire(&memory->lock, DXGKMEM_RANK_MACHINE);
    for (link = &memory->pins; (pin = *link) != NULL; link = &pin->next)
        if (pin->first == first && pin->pages == pages)
            break;
    if (pin != NULL)
        *link = pin->next;
    dxgkmem_host_lock_release(&memory->lock);
    if (pin == NULL)
        dxgkmem_host_panic(__FILE__, __LINE__, "pages were unlocked that were not locked");
    MmUnlockPages(pin->mdl);
    IoFreeMdl(pin->mdl);
    dxgkmem_host_free(pin, sizeof(*pin));
}

/* -- where the pages are ---------------------------------------------------------------------------- */

/* The run that begins at a place of an MDL of so many pages. */
static struct dxgkmem_run run_of(MDL *mdl, uint64_t at, uint64_t pages)
{
    const PFN_NUMBER *number = MmGetMdlPfnArray(mdl);
    struct dxgkmem_run run = {number[at], 1};

    while (at + run.pages < pages && number[at + run.pages] == number[at] + run.pages)
        run.pages++;
    return run;
}

/* Any lock that has the page will do: they agree on where it is. */
static struct dxgkmem_run run_of_section(struct dxgkmem_memory *memory, uint64_t first)
{
    struct dxgkmem_run run = {0, 0};

    dxgkmem_host_lock_acquire(&memory->lock, DXGKMEM_RANK_MACHINE);
    for (const struct nt_pin *pin = memory->pins; pin != NULL && run.pages == 0; pin = pin->next)
        if (first - pin->first < pin->pages)
            run = run_of(pin->mdl, first - pin->first, pin->pages);
    dxgkmem_host_lock_release(&memory->lock);
    if (run.pages == 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "asked where a page is that is not locked");
    return run;
}

struct dxgkmem_run nt_memory_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                 uint64_t first)
{
    uint64_t page;

    (void)machine;
    switch (memory->type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_MDL:
        return run_of(memory->mdl, first, memory->pages);
    case DXGK_PHYSICAL_MEMORY_TYPE_SECTION:
        return run_of_section(memory, first);
    case DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY:
        page = (uint64_t)MmGetPhysicalAddress(memory->address).QuadPart >> DXGKMEM_PAGE_SHIFT;
        break;
    default:
        page = memory->first_page;
        break;
    }
    return (struct dxgkmem_run){page + first, memory->pages - first};
}
