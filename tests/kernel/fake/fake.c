/* SPDX-License-Identifier: MIT */
/*
 * Implements fake.h and the routines of ntifs.h that machine/nt calls. RAM is a memory file, and a
 * mapping a mapping of it, so that what is written through one is seen through the others. The rules
 * are those of each routine's page in Microsoft's documentation, and of bug check 0xC4.
 */
#include "fake.h"
#include "machine/nt/internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB4 4096u
#define APC 1u
#define DISPATCH 2u

static void broken(const char *routine, const char *rule)
{
    fprintf(stderr, "fake kernel: %s: %s\n", routine, rule);
    abort();
}

#define RULE(holds, rule)                                                                                    \
    do {                                                                                                     \
        if (!(holds))                                                                                        \
            broken(__func__, rule);                                                                          \
    } while (0)

/* -- the world ------------------------------------------------------------------------------- */

struct _EPROCESS {
    unsigned number, references;
};

struct page {
    enum page_owner { FREE, OF_MDL, OF_BLOCK, OF_SECTION } owner;
    MEMORY_CACHING_TYPE cache;
    unsigned locks, maps;
};

struct section {
    uint64_t pages;
    PFN_NUMBER *numbers;
    unsigned references, handles;
    bool writable, viewed;
};

/* What an address range of the process shows. mdl: the one it was mapped with. */
struct mapping {
    enum mapping_kind { NO_MAPPING, BLOCK, VIEW, LOCKED, IO } kind;
    uint8_t *base;
    PFN_NUMBER *numbers;
    PMDL mdl;
    bool over_writable; /* VIEW, BLOCK: its pages may be locked for writing */
    struct section *section;
    struct fake_mapping made;
};

/* MDL comes first. */
struct fake_mdl {
    MDL mdl;
    bool with_pages, freed_pages, partial, locked, for_writing;
    unsigned maps;
};

#define MAPPINGS 512
#define LISTS 512

static int ram_file = -1;
static uint8_t *ram;
static struct page pages[FAKE_RAM_HIGH_END];
static struct mapping mappings[MAPPINGS];
static struct fake_mdl *lists[LISTS];
static struct section *sections[LISTS];
static void *range_blocks[8];
static struct _EPROCESS processes[FAKE_PROCESSES + 1];
static unsigned irql, current, attached_from, countdown;
static bool has_failed;
static jmp_buf guard;
static bool guarded;

static void make_ram(void)
{
    ram_file = memfd_create("fake", MFD_CLOEXEC);
    if (ram_file < 0 || ftruncate(ram_file, (off_t)FAKE_RAM_HIGH_END * KIB4) != 0)
        broken(__func__, "no memory file");
    ram = mmap(NULL, (size_t)FAKE_RAM_HIGH_END * KIB4, PROT_READ | PROT_WRITE, MAP_SHARED, ram_file, 0);
    if (ram == MAP_FAILED)
        broken(__func__, "no memory");
}

void fake_reset(void)
{
    if (ram == NULL)
        make_ram();
    RULE(fake_left() == 0, "something was not given back");
    for (unsigned i = 0; i <= FAKE_PROCESSES; i++)
        processes[i] = (struct _EPROCESS){i, 1};
    irql = countdown = attached_from = 0;
    current = 1;
    has_failed = false;
}

void fake_set_irql(unsigned to)
{
    irql = to;
}

void fake_set_process(unsigned process)
{
    current = process;
}

void fake_fail_at(unsigned nth)
{
    countdown = nth;
    has_failed = false;
}

bool fake_failed(void)
{
    return has_failed;
}

static bool fails(void)
{
    if (countdown == 0 || --countdown != 0)
        return false;
    has_failed = true;
    return true;
}

uint8_t *fake_page(uint64_t page)
{
    return ram + page * KIB4;
}

static bool is_ram(uint64_t page)
{
    return (page >= FAKE_RAM_LOW && page < FAKE_RAM_LOW_END) ||
           (page >= FAKE_RAM_HIGH && page < FAKE_RAM_HIGH_END);
}

