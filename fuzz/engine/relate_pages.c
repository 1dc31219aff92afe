/* SPDX-License-Identifier: MIT */
/*
 * What pages a CREATE, or an allocation of a memory, asks for: a type, a size, and bounds that some of the
 * world's pages are within.
 */
#include "relate.h"
#include "values.h"

#include "program/operands.h"
#include "program/world.h"

uint64_t relate_pages(struct composer *composer, unsigned most)
{
    return PAGE * (1 + random_below(&composer->random, most));
}

uint64_t relate_nearby(struct composer *composer, uint64_t address)
{
    static const int32_t step[] = {0, 0, 0, 1, -1, 0x800, 0xfff, 0x1000, -0x1000, 0x2000};

    return address + (uint64_t)(int64_t)step[random_below(&composer->random, sizeof(step) / sizeof(step[0]))];
}

static void relate_io(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    uint64_t end;

    line->operand[CREATE_BASE] = values_io_page(random, composer->scope.world);
    line->operand[CREATE_SIZE] = relate_pages(composer, 4);
    if (!compose_often(composer, THEME_CONSTRAINTS, 24, 64))
        return;
    /* around where RAM or I/O space begins or ends */
    end = values_range_end(random, composer->scope.world);
    line->operand[CREATE_BASE] = end - PAGE * random_below(random, 5);
}

static void relate_mdl(struct composer *composer, struct program_line *line)
{
    static const uint16_t harmless[] = {
        MM_DONT_ZERO_ALLOCATION, MM_ALLOCATE_FROM_LOCAL_NODE_ONLY, MM_ALLOCATE_FULLY_REQUIRED,
        MM_ALLOCATE_NO_WAIT,     MM_ALLOCATE_PREFER_CONTIGUOUS,
    };
    struct random *random = &composer->random;
    uint64_t *operand = line->operand;

    if (!compose_odd(composer))
        return;
    switch (random_below(random, 4)) {
    case 0:
        operand[CREATE_FLAGS] = harmless[random_below(random, sizeof(harmless) / sizeof(harmless[0]))];
        break;
    case 1: /* one block */
        operand[CREATE_FLAGS] = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
        break;
    case 2: /* aligned blocks */
        operand[CREATE_FLAGS] = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
        operand[CREATE_SKIP] = PAGE << random_below(random, 3);
        operand[CREATE_SIZE] = operand[CREATE_SKIP] * (1 + random_below(random, 3));
        break;
    default: /* a window that moves */
        operand[CREATE_LOW] = values_ram_page(random, composer->scope.world);
        operand[CREATE_HIGH] = operand[CREATE_LOW] + relate_pages(composer, 4) - 1;
        operand[CREATE_SKIP] = PAGE << random_below(random, 6);
        break;
    }
}

/* A window around pages that are handed out early, not always made of whole pages. */
static void relate_window(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    uint64_t low = values_ram_page(random, composer->scope.world);

    line->operand[CREATE_LOW] = relate_nearby(composer, low);
    if (random_chance(random, 128))
        line->operand[CREATE_HIGH] = relate_nearby(composer, low + relate_pages(composer, 8)) - 1;
}

static void relate_bounds(struct composer *composer, struct program_line *line)
{
    static const uint64_t high[] = {0xffffff, 0x1ffffff, 0xffffffff, 0x7fffffff, 0x10001ffff};
    struct random *random = &composer->random;

    if (!compose_often(composer, THEME_CONSTRAINTS, composer->swarm.odd, 192))
        return;
    switch (random_below(random, 4)) {
    case 0:
        line->operand[CREATE_HIGH] = high[random_below(random, sizeof(high) / sizeof(high[0]))];
        break;
    case 1: /* the end of all RAM, or of some */
        line->operand[CREATE_HIGH] =
            relate_nearby(composer, values_ram_page(random, composer->scope.world)) - 1;
        break;
    default:
        relate_window(composer, line);
        break;
    }
    if (line->operand[CREATE_LOW] >= line->operand[CREATE_HIGH])
        line->operand[CREATE_LOW] = 0;
}

/* Boundaries that the object just fits in are met soonest. */
static uint64_t some_boundary(struct composer *composer, uint64_t size)
{
    uint64_t boundary = PAGE;

    while (boundary < size)
        boundary <<= 1;
    return boundary << (random_chance(&composer->random, 160) ? 0 : random_below(&composer->random, 4));
}

