/* SPDX-License-Identifier: MIT */
/* The routines of ntifs.h about MDLs: their pages, locks and mappings. */
#include "internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LISTS 512

/* MDL comes first. */
struct fake_mdl {
    MDL mdl;
    bool with_pages, freed_pages, partial, locked, for_writing;
    unsigned maps;
};

static struct fake_mdl *lists[LISTS];
static jmp_buf guard;
static bool guarded;

/* -- lists --------------------------------------------------------------------------------------- */

unsigned lists_left(void)
{
    unsigned left = 0;

    for (unsigned i = 0; i < LISTS; i++)
        left += lists[i] != NULL;
    return left;
}

static struct fake_mdl *new_list(uint64_t count)
{
    struct fake_mdl *list = calloc(1, sizeof *list);
    unsigned place = 0;

    while (lists[place] != NULL)
        RULE(++place < LISTS, "too many MDLs for the stand-in");
    if (list != NULL)
        list->mdl.Numbers = calloc(count, sizeof(PFN_NUMBER));
    RULE(list != NULL && list->mdl.Numbers != NULL, "no memory");
    list->mdl.ByteCount = (ULONG)(count * KIB4);
    return lists[place] = list;
}

static struct fake_mdl *list_of(const MDL *mdl)
{
    for (unsigned i = 0; i < LISTS; i++)
        if (lists[i] != NULL && &lists[i]->mdl == mdl)
            return lists[i];
    broken(__func__, "it is no MDL");
    return NULL;
}

static uint64_t list_pages(const struct fake_mdl *list)
{
    return list->mdl.ByteCount / KIB4;
}

static void drop_list(struct fake_mdl *list)
{
    for (unsigned i = 0; i < LISTS; i++)
        if (lists[i] == list)
            lists[i] = NULL;
    free(list->mdl.Numbers);
    free(list);
}

PMDL IoAllocateMdl(void *address, ULONG bytes, BOOLEAN secondary, BOOLEAN quota, void *irp)
{
    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(bytes > 0 && bytes % KIB4 == 0, "whole pages are expected here");
    RULE(!secondary && !quota && irp == NULL, "no IRP is expected here");
    if (fails())
        return NULL;
    struct fake_mdl *list = new_list(bytes / KIB4);
    list->mdl.StartVa = address;
    return &list->mdl;
}

void IoFreeMdl(PMDL mdl)
{
    struct fake_mdl *list = list_of(mdl);

    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(!list->with_pages, "an MDL of MmAllocatePagesForMdlEx goes back with ExFreePool");
    RULE(!list->locked || list->partial, "its pages are still locked");
    RULE(list->maps == 0, "it is still mapped");
    drop_list(list);
}

void IoBuildPartialMdl(PMDL whole, PMDL part, void *address, ULONG bytes)
{
    struct fake_mdl *from = list_of(whole), *to = list_of(part);
    uintptr_t first = ((uintptr_t)address - (uintptr_t)whole->StartVa) / KIB4;

    RULE(from->locked, "the whole is not locked");
    RULE(first + bytes / KIB4 <= list_pages(from) && bytes <= part->ByteCount, "it is no part of the whole");
    memcpy(part->Numbers, whole->Numbers + first, bytes / KIB4 * sizeof(PFN_NUMBER));
    to->partial = to->locked = true;
    to->for_writing = from->for_writing;
}

void ExFreePool(void *memory)
{
    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    if (free_ranges(memory))
        return;
    struct fake_mdl *list = list_of(memory);
    RULE(list->with_pages, "an MDL of IoAllocateMdl goes back with IoFreeMdl");
    RULE(list->freed_pages, "the MDL's pages were not freed before it");
    RULE(list->maps == 0, "the MDL is still mapped");
    drop_list(list);
}

/* -- with pages ------------------------------------------------------------------------------------ */

static uint64_t take_chunks(PFN_NUMBER *numbers, uint64_t count, uint64_t low, uint64_t high, uint64_t chunk,
                            MEMORY_CACHING_TYPE cache)
{
    uint64_t length = chunk != 0 ? chunk : count, taken = 0, at;

    while (taken < count && (at = find_run(low, high, length, chunk != 0 ? chunk : 1, 0)) != 0)
        for (uint64_t i = 0; i < length; i++) {
            take_page(at + i, OF_MDL, cache);
            numbers[taken++] = at + i;
        }
    return taken;
}

#define KNOWN_FLAGS                                                                                          \
    ((ULONG)(MM_ALLOCATE_FULLY_REQUIRED | MM_ALLOCATE_PREFER_CONTIGUOUS |                                    \
             MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS))

PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip, SIZE_T bytes,
                             MEMORY_CACHING_TYPE cache, ULONG flags)
{
    uint64_t count = (bytes + KIB4 - 1) / KIB4, step = (uint64_t)skip.QuadPart / KIB4, taken;
    uint64_t first = (uint64_t)low.QuadPart / KIB4, last = (uint64_t)high.QuadPart / KIB4;
    bool chunks = (flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) != 0;

    RULE(now.irql <= APC, "IRQL > APC_LEVEL");
    RULE(bytes > 0 && bytes <= 0xfffff000u, "at most 4 GB less a page");
    RULE((uint64_t)skip.QuadPart % KIB4 == 0, "SkipBytes is no multiple of a page");
    RULE(!chunks || step == 0 || ((step & (step - 1)) == 0 && count % step == 0),
         "a chunk is a power of two that divides the total");
    RULE((flags | KNOWN_FLAGS) == KNOWN_FLAGS, "a flag that the stand-in does not know");
    if (fails())
        return NULL;
    struct fake_mdl *list = new_list(count);
    PFN_NUMBER *numbers = list->mdl.Numbers;
    if (chunks) {
        taken = take_chunks(numbers, count, first, last, step, cache);
    } else {
        taken =
            take_scattered(numbers, count, first, last, (flags & MM_ALLOCATE_PREFER_CONTIGUOUS) != 0, cache);
        for (uint64_t i = 1; step != 0 && taken < count && first + i * step < FAKE_RAM_HIGH_END; i++)
            taken += take_scattered(numbers + taken, count - taken, first + i * step, last + i * step, false,
                                    cache);
    }
    if (taken == 0 || (taken < count && (flags & MM_ALLOCATE_FULLY_REQUIRED) != 0)) {
        for (uint64_t i = 0; i < taken; i++)
            give_page(numbers[i]);
        drop_list(list);
        return NULL;
    }
    for (uint64_t i = 0; i < taken; i++)
        memset(fake_page(numbers[i]), 0, KIB4);
    list->mdl.ByteCount = (ULONG)(taken * KIB4);
    list->with_pages = list->locked = list->for_writing = true;
    return &list->mdl;
}

