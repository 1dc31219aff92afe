/* SPDX-License-Identifier: MIT */
/*
 * What makes a call right: the unmap names the mapping's own object, the ADL
 * lies within its object, the range is I/O space. One function for each operation
 * whose operands have to do with each other.
 */
#include "relate.h"
#include "values.h"

#include "program/operands.h"
#include "program/world.h"

static uint64_t exact(unsigned variable)
{
    return PROGRAM_THING(PROGRAM_EXACT, variable);
}

/* The highest address that a device sees: below all of RAM, so that DMA is remapped, or around some edge. */
static uint64_t some_visible(struct composer *composer)
{
    struct random *random = &composer->random;
    uint8_t world = composer->scope.world;

    switch (random_below(random, 8)) {
    case 0:
        return relate_nearby(composer, values_io_page(random, world)) - 1;
    case 1:
        return relate_nearby(composer, values_range_end(random, world)) - 1;
    case 2:
    case 3: /* logical addresses run out */
        return relate_nearby(composer, relate_pages(composer, 24)) - 1;
    default:
        return (PAGE << (8 + random_below(random, 14))) - 1;
    }
}

static void relate_quota(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;

    if (compose_often(composer, THEME_QUOTA, 24, 160))
        line->operand[ADD_QUOTA_PAGES] = random_below(random, random_chance(random, 128) ? 8 : 24);
    if (compose_often(composer, THEME_QUOTA, 24, 128))
        line->operand[ADD_QUOTA_ADLS] = random_below(random, 5);
}

/* A driver of the WDDM 2.4 memory callbacks: an old one, or one that claims no remapping. */
static void relate_old_driver(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;

    line->operand[ADD_VISIBLE] = UINT64_MAX;
    line->operand[ADD_REMAP] = PROGRAM_REMAP_UNSUPPORTED;
    line->operand[ADD_WDDM] = PROGRAM_WDDM_2_4 + random_below(random, PROGRAM_WDDMS - PROGRAM_WDDM_2_4);
    if (line->operand[ADD_WDDM] < PROGRAM_WDDM_3_0)
        line->operand[ADD_REMAP] = PROGRAM_REMAP_AUTO;
}

static void relate_add(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    const struct scope *scope = &composer->scope;
    unsigned live = scope->live[PROGRAM_ADAPTER];

    line->operand[ADD_LINK] = PROGRAM_THING(PROGRAM_NULL, 0);
    line->operand[ADD_REMAP] = random_chance(random, 64) ? PROGRAM_REMAP_ALWAYS : PROGRAM_REMAP_AUTO;
    line->operand[ADD_WDDM] = PROGRAM_WDDM_3_2;
    if (compose_odd(composer))
        line->operand[ADD_WDDM] = PROGRAM_WDDM_2_9 + random_below(random, PROGRAM_WDDMS - PROGRAM_WDDM_2_9);
    /* those that know nothing of the callbacks; the first adapter says what the interface has */
    if (live && compose_often(composer, THEME_LEVELS, 24, 128))
        line->operand[ADD_WDDM] = random_below(random, PROGRAM_WDDM_2_9);
    if (compose_often(composer, THEME_CONSTRAINTS, 64, 128))
        line->operand[ADD_VISIBLE] = some_visible(composer);
    if (compose_odd(composer))
        line->operand[ADD_FRAME_BUFFER] = PAGE * random_below(random, 9);
    if (compose_often(composer, THEME_MEMORIES, 20, 208))
        relate_old_driver(composer, line);
    relate_quota(composer, line);
    if (live &&
        compose_often(composer, THEME_LINKED, composer->swarm.theme == THEME_LEVELS ? 48 : 144, 232)) {
        unsigned to = random_bit(random, live);
        line->operand[ADD_LINK] = exact(to);
        line->operand[ADD_WDDM] = scope->adapter[to].wddm;
    }
}

/* Objects that nothing holds, mostly; any live one now and then, so that the refusals are met too. */
static void relate_destroy(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;
    unsigned live = scope->live[PROGRAM_OBJECT], idle = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((live >> i & 1) && !scope_in_use(scope, i))
            idle |= 1u << i;
    }
    if (idle && !compose_odd(composer))
        line->operand[DESTROY_OBJECT] = compose_pick(composer, idle);
    unsigned object = PROGRAM_VARIABLE_OF(line->operand[DESTROY_OBJECT]);
    line->operand[DESTROY_WITH] = PROGRAM_THING(PROGRAM_NULL, 0);
    if (scope->object[object].open && scope->object[object].opened != SCOPE_NONE)
        line->operand[DESTROY_WITH] = exact(scope->object[object].opened);
}

