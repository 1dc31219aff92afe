/* SPDX-License-Identifier: MIT */
/* Numbers worth trying: the edges that the contract talks about and their neighbours. */
#include "values.h"

#include "program/world.h"

#define PAGE ((uint64_t)0x1000)

static uint64_t neighbour(struct random *random, uint64_t value)
{
    static const int64_t step[] = {0, 0, 0, 1, -1, 8, -8, 0x1000, -0x1000};

    return value + (uint64_t)step[random_below(random, sizeof(step) / sizeof(step[0]))];
}

static uint64_t power(struct random *random)
{
    return (uint64_t)1 << random_below(random, 64);
}

uint64_t values_range_end(struct random *random, uint8_t world)
{
    const struct dxgkmem_sim_config *machine = &program_worlds[world % PROGRAM_WORLDS].machine;
    const struct dxgkmem_sim_range *range = &machine->range[random_below(random, machine->ranges)];
    uint64_t page = random_chance(random, 128) ? range->page : range->page + range->pages;

    return page << 12;
}

uint64_t values_ram_page(struct random *random, uint8_t world)
{
    const struct dxgkmem_sim_config *machine = &program_worlds[world % PROGRAM_WORLDS].machine;
    unsigned which = random_below(random, machine->ranges);

    while (machine->range[which].io)
        which = (which + 1) % machine->ranges;
    const struct dxgkmem_sim_range *range = &machine->range[which];
    return (range->page + random_below(random, range->pages < 16 ? (unsigned)range->pages : 16)) << 12;
}

uint64_t values_io_page(struct random *random, uint8_t world)
{
    const struct dxgkmem_sim_config *machine = &program_worlds[world % PROGRAM_WORLDS].machine;
    unsigned which = 0;

    for (unsigned i = 0; i < machine->ranges; i++) {
        if (machine->range[i].io && (!which || random_chance(random, 128)))
            which = i;
    }
    const struct dxgkmem_sim_range *range = &machine->range[which];
    /* the first ones more often, so that ranges meet */
    unsigned pages = range->pages < 32 || random_chance(random, 128) ? 12 : 32;
    return (range->page + random_below(random, pages)) << 12;
}

static uint64_t bytes(struct random *random, uint64_t old)
{
    static const uint64_t edge[] = {0,        1,           0xfff,        0x1001,          0x10000,
                                    0x100000, 0xffffe000,  0xfffff000,   0x100000000,     (uint64_t)1 << 44,
                                    0x200000, 0x80000000u, ~(uint64_t)0, ~(uint64_t)0xfff};

    switch (random_below(random, 6)) {
    case 0:
    case 1:
        return PAGE * random_below(random, 9);
    case 2:
        return neighbour(random, PAGE * random_below(random, 40));
    case 3:
        return neighbour(random, old);
    case 4:
        return random_chance(random, 128) ? old * 2 : neighbour(random, power(random));
    default:
        return edge[random_below(random, sizeof(edge) / sizeof(edge[0]))];
    }
}

static uint64_t address(struct random *random, uint8_t world, uint64_t old)
{
    switch (random_below(random, 6)) {
    case 0:
        return neighbour(random, values_range_end(random, world));
    case 1:
        return values_range_end(random, world) - 1;
    case 2:
        return neighbour(random, power(random));
    case 3:
        return power(random) - 1;
    case 4:
        return random_chance(random, 128) ? neighbour(random, old) : values_io_page(random, world);
    default:
        return random_chance(random, 128) ? 0 : ~(uint64_t)0;
    }
}

static uint64_t flags(struct random *random, const struct program_operand *operand, uint64_t old)
{
    const struct program_bit *bit = operand->bits;
    unsigned count = 0;

    while (bit && bit[count].name)
        count++;
    switch (random_below(random, 8)) {
    case 0:
        return 0;
    case 1:
        return old ^ power(random);
    case 2:
        return random_chance(random, 64) ? ~(uint64_t)0 : (uint64_t)1 << random_below(random, 32);
    default:
        return count ? old ^ bit[random_below(random, count)].value : power(random);
    }
}

static uint64_t small_number(struct random *random)
{
    unsigned way = random_below(random, 32);

    if (way == 0)
        return power(random) - random_below(random, 2);
    if (way < 4)
        return random_below(random, 160);
    return random_below(random, way < 12 ? 16 : 4);
}

static uint64_t mask(struct random *random, uint64_t old)
{
    switch (random_below(random, 5)) {
    case 0:
        return 0;
    case 1:
        return neighbour(random, power(random));
    case 2:
        return old << 1 | (random_next(random) & 1);
    default:
        return PAGE << random_below(random, 8);
    }
}

static uint64_t access_offset(struct random *random)
{
    unsigned way = random_below(random, 16);

    if (way == 0)
        return neighbour(random, PAGE * random_below(random, 5));
    if (way < 4)
        return PAGE * random_below(random, 4) + 8u * random_below(random, 512);
    return way < 10 ? 8u * random_below(random, 4) : PAGE - 8;
}

static uint64_t any(struct random *random, uint64_t old)
{
    switch (random_below(random, 4)) {
    case 0:
        return random_below(random, 16);
    case 1:
        return neighbour(random, old);
    case 2:
        return neighbour(random, power(random));
    default:
        return random_next(random);
    }
}

uint64_t values_number(struct random *random, uint8_t world, const struct program_operand *operand,
                       uint64_t old)
{
    uint64_t value;

    if (random_chance(random, 32))
        return operand->preset;
    switch (operand->taste) {
    case PROGRAM_TASTE_BYTES:
        value = bytes(random, old);
        break;
    case PROGRAM_TASTE_ADDRESS:
        return address(random, world, old);
    case PROGRAM_TASTE_FLAGS:
        return flags(random, operand, old);
    case PROGRAM_TASTE_SMALL:
        return small_number(random);
    case PROGRAM_TASTE_MASK:
        return mask(random, old);
    case PROGRAM_TASTE_ACCESS:
        value = access_offset(random);
        break;
    default:
        value = any(random, old);
        break;
    }
    return operand->negative && random_chance(random, 128) ? 0 - value : value;
}
