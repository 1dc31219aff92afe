/* SPDX-License-Identifier: MIT */
/*
 * What the files of the stand-in kernel share: the check of a rule, the state that rules ask about, pages
 * of RAM and mappings. The rules are those of each routine's page in Microsoft's documentation, and of
 * bug check 0xC4.
 */
#ifndef FAKE_INTERNAL_H
#define FAKE_INTERNAL_H

#include "fake.h"
#include "machine/nt/internal.h"

#define KIB4 4096u
#define APC 1u
#define DISPATCH 2u

/* Stops the test. */
void broken(const char *routine, const char *rule) __attribute__((noreturn));

#define RULE(holds, rule)                                                                                    \
    do {                                                                                                     \
        if (!(holds))                                                                                        \
            broken(__func__, rule);                                                                          \
    } while (0)

/* -- fake.c: the state, and failures on demand ---------------------------------------------------- */

extern struct fake_now {
    unsigned irql, process;
} now;

bool fails(void);

/* -- ram.c: pages and what shows them ------------------------------------------------------------- */

extern struct page {
    enum page_owner { FREE, OF_MDL, OF_BLOCK, OF_SECTION } owner;
    MEMORY_CACHING_TYPE cache;
    unsigned locks, maps;
} frames[FAKE_RAM_HIGH_END];

bool is_ram(uint64_t page);
bool take_page(uint64_t page, enum page_owner owner, MEMORY_CACHING_TYPE cache);
void give_page(uint64_t page);
/* A free run of `count` pages in [low, high] that begins at a multiple and crosses none of `boundary`; or 0. */
uint64_t find_run(uint64_t low, uint64_t high, uint64_t count, uint64_t multiple, uint64_t boundary);
/* Fills numbers with pages of [low, high], every second one first, so that they are scattered. */
uint64_t take_scattered(PFN_NUMBER *numbers, uint64_t count, uint64_t low, uint64_t high, bool in_a_row,
                        MEMORY_CACHING_TYPE cache);

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

struct mapping *new_mapping(enum mapping_kind kind, const PFN_NUMBER *numbers, uint64_t count);
void end_mapping(struct mapping *mapping);
struct mapping *mapping_at(const void *base);
/* The mapping that has an address of the kernel, and the page number there. */
struct mapping *kernel_mapping(const uint8_t *address, PFN_NUMBER *number);
/* Whether a block was one of MmGetPhysicalMemoryRanges; it is gone then. */
bool free_ranges(void *memory);

/* -- section.c ---------------------------------------------------------------------------------------- */

/* NULL: it is none. */
struct section *section_of(const void *object);
void dereference_section(struct section *section);

/* -- what is not given back --------------------------------------------------------------------------- */

unsigned ram_left(void);
unsigned sections_left(void);
unsigned lists_left(void);

#endif