static void relate_open(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;
    unsigned closed = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_OBJECT] >> i & 1) && !scope->object[i].open)
            closed |= 1u << i;
    }
    /* also what is open already: through the same adapter, one linked to it, another one */
    if (closed && !compose_often(composer, THEME_LINKED, 16, 64))
        line->operand[OPEN_OBJECT] = compose_pick(composer, closed);
}

static void relate_close(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;
    unsigned idle = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_ADAPTER_OBJECT] >> i & 1) && !scope_has_adl(scope, i))
            idle |= 1u << i;
    }
    if (idle && !compose_odd(composer))
        line->operand[CLOSE_ADAPTER_OBJECT] = compose_pick(composer, idle);
}

static void relate_map(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    const struct scope_object *object =
        &composer->scope.object[PROGRAM_VARIABLE_OF(line->operand[MAP_OBJECT])];
    /* positions are picked in 32 bits */
    unsigned size = object->size > 0x80000000u ? 0x80000000u : (unsigned)object->size;

    line->operand[MAP_MODE] = PROGRAM_MODE_KERNEL;
    if (object->type != PROGRAM_TYPE_IO && compose_often(composer, THEME_PROCESS, 112, 224))
        line->operand[MAP_MODE] = PROGRAM_MODE_USER;
    if (!size)
        return;
    line->operand[MAP_SIZE] = size;
    if (size > PAGE && random_chance(random, 112)) {
        line->operand[MAP_OFFSET] = random_below(random, size) & ~(unsigned)0xfff;
        line->operand[MAP_SIZE] = size - line->operand[MAP_OFFSET];
    }
    if (compose_odd(composer)) { /* any byte range will do */
        line->operand[MAP_OFFSET] = random_below(random, size);
        line->operand[MAP_SIZE] = 1 + random_below(random, size - (unsigned)line->operand[MAP_OFFSET]);
    }
}

static void relate_unmap(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;
    unsigned reachable = scope_reachable_mappings(scope);

    line->operand[UNMAP_EXTRA] = line->operand[UNMAP_SHIFT] = 0;
    if (random_chance(&composer->random, 8)) /* nearly the size, nearly the base */
        line->operand[random_chance(&composer->random, 192) ? UNMAP_EXTRA : UNMAP_SHIFT] =
            relate_nearby(composer, 0);
    if (reachable && !random_chance(&composer->random, 16))
        line->operand[UNMAP_MAPPING] = compose_pick(composer, reachable);
    unsigned object = scope->mapping[PROGRAM_VARIABLE_OF(line->operand[UNMAP_MAPPING])].object;
    if (object != SCOPE_NONE)
        line->operand[UNMAP_OBJECT] = exact(object);
}

static void relate_adl(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    const struct scope *scope = &composer->scope;
    unsigned which = scope->adapter_object[PROGRAM_VARIABLE_OF(line->operand[ADL_ADAPTER_OBJECT])].object;
    unsigned pages = 1;
    bool block = false;

    if (which != SCOPE_NONE) {
        const struct scope_object *object = &scope->object[which];
        pages = object->size > 0x10000000u ? 0x10000u : (unsigned)((object->size + PAGE - 1) >> 12);
        block = object->type == PROGRAM_TYPE_CONTIGUOUS || object->type == PROGRAM_TYPE_IO;
    }
    unsigned first = random_chance(random, 96) ? random_below(random, pages) : 0;
    line->operand[ADL_OFFSET] = first * PAGE;
    line->operand[ADL_SIZE] = (pages - first) * PAGE;
    if (random_chance(random, 64))
        line->operand[ADL_SIZE] = relate_pages(composer, pages - first);
    line->operand[ADL_FLAGS] = random_below(random, block ? 4 : 2) * (block ? 1u : 2u);
    if (random_chance(random, 96))
        line->operand[ADL_FLAGS] = 0;
}