void MmFreePagesFromMdl(PMDL mdl)
{
    struct fake_mdl *list = list_of(mdl);

    RULE(now.irql <= APC, "IRQL > APC_LEVEL");
    RULE(list->with_pages && !list->freed_pages, "its pages are not MmAllocatePagesForMdlEx's, or freed");
    for (uint64_t i = 0; i < list_pages(list); i++) {
        RULE(frames[mdl->Numbers[i]].maps == 0, "a page is still mapped");
        give_page(mdl->Numbers[i]);
    }
    list->freed_pages = true;
    list->locked = false;
}

/* -- locks -------------------------------------------------------------------------------------------- */

static void raise(void)
{
    RULE(guarded, "an exception that nobody handles");
    longjmp(guard, 1);
}

void MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    struct fake_mdl *list = list_of(mdl);

    RULE(now.irql <= APC, "IRQL > APC_LEVEL");
    RULE(!list->locked, "they are locked already");
    RULE(mode == KernelMode, "addresses of the kernel are expected here");
    if (fails())
        raise();
    for (uint64_t i = 0; i < list_pages(list); i++) {
        struct mapping *mapping = kernel_mapping((uint8_t *)mdl->StartVa + i * KIB4, &mdl->Numbers[i]);
        if (mapping == NULL || (operation != IoReadAccess && !mapping->over_writable))
            raise();
    }
    for (uint64_t i = 0; i < list_pages(list); i++)
        frames[mdl->Numbers[i]].locks++;
    list->locked = true;
    list->for_writing = operation != IoReadAccess;
}

void MmUnlockPages(PMDL mdl)
{
    struct fake_mdl *list = list_of(mdl);

    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(list->locked && !list->with_pages && !list->partial, "MmProbeAndLockPages did not lock it");
    RULE(list->maps == 0, "it is still mapped");
    for (uint64_t i = 0; i < list_pages(list); i++)
        frames[mdl->Numbers[i]].locks--;
    list->locked = false;
}

bool nt_probe_and_lock(MDL *mdl, LOCK_OPERATION operation)
{
    guarded = true;
    bool done = setjmp(guard) == 0;
    if (done)
        MmProbeAndLockPages(mdl, KernelMode, operation);
    guarded = false;
    return done;
}

/* -- mappings ----------------------------------------------------------------------------------------- */

void *MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, void *address,
                                   ULONG bug_check, ULONG priority)
{
    struct fake_mdl *list = list_of(mdl);
    bool writable = (priority & MdlMappingNoWrite) == 0;

    RULE(now.irql <= (mode == UserMode ? APC : DISPATCH), "IRQL too high for the mode");
    RULE(list->locked && !list->freed_pages, "its pages are not locked");
    RULE(!bug_check && address == NULL, "BugCheckOnFailure must be FALSE");
    RULE((priority & 0x3fffffff) == NormalPagePriority, "not a priority");
    RULE(!writable || list->for_writing, "writable, over pages that were locked for reading");
    for (uint64_t i = 0; i < list_pages(list); i++)
        RULE(frames[mdl->Numbers[i]].cache == cache, "another cache type than the page has");
    if (fails()) {
        if (mode == UserMode)
            raise();
        return NULL;
    }
    struct mapping *mapping = new_mapping(LOCKED, mdl->Numbers, list_pages(list));
    mapping->mdl = mdl;
    mapping->made = (struct fake_mapping){.mode = mode,
                                          .cache = cache,
                                          .writable = writable,
                                          .executable = (priority & MdlMappingNoExecute) == 0,
                                          .process = mode == UserMode ? now.process : 0,
                                          .pages = list_pages(list)};
    if (!writable && mprotect(mapping->base, mapping->made.pages * KIB4, PROT_READ) != 0)
        broken(__func__, "no protection");
    list->maps++;
    return mapping->base;
}

void MmUnmapLockedPages(void *base, PMDL mdl)
{
    struct mapping *mapping = mapping_at(base);

    RULE(mapping != NULL && mapping->kind == LOCKED && mapping->mdl == mdl, "it was not mapped so");
    RULE(now.irql <= (mapping->made.mode == UserMode ? APC : DISPATCH), "IRQL too high for the mode");
    RULE(mapping->made.process == 0 || mapping->made.process == now.process,
         "not in the process that has it");
    list_of(mdl)->maps--;
    end_mapping(mapping);
}

void *nt_map_locked(MDL *mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, ULONG priority)
{
    void *volatile base = NULL;

    guarded = true;
    if (setjmp(guard) == 0)
        base = MmMapLockedPagesSpecifyCache(mdl, mode, cache, NULL, FALSE, priority);
    guarded = false;
    return base;
}
