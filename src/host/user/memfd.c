/* SPDX-License-Identifier: MIT */
/*
 * Real CPU mappings for the simulated machine. A sparse memory file holds the bytes
 * of physical page n at offset n * 4096. The machine reads and writes through views of
 * 512 pages, made on first use and kept; a client's windows are mappings of the same file, so
 * that everybody sees the same bytes. Owns the file, the views and the windows' addresses.
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

struct memory_file {
    struct dxgkmem_lock lock; /* of the table; ranks do not matter: nothing is taken inside */
    int file;
    struct view *table; /* open addressing, at most half full */
    size_t room;        /* a power of two */
    size_t views;
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

static void *windows_map(void *context, const uint64_t *page_numbers, uint64_t pages, unsigned access)
{
    const struct memory_file *memory = context;
    uint64_t run;
    uint8_t *base;
    void *reserved;

    if (pages == 0 || pages > SIZE_MAX >> DXGKMEM_PAGE_SHIFT)
        return NULL;
    /* The whole range first, then each run into its place: nobody else can get in between. */
    reserved = mmap(NULL, (size_t)pages << DXGKMEM_PAGE_SHIFT, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED)
        return NULL;
    base = reserved;
    for (uint64_t at = 0; at < pages; at += run) {
        for (run = 1; at + run < pages && page_numbers[at + run] == page_numbers[at] + run; run++)
            ;
        if (mmap(base + ((size_t)at << DXGKMEM_PAGE_SHIFT), (size_t)run << DXGKMEM_PAGE_SHIFT,
                 protection_of(access), MAP_SHARED | MAP_FIXED | MAP_NORESERVE, memory->file,
                 offset_of(page_numbers[at])) == MAP_FAILED) {
            (void)munmap(base, (size_t)pages << DXGKMEM_PAGE_SHIFT);
            return NULL;
        }
    }
    return base;
}

static void windows_unmap(void *context, void *base, uint64_t pages)
{
    (void)context;
    (void)munmap(base, (size_t)pages << DXGKMEM_PAGE_SHIFT);
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

static void *no_map(void *context, const uint64_t *page_numbers, uint64_t pages, unsigned access)
{
    (void)context;
    (void)page_numbers;
    (void)pages;
    (void)access;
    return NULL;
}

static void no_unmap(void *context, void *base, uint64_t pages)
{
    (void)context;
    (void)base;
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