static void relate_free_adl(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;
    unsigned live = scope->live[PROGRAM_ADL], own = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((live >> i & 1) && !scope->adl[i].frame_buffer && scope->adl[i].owner != SCOPE_NONE)
            own |= 1u << i;
    }
    line->operand[FREE_ADL_SHIFT] = 0;
    if (own && !random_chance(&composer->random, 8))
        line->operand[FREE_ADL_ADL] = compose_pick(composer, own);
    if ((own & scope->scribbled) && random_chance(&composer->random, 192))
        line->operand[FREE_ADL_ADL] = compose_pick(composer, own & scope->scribbled);
    unsigned owner = scope->adl[PROGRAM_VARIABLE_OF(line->operand[FREE_ADL_ADL])].owner;
    if (owner != SCOPE_NONE)
        line->operand[FREE_ADL_ADAPTER_OBJECT] = exact(owner);
}

/* Live adapters whose frame buffer is pinned, or is not and can be. */
static unsigned adapters_with(const struct scope *scope, bool pinned)
{
    unsigned wanted = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        const struct scope_adapter *adapter = &scope->adapter[i];
        if ((scope->live[PROGRAM_ADAPTER] >> i & 1) && adapter->pinned == pinned && adapter->frame_buffer)
            wanted |= 1u << i;
    }
    return wanted;
}

/* One of these adapters: the lead of its chain, and its index; returns it, or SCOPE_NONE. */
static unsigned relate_chain(struct composer *composer, uint64_t *adapter, uint64_t *index, unsigned wanted)
{
    const struct scope *scope = &composer->scope;

    if (!wanted)
        return SCOPE_NONE;
    unsigned which = random_bit(&composer->random, wanted), chosen = which;
    *index = scope->adapter[which].index;
    for (unsigned i = 0, rest = scope_chain(scope, scope->adapter[which].chain); rest >> i; i++) {
        if ((rest >> i & 1) && scope->adapter[i].index < scope->adapter[which].index)
            which = i;
    }
    *adapter = exact(which);
    return chosen;
}

static void relate_pin(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;

    (void)relate_chain(composer, &line->operand[PIN_ADAPTER], &line->operand[PIN_INDEX],
                       adapters_with(scope, false));
    const struct scope_adapter *adapter = &scope->adapter[PROGRAM_VARIABLE_OF(line->operand[PIN_ADAPTER])];
    uint64_t pages = adapter->frame_buffer >> 12;
    line->operand[PIN_SIZE] = relate_pages(composer, pages ? (unsigned)(pages > 16 ? 16 : pages) : 1);
    if (line->opcode == OP_PIN)
        line->operand[PIN_FLAGS] = compose_odd(composer);
}

/* Live adapters that offer to map what they report to save; unmapped: and is not mapped. */
static unsigned adapters_that_map(const struct scope *scope, bool unmapped)
{
    unsigned wanted = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        const struct scope_adapter *adapter = &scope->adapter[i];
        if ((scope->live[PROGRAM_ADAPTER] >> i & 1) && adapter->offers && adapter->frame_buffer &&
            (!unmapped || adapter->mapped == SCOPE_NONE))
            wanted |= 1u << i;
    }
    return wanted;
}

/* Part of what can be saved. */
static void relate_map_fb(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    unsigned which = relate_chain(composer, &line->operand[MAP_FB_ADAPTER], &line->operand[MAP_FB_INDEX],
                                  adapters_that_map(&composer->scope, !random_chance(random, 32)));
    uint64_t saved = which == SCOPE_NONE ? 0 : composer->scope.adapter[which].frame_buffer >> 12;
    unsigned pages = saved == 0 ? 1 : saved > 16 ? 16 : (unsigned)saved;
    unsigned first = random_chance(random, 128) ? random_below(random, pages) : 0;

    line->operand[MAP_FB_OFFSET] = first * PAGE;
    line->operand[MAP_FB_SIZE] =
        random_chance(random, 96) ? (pages - first) * PAGE : relate_pages(composer, pages - first);
    if (random_chance(random, 8))
        line->operand[random_chance(random, 128) ? MAP_FB_OFFSET : MAP_FB_SIZE] =
            relate_nearby(composer, PAGE);
}