unsigned fake_left(void)
{
    unsigned left = attached_from;

    for (unsigned i = 0; i < MAPPINGS; i++)
        left += mappings[i].kind != NO_MAPPING;
    for (unsigned i = 0; i < LISTS; i++)
        left += (lists[i] != NULL ? 1u : 0) + (sections[i] != NULL ? 1u : 0);
    for (unsigned i = 0; i < 8; i++)
        left += range_blocks[i] != NULL;
    for (unsigned i = 0; i < FAKE_RAM_HIGH_END; i++)
        left += pages[i].owner != FREE || pages[i].locks != 0 || pages[i].maps != 0;
    for (unsigned i = 1; i <= FAKE_PROCESSES; i++)
        left += processes[i].number != 0 && processes[i].references != 1;
    return left;
}

/* -- mappings ----------------------------------------------------------------------------------- */

static struct mapping *new_mapping(enum mapping_kind kind, const PFN_NUMBER *numbers, uint64_t count)
{
    struct mapping *mapping = mappings;

    while (mapping->kind != NO_MAPPING)
        if (++mapping == mappings + MAPPINGS)
            broken(__func__, "too many mappings for the stand-in");
    mapping->base = mmap(NULL, (size_t)count * KIB4, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapping->numbers = calloc(count, sizeof *numbers);
    if (mapping->base == MAP_FAILED || mapping->numbers == NULL)
        broken(__func__, "no memory");
    memcpy(mapping->numbers, numbers, count * sizeof *numbers);
    mapping->kind = kind;
    mapping->mdl = NULL;
    mapping->section = NULL;
    mapping->made = (struct fake_mapping){.pages = count, .writable = true};
    for (uint64_t i = 0; i < count; i++) {
        if (!is_ram(numbers[i]))
            continue;
        if (mmap(mapping->base + i * KIB4, KIB4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram_file,
                 (off_t)(numbers[i] * KIB4)) == MAP_FAILED)
            broken(__func__, "no memory");
        pages[numbers[i]].maps++;
    }
    return mapping;
}

static void end_mapping(struct mapping *mapping)
{
    for (uint64_t i = 0; i < mapping->made.pages; i++)
        if (is_ram(mapping->numbers[i]))
            pages[mapping->numbers[i]].maps--;
    munmap(mapping->base, mapping->made.pages * KIB4);
    free(mapping->numbers);
    mapping->kind = NO_MAPPING;
}

static struct mapping *mapping_at(const void *base)
{
    for (unsigned i = 0; i < MAPPINGS; i++)
        if (mappings[i].kind != NO_MAPPING && mappings[i].base == base)
            return &mappings[i];
    return NULL;
}

const struct fake_mapping *fake_mapping_at(const void *base)
{
    struct mapping *mapping = mapping_at(base);

    return mapping != NULL ? &mapping->made : NULL;
}

/* The mapping that has an address of the kernel, and the page number there. */
static struct mapping *kernel_mapping(const uint8_t *address, PFN_NUMBER *number)
{
    for (unsigned i = 0; i < MAPPINGS; i++) {
        struct mapping *mapping = &mappings[i];
        if (mapping->kind == NO_MAPPING || mapping->made.mode != KernelMode || address < mapping->base ||
            address >= mapping->base + mapping->made.pages * KIB4)
            continue;
        *number = mapping->numbers[(size_t)(address - mapping->base) / KIB4];
        return mapping;
    }
    return NULL;
}

/* -- processes and objects --------------------------------------------------------------------------- */

UCHAR KeGetCurrentIrql(void)
{
    return (UCHAR)irql;
}

HANDLE PsGetCurrentProcessId(void)
{
    return (HANDLE)(uintptr_t)current;
}

PEPROCESS PsGetCurrentProcess(void)
{
    return &processes[current];
}

void KeStackAttachProcess(PKPROCESS process, KAPC_STATE *state)
{
    PEPROCESS to = (PEPROCESS)(void *)process;

    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(to->references > 0, "the process is gone");
    RULE(attached_from == 0, "the stand-in nests no attachments");
    state->attached = to;
    attached_from = current;
    current = to->number;
}

void KeUnstackDetachProcess(KAPC_STATE *state)
{
    RULE(attached_from != 0 && state->attached == &processes[current],
         "it is not the state of the attachment");
    current = attached_from;
    attached_from = 0;
}

static struct section *section_of(const void *object)
{
    for (unsigned i = 0; i < LISTS; i++)
        if (object != NULL && sections[i] == object)
            return sections[i];
    return NULL;
}

static void drop_section(struct section *section)
{
    if (section->references != 0 || section->handles != 0)
        return;
    for (unsigned i = 0; i < LISTS; i++)
        if (sections[i] == section)
            sections[i] = NULL;
    for (uint64_t i = 0; i < section->pages; i++) {
        RULE(pages[section->numbers[i]].locks == 0, "a section goes whose pages are locked");
        pages[section->numbers[i]].owner = FREE;
    }
    free(section->numbers);
    free(section);
}

void ObReferenceObject(void *object)
{
    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    ((PEPROCESS)object)->references++;
}

void ObDereferenceObject(void *object)
{
    struct section *section = section_of(object);

    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    if (section != NULL) {
        RULE(section->references > 0, "one reference too few");
        RULE(section->references > 1 || !section->viewed, "the last reference goes while it is mapped");
        section->references--;
        drop_section(section);
        return;
    }
    PEPROCESS process = object;
    RULE(process > processes && process <= processes + FAKE_PROCESSES, "it is no object");
    RULE(process->references > 1, "one reference too few");
    process->references--;
}

/* -- pages -------------------------------------------------------------------------------------------- */

PHYSICAL_MEMORY_RANGE *MmGetPhysicalMemoryRanges(void)
{
    PHYSICAL_MEMORY_RANGE *ranges;
    unsigned i = 0;

    RULE(irql <= APC, "IRQL > APC_LEVEL");
    if (fails())
        return NULL;
    ranges = calloc(3, sizeof *ranges);
    while (ranges != NULL && range_blocks[i] != NULL)
        RULE(++i < 8, "blocks of ranges are not given back");
    if (ranges == NULL)
        return NULL;
    range_blocks[i] = ranges;
    ranges[0].BaseAddress.QuadPart = FAKE_RAM_LOW * KIB4;
    ranges[0].NumberOfBytes.QuadPart = (FAKE_RAM_LOW_END - FAKE_RAM_LOW) * KIB4;
    ranges[1].BaseAddress.QuadPart = FAKE_RAM_HIGH * KIB4;
    ranges[1].NumberOfBytes.QuadPart = (FAKE_RAM_HIGH_END - FAKE_RAM_HIGH) * KIB4;
    return ranges;
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

void ExFreePool(void *memory)
{
    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    for (unsigned i = 0; i < 8; i++) {
        if (memory != NULL && range_blocks[i] == memory) {
            range_blocks[i] = NULL;
            free(memory);
            return;
        }
    }
    struct fake_mdl *list = list_of(memory);
    RULE(list->with_pages, "an MDL of IoAllocateMdl goes back with IoFreeMdl");
    RULE(list->freed_pages, "the MDL's pages were not freed before it");
    RULE(list->maps == 0, "the MDL is still mapped");
    drop_list(list);
}

static bool take_page(uint64_t page, enum page_owner owner, MEMORY_CACHING_TYPE cache)
{
    if (!is_ram(page) || pages[page].owner != FREE)
        return false;
    pages[page].owner = owner;
    pages[page].cache = cache;
    return true;
}

static void give_page(uint64_t page)
{
    pages[page].owner = FREE;
    memset(fake_page(page), 0xee, KIB4); /* what a former owner left */
}

/* A free run of `count` pages in [low, high] that begins at a multiple and crosses none of `boundary`; or 0. */
static uint64_t find_run(uint64_t low, uint64_t high, uint64_t count, uint64_t multiple, uint64_t boundary)
{
    for (uint64_t at = low; at + count - 1 <= high && at < FAKE_RAM_HIGH_END; at++) {
        uint64_t length = 0;

        if (at % multiple != 0 || (boundary != 0 && at / boundary != (at + count - 1) / boundary))
            continue;
        while (length < count && is_ram(at + length) && pages[at + length].owner == FREE)
            length++;
        if (length == count)
            return at;
    }
    return 0;
}

/* Fills numbers with pages of [low, high], every second one first, so that they are scattered. */
static uint64_t take_scattered(PFN_NUMBER *numbers, uint64_t count, uint64_t low, uint64_t high,
                               bool in_a_row, MEMORY_CACHING_TYPE cache)
{
    uint64_t taken = 0;

    for (unsigned pass = 0; pass < 2; pass++)
        for (uint64_t at = low; taken < count && at <= high && at < FAKE_RAM_HIGH_END; at++)
            if ((in_a_row || at % 2 == pass) && take_page(at, OF_MDL, cache))
                numbers[taken++] = at;
    return taken;
}

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

    RULE(irql <= APC, "IRQL > APC_LEVEL");
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

    RULE(irql <= APC, "IRQL > APC_LEVEL");
    RULE(list->with_pages && !list->freed_pages, "its pages are not MmAllocatePagesForMdlEx's, or freed");
    for (uint64_t i = 0; i < list_pages(list); i++) {
        RULE(pages[mdl->Numbers[i]].maps == 0, "a page is still mapped");
        give_page(mdl->Numbers[i]);
    }
    list->freed_pages = true;
    list->locked = false;
}

void *MmAllocateContiguousMemorySpecifyCache(SIZE_T bytes, PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high,
                                             PHYSICAL_ADDRESS boundary, MEMORY_CACHING_TYPE cache)
{
    uint64_t count = (bytes + KIB4 - 1) / KIB4, multiple = (uint64_t)boundary.QuadPart / KIB4, at;

    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE((boundary.QuadPart & (boundary.QuadPart - 1)) == 0, "the boundary is no power of two");
    if (fails())
        return NULL;
    at = find_run((uint64_t)low.QuadPart / KIB4, (uint64_t)high.QuadPart / KIB4, count, 1, multiple);
    if (at == 0)
        return NULL;
    PFN_NUMBER *numbers = calloc(count, sizeof *numbers);
    RULE(numbers != NULL, "no memory");
    for (uint64_t i = 0; i < count; i++) {
        numbers[i] = at + i;
        take_page(at + i, OF_BLOCK, cache);
        memset(fake_page(at + i), 0xee, KIB4); /* it is not zeroed */
    }
    struct mapping *mapping = new_mapping(BLOCK, numbers, count);
    mapping->over_writable = true;
    mapping->made.cache = cache;
    free(numbers);
    return mapping->base;
}

void MmFreeContiguousMemorySpecifyCache(void *address, SIZE_T bytes, MEMORY_CACHING_TYPE cache)
{
    struct mapping *mapping = mapping_at(address);

    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(mapping != NULL && mapping->kind == BLOCK, "no block begins there");
    RULE(bytes == mapping->made.pages * KIB4 && cache == mapping->made.cache, "another size or cache type");
    for (uint64_t i = 0; i < mapping->made.pages; i++) {
        RULE(pages[mapping->numbers[i]].locks == 0, "a page is still locked");
        RULE(pages[mapping->numbers[i]].maps == 1, "a page is still mapped elsewhere");
        give_page(mapping->numbers[i]);
    }
    end_mapping(mapping);
}

PHYSICAL_ADDRESS MmGetPhysicalAddress(void *address)
{
    PHYSICAL_ADDRESS physical;
    PFN_NUMBER number = 0;

    RULE(kernel_mapping(address, &number) != NULL, "nothing is there");
    physical.QuadPart = (LONGLONG)(number * KIB4);
    return physical;
}

/* -- sections -------------------------------------------------------------------------------------------- */

/* Their pages are taken at once, scattered; the rules do not notice. */
NTSTATUS ZwCreateSection(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                         LARGE_INTEGER *bytes, ULONG protection, ULONG kind, HANDLE file)
{
    struct section *section;
    unsigned place = 0;

    RULE(irql == 0, "IRQL > PASSIVE_LEVEL");
    RULE((attributes->Attributes & OBJ_KERNEL_HANDLE) != 0, "a handle that the process could use");
    RULE((access & SECTION_QUERY) != 0, "SECTION_QUERY is not asked for");
    RULE((kind & SEC_COMMIT) != 0 && file == NULL, "it is not backed by the page file");
    RULE(protection == PAGE_READONLY || protection == PAGE_READWRITE || protection == PAGE_EXECUTE ||
             protection == PAGE_WRITECOPY,
         "not one of the protections");
    if (fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    while (sections[place] != NULL)
        RULE(++place < LISTS, "too many sections for the stand-in");
    section = calloc(1, sizeof *section);
    RULE(section != NULL, "no memory");
    section->pages = ((uint64_t)bytes->QuadPart + KIB4 - 1) / KIB4;
    section->numbers = calloc(section->pages, sizeof(PFN_NUMBER));
    RULE(section->numbers != NULL, "no memory");
    if (take_scattered(section->numbers, section->pages, 0, FAKE_RAM_HIGH_END, false,
                       (kind & SEC_WRITECOMBINE) != 0 ? MmWriteCombined : MmCached) < section->pages)
        broken(__func__, "no page is left");
    for (uint64_t i = 0; i < section->pages; i++) {
        pages[section->numbers[i]].owner = OF_SECTION;
        memset(fake_page(section->numbers[i]), 0, KIB4);
    }
    section->writable = protection == PAGE_READWRITE;
    section->handles = 1;
    sections[place] = section;
    *handle = section;
    return STATUS_SUCCESS;
}

NTSTATUS ZwClose(HANDLE handle)
{
    struct section *section = section_of(handle);

    RULE(irql == 0, "IRQL > PASSIVE_LEVEL");
    RULE(section != NULL && section->handles > 0, "it is no handle");
    section->handles--;
    drop_section(section);
    return STATUS_SUCCESS;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, void *type, KPROCESSOR_MODE mode,
                                   void **object, void *information)
{
    struct section *section = section_of(handle);

    RULE(irql == 0, "IRQL > PASSIVE_LEVEL");
    RULE(section != NULL && section->handles > 0, "it is no handle");
    RULE(type != NULL || mode == KernelMode, "the type may be left out in kernel mode only");
    (void)access;
    (void)information;
    if (fails())
        return STATUS_ACCESS_DENIED;
    section->references++;
    *object = section;
    return STATUS_SUCCESS;
}

NTSTATUS MmMapViewInSystemSpace(void *object, void **base, SIZE_T *bytes)
{
    struct section *section = section_of(object);

    RULE(irql <= APC, "IRQL > APC_LEVEL");
    RULE(section != NULL && section->references > 0, "it is no section");
    RULE(*base == NULL && *bytes == 0, "the stand-in maps all of it, anywhere");
    if (fails())
        return STATUS_NO_MEMORY;
    struct mapping *mapping = new_mapping(VIEW, section->numbers, section->pages);
    mapping->over_writable = section->writable;
    mapping->section = section;
    section->viewed = true;
    *base = mapping->base;
    *bytes = section->pages * KIB4;
    return STATUS_SUCCESS;
}

NTSTATUS MmUnmapViewInSystemSpace(void *base)
{
    struct mapping *mapping = mapping_at(base);

    RULE(irql <= APC, "IRQL > APC_LEVEL");
    RULE(mapping != NULL && mapping->kind == VIEW, "no view begins there");
    for (uint64_t i = 0; i < mapping->made.pages; i++)
        RULE(pages[mapping->numbers[i]].locks == 0, "a page of it is still locked");
    mapping->section->viewed = false;
    end_mapping(mapping);
    return STATUS_SUCCESS;
}

/* -- lists ---------------------------------------------------------------------------------------------------- */

PMDL IoAllocateMdl(void *address, ULONG bytes, BOOLEAN secondary, BOOLEAN quota, void *irp)
{
    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
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

    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
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

static void raise(void)
{
    RULE(guarded, "an exception that nobody handles");
    longjmp(guard, 1);
}

void MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    struct fake_mdl *list = list_of(mdl);

    RULE(irql <= APC, "IRQL > APC_LEVEL");
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
        pages[mdl->Numbers[i]].locks++;
    list->locked = true;
    list->for_writing = operation != IoReadAccess;
}

void MmUnlockPages(PMDL mdl)
{
    struct fake_mdl *list = list_of(mdl);

    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(list->locked && !list->with_pages && !list->partial, "MmProbeAndLockPages did not lock it");
    RULE(list->maps == 0, "it is still mapped");
    for (uint64_t i = 0; i < list_pages(list); i++)
        pages[mdl->Numbers[i]].locks--;
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

/* -- mapping lists ------------------------------------------------------------------------------------------------ */

void *MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, void *address,
                                   ULONG bug_check, ULONG priority)
{
    struct fake_mdl *list = list_of(mdl);
    bool writable = (priority & MdlMappingNoWrite) == 0;

    RULE(irql <= (mode == UserMode ? APC : DISPATCH), "IRQL too high for the mode");
    RULE(list->locked && !list->freed_pages, "its pages are not locked");
    RULE(!bug_check && address == NULL, "BugCheckOnFailure must be FALSE");
    RULE((priority & 0x3fffffff) == NormalPagePriority, "not a priority");
    RULE(!writable || list->for_writing, "writable, over pages that were locked for reading");
    for (uint64_t i = 0; i < list_pages(list); i++)
        RULE(pages[mdl->Numbers[i]].cache == cache, "another cache type than the page has");
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
                                          .process = mode == UserMode ? current : 0,
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
    RULE(irql <= (mapping->made.mode == UserMode ? APC : DISPATCH), "IRQL too high for the mode");
    RULE(mapping->made.process == 0 || mapping->made.process == current, "not in the process that has it");
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

void *MmMapIoSpaceEx(PHYSICAL_ADDRESS address, SIZE_T bytes, ULONG protection)
{
    uint64_t first = (uint64_t)address.QuadPart / KIB4, count = bytes / KIB4;
    ULONG access = protection & 0xff, cache = protection & 0xffffff00u;

    RULE(irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(access == PAGE_READWRITE || access == PAGE_READONLY, "not a protection");
    RULE(cache == 0 || cache == PAGE_NOCACHE || cache == PAGE_WRITECOMBINE, "not a cache type");
    PFN_NUMBER *numbers = calloc(count, sizeof *numbers);
    RULE(numbers != NULL, "no memory");
    for (uint64_t i = 0; i < count; i++) {
        numbers[i] = first + i;
        RULE(!is_ram(first + i), "it is RAM (bug check 0xC4, 0x83)");
    }
    struct mapping *mapping = fails() ? NULL : new_mapping(IO, numbers, count);
    free(numbers);
    if (mapping == NULL)
        return NULL;
    mapping->made.writable = access == PAGE_READWRITE;
    mapping->made.cache = cache == 0 ? MmCached : cache == PAGE_NOCACHE ? MmNonCached : MmWriteCombined;
    return mapping->base;
}

void MmUnmapIoSpace(void *base, SIZE_T bytes)
{
    struct mapping *mapping = mapping_at(base);

    RULE(irql <= APC, "IRQL > APC_LEVEL");
    RULE(mapping != NULL && mapping->kind == IO && mapping->made.pages * KIB4 == bytes,
         "it was not mapped so");
    end_mapping(mapping);
}
