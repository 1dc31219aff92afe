/* SPDX-License-Identifier: MIT */
/*
 * CPU mappings. Each has an MDL of exactly its pages, so that nothing beside them is seen, and no two
 * have the same addresses:
 *
 *   MDL                         a part of the object's MDL
 *   SECTION, CONTIGUOUS_MEMORY  one whose pages are locked for the mapping
 *   IO_SPACE                    none: MmMapIoSpaceEx
 *
 * User mappings are made and undone in their process; it may not be the current one when they end.
 */
#include "internal.h"

/* -- making -------------------------------------------------------------------------------- */

/* The address of an MDL's first byte is a number here: pages without an address begin at 0. */
static MDL *part_of(MDL *whole, uint64_t first, uint64_t pages)
{
    void *start = (void *)((uintptr_t)MmGetMdlVirtualAddress(whole) + bytes_of(first));
    MDL *mdl = IoAllocateMdl(start, (ULONG)bytes_of(pages), FALSE, FALSE, NULL);

    if (mdl != NULL)
        IoBuildPartialMdl(whole, mdl, start, (ULONG)bytes_of(pages));
    return mdl;
}

/* The MDL of a window, in window->mdl; NULL: no memory. */
static void describe(const struct dxgkmem_memory *memory, uint64_t first, struct nt_window *window)
{
    if (window->pages > NT_MDL_PAGES)
        return;
    if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL) {
        window->mdl = part_of(memory->mdl, first, window->pages);
    } else {
        window->mdl = nt_lock_pages(memory, first, window->pages);
        window->pinned = window->mdl != NULL;
    }
}

static void forget(struct nt_window *window)
{
    if (window->mdl == NULL)
        return;
    if (window->pinned)
        MmUnlockPages(window->mdl);
    IoFreeMdl(window->mdl);
}

static bool map_locked(const struct dxgkmem_memory *memory, uint64_t first, KPROCESSOR_MODE mode,
                       unsigned access, struct nt_window *window)
{
    ULONG priority = NormalPagePriority;

    if ((access & DXGKMEM_ACCESS_WRITE) == 0)
        priority |= MdlMappingNoWrite;
    if ((access & DXGKMEM_ACCESS_EXECUTE) == 0)
        priority |= MdlMappingNoExecute;
    describe(memory, first, window);
    if (window->mdl == NULL)
        return false;
    window->base = nt_map_locked(window->mdl, mode, memory->cache, priority);
    if (window->base == NULL)
        forget(window);
    return window->base != NULL;
}

static bool map_io(const struct dxgkmem_memory *memory, uint64_t first, unsigned access,
                   struct nt_window *window)
{
    ULONG protection = (access & DXGKMEM_ACCESS_WRITE) != 0 ? PAGE_READWRITE : PAGE_READONLY;
    PHYSICAL_ADDRESS address;

    if (memory->cache == MmNonCached)
        protection |= PAGE_NOCACHE;
    else if (memory->cache == MmWriteCombined)
        protection |= PAGE_WRITECOMBINE;
    address.QuadPart = (LONGLONG)(uint64_t)((memory->first_page + first) << DXGKMEM_PAGE_SHIFT);
    window->base = MmMapIoSpaceEx(address, bytes_of(window->pages), protection);
    return window->base != NULL;
}

static bool make_window(const struct dxgkmem_memory *memory, uint64_t first, DXGK_ACCESS_MODE mode,
                        unsigned access, struct nt_window *window)
{
    if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        return mode == DXGK_ACCESS_MODE_KERNEL_MODE && map_io(memory, first, access, window);
    return map_locked(memory, first, mode == DXGK_ACCESS_MODE_USER_MODE ? UserMode : KernelMode, access,
                      window);
}

NTSTATUS nt_map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base)
{
    struct nt_window *window = dxgkmem_host_alloc(sizeof(*window));

    (void)machine;
    if (window == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    window->pages = pages;
    if (!make_window(memory, first, mode, access, window)) {
        dxgkmem_host_free(window, sizeof(*window));
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (mode == DXGK_ACCESS_MODE_USER_MODE) {
        window->owner = PsGetCurrentProcess();
        window->process = (uint64_t)(uintptr_t)PsGetCurrentProcessId();
        ObReferenceObject(window->owner);
    }
    *base = window->base;
    dxgkmem_host_lock_acquire(&memory->lock, DXGKMEM_RANK_MACHINE);
    window->next = memory->windows;
    memory->windows = window;
    dxgkmem_host_lock_release(&memory->lock);
    return STATUS_SUCCESS;
}

/* -- undoing --------------------------------------------------------------------------------- */

static struct nt_window *take_window(struct dxgkmem_memory *memory, const void *base, uint64_t pages,
                                     uint64_t process)
{
    struct nt_window **link, *window;

    dxgkmem_host_lock_acquire(&memory->lock, DXGKMEM_RANK_MACHINE);
    for (link = &memory->windows; (window = *link) != NULL; link = &window->next)
        if (window->base == base && window->pages == pages && window->process == process)
            break;
    if (window != NULL)
        *link = window->next;
    dxgkmem_host_lock_release(&memory->lock);
    return window;
}

static void unmap_user(struct nt_window *window)
{
    bool away = window->owner != PsGetCurrentProcess();
    KAPC_STATE state;

    if (away)
        KeStackAttachProcess((PKPROCESS)(void *)window->owner, &state);
    MmUnmapLockedPages(window->base, window->mdl);
    if (away)
        KeUnstackDetachProcess(&state);
    ObDereferenceObject(window->owner);
}

void nt_unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
              uint64_t process)
{
    struct nt_window *window = take_window(memory, base, pages, process);

    (void)machine;
    if (window == NULL)
        dxgkmem_host_panic(__FILE__, __LINE__, "a mapping was undone that was not made");
    if (window->owner != NULL)
        unmap_user(window);
    else if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        MmUnmapIoSpace(window->base, bytes_of(window->pages));
    else
        MmUnmapLockedPages(window->base, window->mdl);
    forget(window);
    dxgkmem_host_free(window, sizeof(*window));
}
