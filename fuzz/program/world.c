/* SPDX-License-Identifier: MIT */
/*
 * The five worlds. A corpus file names its world by number, so a world's
 * memory map never changes once files exist; another map is another world.
 */
#include "world.h"

/* All in pages. */
#define MIB(n) ((uint64_t)(n) << 8)
#define GIB(n) ((uint64_t)(n) << 18)
#define TIB(n) ((uint64_t)(n) << 28)
#define IO_PAGE 0xfe000u /* where a PC has its device registers */

/* Tables: one name, one range a line. */
/* clang-format off */
const char *const program_world_names[PROGRAM_WORLDS + 1] = {
    [WORLD_SMALL] = "small",
    [WORLD_HOLES] = "holes",
    [WORLD_HIGH] = "high",
    [WORLD_TINY] = "tiny",
    [WORLD_HUGE] = "huge",
};

const struct program_world_description program_worlds[PROGRAM_WORLDS] = {
    [WORLD_SMALL] = {
        .summary = "64 MiB of RAM in one piece, nothing unusual.",
        .machine = {
            .range = {
                {.page = MIB(1), .pages = MIB(64)},
                {.page = IO_PAGE, .pages = MIB(1), .io = true},
            },
            .ranges = 2,
            .address_bits = 48,
        },
    },
    [WORLD_HOLES] = {
        .summary = "RAM in four pieces with holes between them, one of three pages, one above 4 GiB.",
        .machine = {
            .range = {
                {.page = 1, .pages = 0x9f},
                {.page = 0xa0, .pages = 0x20, .io = true}, /* borders on RAM */
                {.page = MIB(1), .pages = 3},
                {.page = MIB(16), .pages = MIB(8)},
                {.page = IO_PAGE, .pages = MIB(1), .io = true},
                {.page = GIB(4) + 5, .pages = MIB(16)}, /* aligned to nothing */
            },
            .ranges = 6,
            .address_bits = 48,
        },
    },
    [WORLD_HIGH] = {
        .summary = "1 MiB of low RAM, 256 MiB above 4 GiB: most of it no 32-bit device can see.",
        .machine = {
            .range = {
                {.page = MIB(1), .pages = MIB(1)},
                {.page = IO_PAGE, .pages = MIB(1), .io = true},
                {.page = GIB(4), .pages = MIB(256)},
            },
            .ranges = 3,
            .address_bits = 48,
        },
    },
    [WORLD_TINY] = {
        .summary = "40 pages of RAM, few handles, few generations: everything runs out within 16 operations.",
        .machine = {
            .range = {
                {.page = MIB(1), .pages = 32},
                {.page = IO_PAGE, .pages = 16, .io = true},
                {.page = GIB(4), .pages = 8},
            },
            .ranges = 3,
            .address_bits = 48,
            .iotlb_entries = 4, /* so that it evicts */
        },
        .limits = {
            .handles = 24,
            .generations = 3,
            .total = {.pages = 72, .objects = 12},
        },
    },
    [WORLD_HUGE] = {
        .summary = "8 TiB of RAM, 2 GiB of it low, and the widest physical addresses there are.",
        .machine = {
            .range = {
                {.page = MIB(1), .pages = GIB(2)},
                {.page = IO_PAGE, .pages = MIB(1), .io = true},
                {.page = GIB(4), .pages = TIB(8) - GIB(2)},
            },
            .ranges = 3,
            .address_bits = 52,
        },
    },
};
/* clang-format on */
