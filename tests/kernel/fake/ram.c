/* SPDX-License-Identifier: MIT */
/*
 * Pages, and the routines of ntifs.h that take them or map them at addresses. RAM is a memory file, and a
 * mapping a mapping of it, so that what is written through one is seen through the others.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPINGS 512
#define RANGE_BLOCKS 8

struct page frames[FAKE_RAM_HIGH_END];
static int ram_file = -1;
static uint8_t *ram;
static struct mapping mappings[MAPPINGS];
static void *range_blocks[RANGE_BLOCKS];

/* -- RAM --------------------------------------------------------------------------------------- */

static void make_ram(void)
{
    ram_file = memfd_create("fake", MFD_CLOEXEC);
    if (ram_file < 0 || ftruncate(ram_file, (off_t)FAKE_RAM_HIGH_END * KIB4) != 0)
        broken(__func__, "no memory file");
    ram = mmap(NULL, (size_t)FAKE_RAM_HIGH_END * KIB4, PROT_READ | PROT_WRITE, MAP_SHARED, ram_file, 0);
    if (ram == MAP_FAILED)
        broken(__func__, "no memory");
}

uint8_t *fake_page(uint64_t page)
{
    if (ram == NULL)
        make_ram();
    return ram + page * KIB4;
}

bool is_ram(uint64_t page)
{
    return (page >= FAKE_RAM_LOW && page < FAKE_RAM_LOW_END) ||
           (page >= FAKE_RAM_HIGH && page < FAKE_RAM_HIGH_END);
}

unsigned ram_left(void)
{
    unsigned left = 0;

    for (unsigned i = 0; i < MAPPINGS; i++)
        left += mappings[i].kind != NO_MAPPING;
    for (unsigned i = 0; i < RANGE_BLOCKS; i++)
        left += range_blocks[i] != NULL;
    for (unsigned i = 0; i < FAKE_RAM_HIGH_END; i++)
        left += frames[i].owner != FREE || frames[i].locks != 0 || frames[i].maps != 0;
    return left;
}

bool take_page(uint64_t page, enum page_owner owner, MEMORY_CACHING_TYPE cache)
{
    if (!is_ram(page) || frames[page].owner != FREE)
        return false;
    frames[page].owner = owner;
    frames[page].cache = cache;
    return true;
}

void give_page(uint64_t page)
{
    frames[page].owner = FREE;
    memset(fake_page(page), 0xee, KIB4); /* what a former owner left */
}

uint64_t find_run(uint64_t low, uint64_t high, uint64_t count, uint64_t multiple, uint64_t boundary)
{
    for (uint64_t at = low; at + count - 1 <= high && at < FAKE_RAM_HIGH_END; at++) {
        uint64_t length = 0;

        if (at % multiple != 0 || (boundary != 0 && at / boundary != (at + count - 1) / boundary))
            continue;
        while (length < count && is_ram(at + length) && frames[at + length].owner == FREE)
            length++;
        if (length == count)
            return at;
    }
    return 0;
}

uint64_t take_scattered(PFN_NUMBER *numbers, uint64_t count, uint64_t low, uint64_t high, bool in_a_row,
                        MEMORY_CACHING_TYPE cache)
{
    uint64_t taken = 0;

    for (unsigned pass = 0; pass < 2; pass++)
        for (uint64_t at = low; taken < count && at <= high && at < FAKE_RAM_HIGH_END; at++)
            if ((in_a_row || at % 2 == pass) && take_page(at, OF_MDL, cache))
                numbers[taken++] = at;
    return taken;
}

PHYSICAL_MEMORY_RANGE *MmGetPhysicalMemoryRanges(void)
{
    PHYSICAL_MEMORY_RANGE *ranges;
    unsigned i = 0;

    RULE(now.irql <= APC, "IRQL > APC_LEVEL");
    if (fails())
        return NULL;
    ranges = calloc(3, sizeof *ranges);
    while (ranges != NULL && range_blocks[i] != NULL)
        RULE(++i < RANGE_BLOCKS, "blocks of ranges are not given back");
    if (ranges == NULL)
        return NULL;
    range_blocks[i] = ranges;
    ranges[0].BaseAddress.QuadPart = FAKE_RAM_LOW * KIB4;
    ranges[0].NumberOfBytes.QuadPart = (FAKE_RAM_LOW_END - FAKE_RAM_LOW) * KIB4;
    ranges[1].BaseAddress.QuadPart = FAKE_RAM_HIGH * KIB4;
    ranges[1].NumberOfBytes.QuadPart = (FAKE_RAM_HIGH_END - FAKE_RAM_HIGH) * KIB4;
    return ranges;
}

bool free_ranges(void *memory)
{
    for (unsigned i = 0; i < RANGE_BLOCKS; i++) {
        if (memory != NULL && range_blocks[i] == memory) {
            range_blocks[i] = NULL;
            free(memory);
            return true;
        }
    }
    return false;
}

/* -- mappings ------------------------------------------------------------------------------------ */

struct mapping *new_mapping(enum mapping_kind kind, const PFN_NUMBER *numbers, uint64_t count)
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
        frames[numbers[i]].maps++;
    }
    return mapping;
}

void end_mapping(struct mapping *mapping)
{
    for (uint64_t i = 0; i < mapping->made.pages; i++)
        if (is_ram(mapping->numbers[i]))
            frames[mapping->numbers[i]].maps--;
    munmap(mapping->base, mapping->made.pages * KIB4);
    free(mapping->numbers);
    mapping->kind = NO_MAPPING;
}

struct mapping *mapping_at(const void *base)
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

struct mapping *kernel_mapping(const uint8_t *address, PFN_NUMBER *number)
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

/* -- contiguous memory, and addresses that are not RAM ---------------------------------------------- */

void *MmAllocateContiguousMemorySpecifyCache(SIZE_T bytes, PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high,
                                             PHYSICAL_ADDRESS boundary, MEMORY_CACHING_TYPE cache)
{
    uint64_t count = (bytes + KIB4 - 1) / KIB4, multiple = (uint64_t)boundary.QuadPart / KIB4, at;

    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
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

    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(mapping != NULL && mapping->kind == BLOCK, "no block begins there");
    RULE(bytes == mapping->made.pages * KIB4 && cache == mapping->made.cache, "another size or cache type");
    for (uint64_t i = 0; i < mapping->made.pages; i++) {
        RULE(frames[mapping->numbers[i]].locks == 0, "a page is still locked");
        RULE(frames[mapping->numbers[i]].maps == 1, "a page is still mapped elsewhere");
        give_page(mapping->numbers[i]);
    }
    end_mapping(mapping);
}

PHYSICAL_ADDRESS MmGetPhysicalAddress(void *address)
{
    PHYSICAL_ADDRESS physical;
    PFN_NUMBER number = 0;

    RULE(kernel_mapping(address, &number) != NULL, "nothing is there");
    physical.QuadPart = (LONGLONG)(uint64_t)(number * KIB4);
    return physical;
}

void *MmMapIoSpaceEx(PHYSICAL_ADDRESS address, SIZE_T bytes, ULONG protection)
{
    uint64_t first = (uint64_t)address.QuadPart / KIB4, count = bytes / KIB4;
    ULONG access = protection & 0xff, cache = protection & 0xffffff00u;

    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
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

    RULE(now.irql <= APC, "IRQL > APC_LEVEL");
    RULE(mapping != NULL && mapping->kind == IO && mapping->made.pages * KIB4 == bytes,
         "it was not mapped so");
    end_mapping(mapping);
}
