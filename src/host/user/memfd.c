/* SPDX-License-Identifier: MIT */
/*
 * Real CPU mappings for the simulated machine. A sparse memory file holds the bytes
 * of physical page n at offset n * 4096. The machine reads and writes through views of
 * 512 pages, made on first use and kept; a client's windows are mappings of the same file, so
 * that everybody sees the same bytes.
 *
 * Every slot of a window has a range of addresses, taken on first use and kept: it costs no
 * memory, nothing can be accessed in it but the window, and nobody else gets into it. So a
 * pointer into a window that ended faults, and the next window of the slot has the same base.
 *
 * Owns the file, the views and the slots' ranges.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <dxgkmem/user.h>

#if defined(__linux__)

#include "lock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define VIEW_SHIFT 9
#define VIEW_PAGES ((uint64_t)1 << VIEW_SHIFT)
#define VIEW_BYTES ((size_t)(VIEW_PAGES << DXGKMEM_PAGE_SHIFT))

struct view {
    uint64_t number; /* first page / 512 */
    uint8_t *bytes;  /* NULL: this place of the table is empty */
};

/* A slot takes so much at most: a window of all the pages that may belong to objects, and a guard. */
#define RANGE_PAGES (DXGKMEM_SIM_PAGE_LIMIT + 1)

struct range {
    uint8_t *base; /* NULL: the slot was never used */
    size_t bytes;
};

struct memory_file {
    struct dxgkmem_lock lock; /* of both tables; ranks do not matter: nothing is taken inside */
    int file;
    struct view *table; /* open addressing, at most half full */
    size_t room;        /* a power of two */
    size_t views;
    struct range *range; /* by slot */
    size_t ranges;       /* a power of two, or 0 */
};