/* The largest sizes there are, and one more. */
static uint64_t some_limit(struct composer *composer, uint64_t type)
{
    static const uint64_t limit[] = {0xfffff000, 0xfffff000, (uint64_t)1 << 44};

    if (type == PROGRAM_TYPE_MDL)
        return relate_nearby(composer, limit[0]);
    return relate_nearby(composer, limit[random_below(&composer->random, sizeof(limit) / sizeof(limit[0]))]);
}

static void relate_memory(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    uint64_t *operand = line->operand;

    switch (operand[CREATE_TYPE]) {
    case PROGRAM_TYPE_MDL:
        relate_bounds(composer, line);
        relate_mdl(composer, line);
        break;
    case PROGRAM_TYPE_CONTIGUOUS:
        relate_bounds(composer, line);
        if (compose_often(composer, THEME_CONSTRAINTS, composer->swarm.odd, 160))
            operand[CREATE_BOUNDARY] = some_boundary(composer, operand[CREATE_SIZE]);
        break;
    case PROGRAM_TYPE_SECTION:
        if (random_chance(random, 96))
            operand[CREATE_PROTECTION] = random_below(random, PROGRAM_PROTECTION_INVALID);
        if (compose_odd(composer))
            operand[CREATE_ATTRIBUTES] = SEC_COMMIT;
        break;
    default:
        relate_io(composer, line);
        break;
    }
}

void relate_create(struct composer *composer, struct program_line *line)
{
    static const uint16_t types[] = {35, 30, 20, 15};
    struct random *random = &composer->random;
    uint64_t *operand = line->operand;
    unsigned live = composer->scope.live[PROGRAM_ADAPTER];

    operand[CREATE_ADAPTER] =
        live && random_chance(random, 208) ? compose_pick(composer, live) : PROGRAM_THING(PROGRAM_NULL, 0);
    operand[CREATE_TYPE] = random_weighted(random, types, PROGRAM_TYPE_INVALID);
    operand[CREATE_CACHE] = PROGRAM_CACHE_CACHED;
    operand[CREATE_PROTECTION] = PROGRAM_PROTECTION_READWRITE;
    operand[CREATE_SIZE] = relate_pages(composer, compose_odd(composer) ? 24 : 4);
    if (compose_odd(composer))
        operand[CREATE_CACHE] = random_below(random, PROGRAM_CACHE_INVALID);
    relate_memory(composer, line);
    /* objects need not be whole pages; I/O ranges must */
    if (operand[CREATE_TYPE] != PROGRAM_TYPE_IO && !operand[CREATE_SKIP] && compose_odd(composer))
        operand[CREATE_SIZE] -= 1 + random_below(random, 0xfff);
    if (compose_often(composer, THEME_CONSTRAINTS, 2, 8))
        operand[CREATE_SIZE] = some_limit(composer, operand[CREATE_TYPE]);
}

void relate_allocate(struct composer *composer, struct program_line *line)
{
    bool pages = line->opcode == OP_PAGES;
    struct program_line create = {.opcode = OP_CREATE};
    unsigned offering = scope_offering(&composer->scope);
    uint64_t *operand = line->operand;

    if (offering && !random_chance(&composer->random, 16))
        operand[CONTIGUOUS_ADAPTER] = compose_pick(composer, offering);
    create.operand[CREATE_TYPE] = pages ? PROGRAM_TYPE_MDL : PROGRAM_TYPE_CONTIGUOUS;
    create.operand[CREATE_HIGH] = UINT64_MAX;
    create.operand[CREATE_SIZE] = relate_pages(composer, compose_odd(composer) ? 24 : 4);
    relate_memory(composer, &create);
    if (!create.operand[CREATE_SKIP] && compose_odd(composer))
        create.operand[CREATE_SIZE] -= 1 + random_below(&composer->random, 0xfff);
    operand[CONTIGUOUS_SIZE] = create.operand[CREATE_SIZE];
    operand[CONTIGUOUS_LOW] = create.operand[CREATE_LOW];
    operand[CONTIGUOUS_HIGH] = create.operand[CREATE_HIGH];
    operand[CONTIGUOUS_CACHE] = PROGRAM_CACHE_CACHED;
    if (compose_odd(composer))
        operand[CONTIGUOUS_CACHE] = random_below(&composer->random, PROGRAM_CACHE_INVALID);
    if (pages) {
        operand[PAGES_SKIP] = create.operand[CREATE_SKIP];
        operand[PAGES_FLAGS] = create.operand[CREATE_FLAGS];
    } else {
        operand[CONTIGUOUS_BOUNDARY] = create.operand[CREATE_BOUNDARY];
    }
}