/* The mapping of what is mapped. */
static void relate_unmap_fb(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;
    unsigned mapped = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_ADAPTER] >> i & 1) && scope->adapter[i].mapped < PROGRAM_VARIABLES)
            mapped |= 1u << i;
    }
    unsigned which =
        relate_chain(composer, &line->operand[UNMAP_FB_ADAPTER], &line->operand[UNMAP_FB_INDEX], mapped);
    line->operand[UNMAP_FB_SHIFT] = random_chance(&composer->random, 8) ? relate_nearby(composer, 0) : 0;
    if (which != SCOPE_NONE && !random_chance(&composer->random, 16))
        line->operand[UNMAP_FB_MAPPING] = exact(scope->adapter[which].mapped);
}

/* An adapter of the memory's own chain. */
static void relate_chain_of_memory(struct composer *composer, struct program_line *line)
{
    const struct scope_memory *memory =
        &composer->scope.memory[PROGRAM_VARIABLE_OF(line->operand[MEMORY_MEMORY])];
    unsigned adapters = scope_chain(&composer->scope, memory->chain);

    if (adapters)
        line->operand[MEMORY_ADAPTER] = compose_pick(composer, adapters);
}

/* Live memories that this operation ends; those whose MDL the driver wrote to, if wanted and there are any. */
static unsigned memories_of_kind(const struct scope *scope, uint8_t end, bool scribbled)
{
    unsigned all = 0, written = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if (!(scope->live[PROGRAM_MEMORY] >> i & 1) || scope_end_of(scope->memory[i].made) != end)
            continue;
        all |= 1u << i;
        written |= (unsigned)scope->memory[i].scribbled << i;
    }
    return scribbled && written ? written : all;
}

static void relate_free(struct composer *composer, struct program_line *line)
{
    unsigned own = memories_of_kind(&composer->scope, line->opcode, random_chance(&composer->random, 192));

    if (own && !random_chance(&composer->random, 12))
        line->operand[MEMORY_MEMORY] = compose_pick(composer, own);
    if (!random_chance(&composer->random, 12))
        relate_chain_of_memory(composer, line);
}

/* Mostly a good one; few pages, so that MDLs meet often, but not always. */
static void relate_map_mdl(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    unsigned offering = scope_offering(&composer->scope);
    uint64_t *operand = line->operand;

    if (offering && !random_chance(random, 16))
        operand[MAP_MDL_ADAPTER] = compose_pick(composer, offering);
    if (random_chance(random, 160))
        operand[MAP_MDL_MDL] = PROGRAM_MDL_GOOD;
    operand[MAP_MDL_AT] = random_below(random, DXGKMEM_SIM_DRIVER_PAGES);
    operand[MAP_MDL_OFFSET] = compose_odd(composer) ? random_below(random, 0x1100) : 0;
    operand[MAP_MDL_SIZE] = relate_pages(composer, compose_odd(composer) ? 16 : 3);
    if (compose_odd(composer))
        operand[MAP_MDL_SIZE] -= random_below(random, 0x1001);
    if (operand[MAP_MDL_MDL] == PROGRAM_MDL_TWICE) /* takes two pages */
        operand[MAP_MDL_SIZE] += 0x1000;
}

static void relate_memory_access(struct composer *composer, struct program_line *line)
{
    const struct scope_memory *memory =
        &composer->scope.memory[PROGRAM_VARIABLE_OF(line->operand[MEMORY_MEMORY])];

    relate_chain_of_memory(composer, line);
    line->operand[DMA_PAGE] =
        random_below(&composer->random, memory->pages > 0x10000 ? 0x10000u : (unsigned)memory->pages);
}

static void relate_dma(struct composer *composer, struct program_line *line)
{
    const struct scope_adl *adl = &composer->scope.adl[PROGRAM_VARIABLE_OF(line->operand[DMA_ADL])];
    unsigned adapters = scope_chain(&composer->scope, adl->chain);

    if (adapters)
        line->operand[DMA_ADAPTER] = compose_pick(composer, adapters);
    line->operand[DMA_PAGE] =
        random_below(&composer->random, adl->pages > 0x10000 ? 0x10000u : (unsigned)adl->pages);
}

/* What the driver writes to an ADL could be true: fewer pages, other pages. */
static void relate_scribble(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    const struct scope_adl *adl = &composer->scope.adl[PROGRAM_VARIABLE_OF(line->operand[SCRIBBLE_ADL])];
    unsigned pages = adl->pages > 16 ? 16 : (unsigned)adl->pages;

    line->operand[SCRIBBLE_FIELD] = random_below(random, PROGRAM_FIELD_ENTRY + 1);
    if (random_chance(random, 192))
        line->operand[SCRIBBLE_VALUE] = random_below(random, pages + 2);
}

