/* SPDX-License-Identifier: MIT */
/*
 * What makes a call right: the unmap names the mapping's own object, the ADL
 * lies within its object, the range is I/O space. One function for each operation
 * whose operands have to do with each other.
 */
#include "compose.h"
#include "values.h"

#include "program/operands.h"
#include "program/world.h"

#define PAGE ((uint64_t)0x1000)

static uint64_t some_pages(struct composer *composer, unsigned most)
{
    return PAGE * (1 + random_below(&composer->random, most));
}

static uint64_t exact(unsigned variable)
{
    return PROGRAM_THING(PROGRAM_EXACT, variable);
}

/* Some way off the edge of something, mostly less than a page. */
static uint64_t nearby(struct composer *composer, uint64_t address)
{
    static const int32_t step[] = {0, 0, 0, 1, -1, 0x800, 0xfff, 0x1000, -0x1000, 0x2000};

    return address + (uint64_t)(int64_t)step[random_below(&composer->random, sizeof(step) / sizeof(step[0]))];
}

/* The highest address that a device sees: below all of RAM, so that DMA is remapped, or around some edge. */
static uint64_t some_visible(struct composer *composer)
{
    struct random *random = &composer->random;
    uint8_t world = composer->scope.world;

    switch (random_below(random, 8)) {
    case 0:
        return nearby(composer, values_io_page(random, world)) - 1;
    case 1:
        return nearby(composer, values_range_end(random, world)) - 1;
    case 2:
    case 3: /* logical addresses run out */
        return nearby(composer, some_pages(composer, 24)) - 1;
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

static void relate_io(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    uint64_t end;

    line->operand[CREATE_BASE] = values_io_page(random, composer->scope.world);
    line->operand[CREATE_SIZE] = some_pages(composer, 4);
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
        operand[CREATE_HIGH] = operand[CREATE_LOW] + some_pages(composer, 4) - 1;
        operand[CREATE_SKIP] = PAGE << random_below(random, 6);
        break;
    }
}

/* A window around pages that are handed out early, not always made of whole pages. */
static void relate_window(struct composer *composer, struct program_line *line)
{
    struct random *random = &composer->random;
    uint64_t low = values_ram_page(random, composer->scope.world);

    line->operand[CREATE_LOW] = nearby(composer, low);
    if (random_chance(random, 128))
        line->operand[CREATE_HIGH] = nearby(composer, low + some_pages(composer, 8)) - 1;
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
        line->operand[CREATE_HIGH] = nearby(composer, values_ram_page(random, composer->scope.world)) - 1;
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
        return nearby(composer, limit[0]);
    return nearby(composer, limit[random_below(&composer->random, sizeof(limit) / sizeof(limit[0]))]);
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

static void relate_create(struct composer *composer, struct program_line *line)
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
    operand[CREATE_SIZE] = some_pages(composer, compose_odd(composer) ? 24 : 4);
    if (compose_odd(composer))
        operand[CREATE_CACHE] = random_below(random, PROGRAM_CACHE_INVALID);
    relate_memory(composer, line);
    /* objects need not be whole pages; I/O ranges must */
    if (operand[CREATE_TYPE] != PROGRAM_TYPE_IO && !operand[CREATE_SKIP] && compose_odd(composer))
        operand[CREATE_SIZE] -= 1 + random_below(random, 0xfff);
    if (compose_often(composer, THEME_CONSTRAINTS, 2, 8))
        operand[CREATE_SIZE] = some_limit(composer, operand[CREATE_TYPE]);
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
            nearby(composer, 0);
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
        line->operand[ADL_SIZE] = some_pages(composer, pages - first);
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

/* The lead of the chain of a live adapter, and some index that the chain has. */
static void relate_chain(struct composer *composer, uint64_t *adapter, uint64_t *index, bool pinned)
{
    const struct scope *scope = &composer->scope;
    unsigned live = scope->live[PROGRAM_ADAPTER], wanted = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((live >> i & 1) && scope->adapter[i].pinned == pinned && scope->adapter[i].frame_buffer)
            wanted |= 1u << i;
    }
    if (!wanted)
        return;
    unsigned which = random_bit(&composer->random, wanted);
    *index = scope->adapter[which].index;
    for (unsigned i = 0, rest = scope_chain(scope, scope->adapter[which].chain); rest >> i; i++) {
        if ((rest >> i & 1) && scope->adapter[i].index < scope->adapter[which].index)
            which = i;
    }
    *adapter = exact(which);
}

static void relate_pin(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;

    relate_chain(composer, &line->operand[PIN_ADAPTER], &line->operand[PIN_INDEX], false);
    const struct scope_adapter *adapter = &scope->adapter[PROGRAM_VARIABLE_OF(line->operand[PIN_ADAPTER])];
    uint64_t pages = adapter->frame_buffer >> 12;
    line->operand[PIN_SIZE] = some_pages(composer, pages ? (unsigned)(pages > 16 ? 16 : pages) : 1);
    line->operand[PIN_FLAGS] = compose_odd(composer);
}

/* What an allocation asks for is what a CREATE of its type asks for. */
static void relate_allocate(struct composer *composer, struct program_line *line)
{
    bool pages = line->opcode == OP_PAGES;
    struct program_line create = {.opcode = OP_CREATE};
    unsigned offering = scope_offering(&composer->scope);
    uint64_t *operand = line->operand;

    if (offering && !random_chance(&composer->random, 16))
        operand[CONTIGUOUS_ADAPTER] = compose_pick(composer, offering);
    create.operand[CREATE_TYPE] = pages ? PROGRAM_TYPE_MDL : PROGRAM_TYPE_CONTIGUOUS;
    create.operand[CREATE_HIGH] = UINT64_MAX;
    create.operand[CREATE_SIZE] = some_pages(composer, compose_odd(composer) ? 24 : 4);
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

/* An adapter of the memory's own chain. */
static void relate_chain_of_memory(struct composer *composer, struct program_line *line)
{
    const struct scope_memory *memory =
        &composer->scope.memory[PROGRAM_VARIABLE_OF(line->operand[MEMORY_MEMORY])];
    unsigned adapters = scope_chain(&composer->scope, memory->chain);

    if (adapters)
        line->operand[MEMORY_ADAPTER] = compose_pick(composer, adapters);
}

static void relate_free(struct composer *composer, struct program_line *line)
{
    const struct scope *scope = &composer->scope;
    unsigned own = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_MEMORY] >> i & 1) && scope->memory[i].mdl == (line->opcode == OP_FREE_PAGES))
            own |= 1u << i;
    }
    if (own && !random_chance(&composer->random, 12))
        line->operand[MEMORY_MEMORY] = compose_pick(composer, own);
    if (!random_chance(&composer->random, 12))
        relate_chain_of_memory(composer, line);
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
        relate_pin(composer, line);
        break;
    case OP_UNPIN:
        relate_chain(composer, &line->operand[UNPIN_ADAPTER], &line->operand[UNPIN_INDEX], true);
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
        relate_free(composer, line);
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