static size_t place_of(const struct view *table, size_t room, uint64_t number)
{
    size_t place = (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (room - 1);

    while (table[place].bytes != NULL && table[place].number != number)
        place = (place + 1) & (room - 1);
    return place;
}

static bool table_reserve(struct memory_file *memory)
{
    size_t room = memory->room != 0 ? memory->room * 2 : 16;
    struct view *table;

    if (memory->views * 2 < memory->room)
        return true;
    table = calloc(room, sizeof *table);
    if (table == NULL)
        return false;
    for (size_t i = 0; i < memory->room; i++) {
        if (memory->table[i].bytes != NULL)
            table[place_of(table, room, memory->table[i].number)] = memory->table[i];
    }
    free(memory->table);
    memory->table = table;
    memory->room = room;
    return true;
}

static off_t offset_of(uint64_t page)
{
    return (off_t)(page << DXGKMEM_PAGE_SHIFT);
}

/* The view of a page, made when `make` is set; NULL when there is none. Under the lock. */
static uint8_t *view_of(struct memory_file *memory, uint64_t page, bool make)
{
    uint64_t number = page >> VIEW_SHIFT;
    struct view *view;
    void *bytes;

    if (!table_reserve(memory))
        return NULL;
    view = &memory->table[place_of(memory->table, memory->room, number)];
    if (view->bytes != NULL || !make)
        return view->bytes;
    bytes = mmap(NULL, VIEW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory->file,
                 offset_of(number << VIEW_SHIFT));
    if (bytes == MAP_FAILED)
        return NULL;
    *view = (struct view){number, bytes};
    memory->views++;
    return view->bytes;
}

static uint8_t *page_bytes(struct memory_file *memory, uint64_t page, bool make)
{
    uint8_t *view;

    user_lock_acquire(&memory->lock);
    view = view_of(memory, page, make);
    user_lock_release(&memory->lock);
    return view != NULL ? view + ((page & (VIEW_PAGES - 1)) << DXGKMEM_PAGE_SHIFT) : NULL;
}

static void *windows_page(void *context, uint64_t page)
{
    return page_bytes(context, page, true);
}

/* Zeroing the bytes is several times cheaper than giving them back and faulting them in again. */
static void windows_forget(void *context, uint64_t page)
{
    uint8_t *bytes = page_bytes(context, page, false);

    if (bytes != NULL)
        memset(bytes, 0, (size_t)DXGKMEM_PAGE_BYTES);
}

static int protection_of(unsigned access)
{
    return ((access & DXGKMEM_ACCESS_READ) != 0 ? PROT_READ : 0) |
           ((access & DXGKMEM_ACCESS_WRITE) != 0 ? PROT_WRITE : 0) |
           ((access & DXGKMEM_ACCESS_EXECUTE) != 0 ? PROT_EXEC : 0);
}

/* The place of a slot in the table; NULL: no memory. Under the lock. */
static struct range *range_place(struct memory_file *memory, uint32_t slot)
{
    size_t ranges = memory->ranges != 0 ? memory->ranges : 64;
    struct range *table;

    if (slot < memory->ranges)
        return &memory->range[slot];
    while (ranges <= slot)
        ranges *= 2;
    table = calloc(ranges, sizeof *table);
    if (table == NULL)
        return NULL;
    if (memory->range != NULL)
        memcpy(table, memory->range, memory->ranges * sizeof *table);
    free(memory->range);
    memory->range = table;
    memory->ranges = ranges;
    return &table[slot];
}

/* The addresses of a slot, taken when it has none; base NULL: no room. */
static struct range range_of(struct memory_file *memory, uint32_t slot, uint64_t room)
{
    struct range *place, range = {NULL, 0};

    user_lock_acquire(&memory->lock);
    place = range_place(memory, slot);
    if (place != NULL && place->base == NULL) {
        size_t bytes = (size_t)(room < RANGE_PAGES ? room : RANGE_PAGES) << DXGKMEM_PAGE_SHIFT;
        void *base = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (base != MAP_FAILED)
            *place = (struct range){base, bytes};
    }
    if (place != NULL)
        range = *place;
    user_lock_release(&memory->lock);
    return range;
}

/* Leaves the addresses to the slot, with nothing there. */
static void range_clear(uint8_t *base, uint64_t pages)
{
    size_t bytes = (size_t)pages << DXGKMEM_PAGE_SHIFT;

    /* Refused when the process has as many mappings as it may have: then the old one stays, closed. */
    if (mmap(base, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) ==
        MAP_FAILED)
        (void)mprotect(base, bytes, PROT_NONE);
}

static void *windows_map(void *context, uint32_t slot, uint64_t room, const uint64_t *page_numbers,
                         uint64_t pages, unsigned access)
{
    struct memory_file *memory = context;
    struct range range = range_of(memory, slot, room);
    uint64_t run;

    if (pages == 0 || pages >= range.bytes >> DXGKMEM_PAGE_SHIFT)
        return NULL;
    for (uint64_t at = 0; at < pages; at += run) {
        for (run = 1; at + run < pages && page_numbers[at + run] == page_numbers[at] + run; run++)
            ;
        if (mmap(range.base + ((size_t)at << DXGKMEM_PAGE_SHIFT), (size_t)run << DXGKMEM_PAGE_SHIFT,
                 protection_of(access), MAP_SHARED | MAP_FIXED | MAP_NORESERVE, memory->file,
                 offset_of(page_numbers[at])) == MAP_FAILED) {
            range_clear(range.base, pages);
            return NULL;
        }
    }
    return range.base;
}

static void windows_unmap(void *context, uint32_t slot, uint64_t pages)
{
    struct memory_file *memory = context;

    range_clear(range_of(memory, slot, 0).base, pages);
}

const struct dxgkmem_sim_windows dxgkmem_user_windows = {
    .page = windows_page,
    .forget = windows_forget,
    .map = windows_map,
    .unmap = windows_unmap,
};

void *dxgkmem_user_windows_create(unsigned address_bits)
{
    struct memory_file *memory;

    /* Offsets and pages are those of the system; one with larger pages cannot map ours. */
    if (address_bits < DXGKMEM_PAGE_SHIFT || address_bits > sizeof(off_t) * 8 - 2 ||
        sysconf(_SC_PAGESIZE) != (long)DXGKMEM_PAGE_BYTES)
        return NULL;
    memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return NULL;
    memory->file = memfd_create("dxgkmem", MFD_CLOEXEC);
    if (memory->file < 0 || ftruncate(memory->file, (off_t)1 << address_bits) != 0) {
        if (memory->file >= 0)
            (void)close(memory->file);
        free(memory);
        return NULL;
    }
    user_lock_init(&memory->lock);
    return memory;
}

void dxgkmem_user_windows_destroy(void *context)
{
    struct memory_file *memory = context;

    if (memory == NULL)
        return;
    for (size_t i = 0; i < memory->room; i++) {
        if (memory->table[i].bytes != NULL)
            (void)munmap(memory->table[i].bytes, VIEW_BYTES);
    }
    for (size_t i = 0; i < memory->ranges; i++) {
        if (memory->range[i].base != NULL)
            (void)munmap(memory->range[i].base, memory->range[i].bytes);
    }
    free(memory->range);
    free(memory->table);
    (void)close(memory->file);
    user_lock_destroy(&memory->lock);
    free(memory);
}

#else

static void *no_page(void *context, uint64_t page)
{
    (void)context;
    (void)page;
    return NULL;
}

static void no_forget(void *context, uint64_t page)
{
    (void)context;
    (void)page;
}

static void *no_map(void *context, uint32_t slot, uint64_t room, const uint64_t *page_numbers, uint64_t pages,
                    unsigned access)
{
    (void)context;
    (void)slot;
    (void)room;
    (void)page_numbers;
    (void)pages;
    (void)access;
    return NULL;
}

static void no_unmap(void *context, uint32_t slot, uint64_t pages)
{
    (void)context;
    (void)slot;
    (void)pages;
}

const struct dxgkmem_sim_windows dxgkmem_user_windows = {no_page, no_forget, no_map, no_unmap};

void *dxgkmem_user_windows_create(unsigned address_bits)
{
    (void)address_bits;
    return NULL;
}

void dxgkmem_user_windows_destroy(void *context)
{
    (void)context;
}

#endif