static void relate_scribble_mdl(struct composer *composer, struct program_line *line)
{
    unsigned written = memories_of_kind(&composer->scope, OP_FREE_PAGES, false);

    if (written)
        line->operand[SCRIBBLE_MDL_MEMORY] = compose_pick(composer, written);
    line->operand[SCRIBBLE_MDL_FIELD] = random_below(&composer->random, PROGRAM_MDL_ENTRY + 1);
}

static void relate_cpu(struct composer *composer, struct program_line *line)
{
    unsigned reachable = scope_reachable_mappings(&composer->scope);

    if (reachable && !random_chance(&composer->random, 16))
        line->operand[CPU_MAPPING] = compose_pick(composer, reachable);
}

/* A process that has user mappings, if there is one. */
static uint64_t mapped_process(struct composer *composer)
{
    const struct scope *scope = &composer->scope;
    unsigned processes = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if (scope->live[PROGRAM_MAPPING] >> i & 1)
            processes |= 1u << scope->mapping[i].process;
    }
    processes &= ~1u; /* the kernel */
    return processes ? random_bit(&composer->random, processes) : 1;
}

static void relate_condition(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;

    switch (line->opcode) {
    case OP_IRQL:
        line->operand[CONDITION_VALUE] = composer->scope.irql ? 0 : 1 + random_below(random, 2);
        break;
    case OP_FAIL:
        line->operand[CONDITION_VALUE] = 1 + random_below(random, random_chance(random, 192) ? 4 : 12);
        break;
    default: /* processes */
        line->operand[CONDITION_VALUE] = 1 + random_below(random, 3);
        if (random_chance(random, 128))
            line->operand[CONDITION_VALUE] = mapped_process(composer);
        break;
    }
}

void compose_relate(struct composer *composer, struct program_line *line)
{
    switch (line->opcode) {
    case OP_ADD:
        relate_add(composer, line);
        break;
    case OP_CREATE:
        relate_create(composer, line);
        break;
    case OP_DESTROY:
        relate_destroy(composer, line);
        break;
    case OP_OPEN:
        relate_open(composer, line);
        break;
    case OP_CLOSE:
        relate_close(composer, line);
        break;
    case OP_MAP:
        relate_map(composer, line);
        break;
    case OP_UNMAP:
        relate_unmap(composer, line);
        break;
    case OP_ADL:
        relate_adl(composer, line);
        break;
    case OP_FREE_ADL:
        relate_free_adl(composer, line);
        break;
    case OP_PIN:
    case OP_PIN_MDL:
        relate_pin(composer, line);
        break;
    case OP_UNPIN:
        (void)relate_chain(composer, &line->operand[UNPIN_ADAPTER], &line->operand[UNPIN_INDEX],
                           adapters_with(&composer->scope, true));
        break;
    case OP_MAP_FB:
        relate_map_fb(composer, line);
        break;
    case OP_UNMAP_FB:
        relate_unmap_fb(composer, line);
        break;
    case OP_DMA_READ:
    case OP_DMA_WRITE:
        relate_dma(composer, line);
        break;
    case OP_CONTIGUOUS:
    case OP_PAGES:
        relate_allocate(composer, line);
        break;
    case OP_FREE_CONTIGUOUS:
    case OP_FREE_PAGES:
    case OP_UNMAP_MDL:
        relate_free(composer, line);
        break;
    case OP_MAP_MDL:
        relate_map_mdl(composer, line);
        break;
    case OP_MEMORY_READ:
    case OP_MEMORY_WRITE:
        relate_memory_access(composer, line);
        break;
    case OP_CPU_READ:
    case OP_CPU_WRITE:
        relate_cpu(composer, line);
        break;
    case OP_SCRIBBLE:
        relate_scribble(composer, line);
        break;
    case OP_SCRIBBLE_MDL:
        relate_scribble_mdl(composer, line);
        break;
    case OP_PROCESS:
    case OP_EXIT:
    case OP_IRQL:
    case OP_FAIL:
        relate_condition(composer, line);
        break;
    default:
        break;
    }
}
