/* SPDX-License-Identifier: MIT */
/*
 * Composing by the table alone: which operation, which variables, which
 * mistakes. Operations that the table has and relate.c does not know are
 * composed too, only less well.
 */
#include "compose.h"

#include "values.h"

#define WEIGHT_UNLISTED 4
#define WEIGHT_UNIT 16 /* so that a sixteenth of a weight is still something */
#define ALL_VARIABLES 0xffffu

/* How often each operation is wanted, before the swarm has its say. Themes leave out what is not listed. */
/* clang-format off */
static const uint8_t usual_weight[THEMES][PROGRAM_OPCODES] = {
    [THEME_ANYTHING] = {
        [OP_ADD] = 2, [OP_REMOVE] = 2, [OP_CREATE] = 20, [OP_DESTROY] = 11, [OP_OPEN] = 8, [OP_CLOSE] = 5,
        [OP_MAP] = 13, [OP_UNMAP] = 12, [OP_ADL] = 20, [OP_FREE_ADL] = 17, [OP_PIN] = 3, [OP_UNPIN] = 4,
        [OP_LEGACY] = 1, [OP_UNRELATED] = 1, [OP_DMA_READ] = 8, [OP_DMA_WRITE] = 10, [OP_CPU_READ] = 7,
        [OP_CPU_WRITE] = 8, [OP_SCRIBBLE] = 3, [OP_PROCESS] = 2, [OP_EXIT] = 1, [OP_IRQL] = 1,
        [OP_FAIL] = 4, [OP_ARGS] = 1, [OP_STOP] = 1, [OP_CONTIGUOUS] = 5, [OP_FREE_CONTIGUOUS] = 4,
        [OP_PAGES] = 5, [OP_FREE_PAGES] = 4, [OP_MEMORY_READ] = 2, [OP_MEMORY_WRITE] = 2,
        [OP_SCRIBBLE_MDL] = 1, [OP_MAP_MDL] = 4, [OP_UNMAP_MDL] = 3, [OP_PIN_MDL] = 2,
        [OP_MAP_FB] = 2, [OP_UNMAP_FB] = 2,
    },
    [THEME_LIFECYCLE] = {
        [OP_ADD] = 1, [OP_CREATE] = 6, [OP_DESTROY] = 8, [OP_OPEN] = 10, [OP_CLOSE] = 10, [OP_MAP] = 10,
        [OP_UNMAP] = 12, [OP_ADL] = 16, [OP_FREE_ADL] = 16, [OP_REMOVE] = 2, [OP_DMA_WRITE] = 4,
        [OP_CPU_WRITE] = 4,
    },
    [THEME_CONSTRAINTS] = {
        [OP_ADD] = 2, [OP_CREATE] = 40, [OP_DESTROY] = 6, [OP_OPEN] = 6, [OP_ADL] = 32, [OP_FREE_ADL] = 8,
        [OP_MAP] = 4,
    },
    [THEME_LINKED] = {
        [OP_ADD] = 10, [OP_REMOVE] = 4, [OP_CREATE] = 12, [OP_DESTROY] = 3, [OP_OPEN] = 16, [OP_CLOSE] = 6,
        [OP_ADL] = 14, [OP_FREE_ADL] = 6, [OP_PIN] = 8, [OP_UNPIN] = 6, [OP_DMA_WRITE] = 8,
        [OP_DMA_READ] = 6,
    },
    [THEME_SCRIBBLE] = {
        [OP_ADD] = 1, [OP_CREATE] = 10, [OP_DESTROY] = 3, [OP_ADL] = 20, [OP_FREE_ADL] = 12,
        [OP_SCRIBBLE] = 20, [OP_CLOSE] = 2, [OP_DMA_READ] = 4, [OP_PIN] = 3, [OP_UNPIN] = 3,
    },
    [THEME_QUOTA] = {
        [OP_ADD] = 2, [OP_REMOVE] = 1, [OP_CREATE] = 24, [OP_DESTROY] = 12, [OP_OPEN] = 16, [OP_CLOSE] = 16,
        [OP_ADL] = 16, [OP_FREE_ADL] = 12, [OP_PIN] = 6, [OP_UNPIN] = 6, [OP_FAIL] = 2,
    },
    [THEME_PROCESS] = {
        [OP_ADD] = 1, [OP_CREATE] = 10, [OP_DESTROY] = 4, [OP_MAP] = 30, [OP_UNMAP] = 16, [OP_PROCESS] = 12,
        [OP_CPU_READ] = 6, [OP_CPU_WRITE] = 8, [OP_EXIT] = 8,
    },
    [THEME_IRQL] = {
        [OP_ADD] = 2, [OP_CREATE] = 12, [OP_DESTROY] = 8, [OP_OPEN] = 6, [OP_CLOSE] = 6, [OP_MAP] = 8,
        [OP_UNMAP] = 8, [OP_ADL] = 10, [OP_FREE_ADL] = 10, [OP_PIN] = 4, [OP_UNPIN] = 4, [OP_IRQL] = 12,
        [OP_ARGS] = 4, [OP_REMOVE] = 1,
    },
    [THEME_LEVELS] = {
        [OP_ADD] = 14, [OP_REMOVE] = 4, [OP_CREATE] = 14, [OP_DESTROY] = 4, [OP_OPEN] = 20, [OP_CLOSE] = 6,
        [OP_PIN] = 8, [OP_UNPIN] = 8, [OP_ADL] = 6, [OP_LEGACY] = 3, [OP_UNRELATED] = 2,
    },
    [THEME_FAULTS] = {
        [OP_ADD] = 3, [OP_CREATE] = 20, [OP_DESTROY] = 6, [OP_OPEN] = 8, [OP_CLOSE] = 4, [OP_MAP] = 14,
        [OP_UNMAP] = 8, [OP_ADL] = 20, [OP_FREE_ADL] = 8, [OP_PIN] = 6, [OP_UNPIN] = 4, [OP_FAIL] = 30,
    },
    [THEME_MEMORIES] = {
        [OP_ADD] = 8, [OP_REMOVE] = 3, [OP_CREATE] = 4, [OP_DESTROY] = 2, [OP_CONTIGUOUS] = 20,
        [OP_FREE_CONTIGUOUS] = 18, [OP_PAGES] = 20, [OP_FREE_PAGES] = 18, [OP_MEMORY_READ] = 4,
        [OP_MEMORY_WRITE] = 8, [OP_CPU_READ] = 4, [OP_CPU_WRITE] = 6, [OP_SCRIBBLE_MDL] = 5, [OP_FAIL] = 4,
        [OP_UNMAP] = 2, [OP_LEGACY] = 1, [OP_MAP_MDL] = 16, [OP_UNMAP_MDL] = 12, [OP_PIN_MDL] = 6,
        [OP_UNPIN] = 4, [OP_MAP_FB] = 8, [OP_UNMAP_FB] = 6,
    },
};
/* clang-format on */

/* Operations without which little happens: no swarm leaves them out. */
static bool is_essential(unsigned opcode)
{
    return opcode == OP_ADD || opcode == OP_CREATE;
}

/* The kinds of things that an operation must name. Keys may be left out. */
static uint8_t needs(const struct program_operation *operation)
{
    unsigned kinds = 0;

    for (unsigned i = 0; i < operation->operands; i++) {
        if (operation->operand[i].type == PROGRAM_OPERAND_THING && !operation->operand[i].name)
            kinds |= 1u << operation->operand[i].kind;
    }
    return (uint8_t)kinds;
}

void compose_swarm(struct composer *composer)
{
    static const uint8_t misuse[] = {0, 16, 32, 48, 64, 96};
    struct random *random = &composer->random;
    struct swarm *swarm = &composer->swarm;

    swarm->theme = random_chance(random, 128) ? THEME_ANYTHING : (enum theme)random_below(random, THEMES);
    uint64_t moods = 0; /* four bits each */
    for (unsigned i = 0; i < PROGRAM_OPCODES; i++, moods >>= 4) {
        unsigned weight = usual_weight[swarm->theme][i];
        if (i % 16 == 0)
            moods = random_next(random);
        if (swarm->theme == THEME_ANYTHING && !weight)
            weight = WEIGHT_UNLISTED;
        if ((moods & 15) < 2 && !is_essential(i))
            weight = 0;
        swarm->opcode[i] = (uint16_t)(weight * WEIGHT_UNIT * ((moods & 15) > 13 ? 4 : 1));
        swarm->needs[i] = needs(&program_operations[i]);
    }
    for (unsigned i = 0; i < PROGRAM_CLASSES; i++)
        swarm->class[i] = (uint16_t)(random_chance(random, 128) ? 1 + random_below(random, 4) : 0);
    swarm->class[PROGRAM_EXACT] = (uint16_t)(swarm->class[PROGRAM_EXACT] + 2);
    swarm->misuse = misuse[random_below(random, sizeof(misuse))];
    swarm->odd = 16 + 32 * random_below(random, 4);
}

/* -- operands by the table ------------------------------------------------------ */

/* Names that hold nothing yet, in order; sometimes those of ended things, rarely live ones. */
static uint64_t pick_bind(struct composer *composer, enum program_kind kind)
{
    struct random *random = &composer->random;
    unsigned unused = ALL_VARIABLES & ~(unsigned)composer->scope.bound[kind];
    unsigned ended = composer->scope.bound[kind] & ~(unsigned)composer->scope.live[kind];

    /* who likes what a variable held before needs variables that held something before */
    unsigned reuse = composer->swarm.class[PROGRAM_PREVIOUS] ? 112 : 48;

    if (random_chance(random, reuse / 8))
        return random_below(random, PROGRAM_VARIABLES / 4);
    if (ended && (!unused || random_chance(random, reuse)))
        return random_bit(random, ended);
    if (!unused)
        return random_below(random, PROGRAM_VARIABLES);
    return random_bit(random, unused & (0u - unused));
}

static void fill_operand(struct composer *composer, const struct program_operand *operand, uint64_t *value)
{
    struct random *random = &composer->random;

    *value = operand->preset;
    switch (operand->type) {
    case PROGRAM_OPERAND_BIND:
        *value = pick_bind(composer, operand->kind);
        break;
    case PROGRAM_OPERAND_THING:
        /* a key may stay away; what has none must name something */
        if (!operand->name || random_chance(random, 128)) {
            unsigned live = composer->scope.live[operand->kind];
            *value = compose_pick(composer, live ? live : composer->scope.bound[operand->kind]);
        }
        break;
    case PROGRAM_OPERAND_CHOICE:
        if (compose_odd(composer))
            *value = random_below(random, operand->count);
        break;
    case PROGRAM_OPERAND_NUMBER:
        if (operand->taste == PROGRAM_TASTE_SMALL || operand->taste == PROGRAM_TASTE_ACCESS) {
            if (random_chance(random, 128))
                *value = values_number(random, composer->scope.world, operand, *value);
        }
        break;
    }
}

void compose_operation(struct composer *composer, struct program_line *line, unsigned opcode)
{
    const struct program_operation *operation = &program_operations[opcode];

    line->opcode = (uint8_t)opcode;
    line->source = 0;
    for (unsigned i = 0; i < PROGRAM_OPERANDS; i++) {
        line->operand[i] = 0;
        if (i < operation->operands)
            fill_operand(composer, &operation->operand[i], &line->operand[i]);
    }
    compose_relate(composer, line);
}

/* -- which operation ------------------------------------------------------------ */

/* The kinds, one bit each, that have no variable in their mask. */
static unsigned missing(const uint16_t mask[PROGRAM_KINDS])
{
    unsigned kinds = 0;

    for (unsigned kind = 0; kind < PROGRAM_KINDS; kind++)
        kinds |= (unsigned)!mask[kind] << kind;
    return kinds;
}

static unsigned count_bits(unsigned mask)
{
    unsigned bits = 0;

    for (; mask; mask &= mask - 1)
        bits++;
    return bits;
}

/* What is wanted now: lives that have begun go on before many more begin. */
static unsigned adjust(const struct scope *scope, unsigned opcode, unsigned weight, bool ending)
{
    unsigned objects = count_bits(scope->live[PROGRAM_OBJECT]);
    unsigned open = count_bits(scope->live[PROGRAM_ADAPTER_OBJECT]);
    bool pinned = false;

    switch (opcode) {
    case OP_ADD:
        return scope->live[PROGRAM_ADAPTER] ? weight : weight * 8;
    case OP_CREATE:
        return objects ? weight / objects : weight * 2;
    case OP_OPEN:
        return objects > open ? weight : weight / 8;
    case OP_UNPIN:
        for (unsigned i = 0; i < PROGRAM_VARIABLES; i++)
            pinned |= scope->adapter[i].pinned;
        return pinned ? weight : weight / 8;
    case OP_FREE_ADL:
        return scope->scribbled ? weight * 4 : weight;
    case OP_IRQL: /* nothing works until it is lowered */
        return scope->irql > APC_LEVEL ? 160 * WEIGHT_UNIT : weight;
    case OP_STOP:
        return ending ? weight : weight / 16;
    default:
        return weight;
    }
}

static unsigned choose_opcode(struct composer *composer, bool ending)
{
    const struct scope *scope = &composer->scope;
    uint16_t weight[PROGRAM_OPCODES];
    unsigned never = missing(scope->bound);
    unsigned ended = missing(scope->live);

    for (unsigned i = 0; i < PROGRAM_OPCODES; i++) {
        unsigned wanted = 0, needs = composer->swarm.needs[i];
        if (!(needs & never))
            wanted = adjust(scope, i, composer->swarm.opcode[i], ending);
        weight[i] = (uint16_t)(needs & ended ? wanted / 16 : wanted);
    }
    unsigned opcode = random_weighted(&composer->random, weight, PROGRAM_OPCODES);
    return opcode < PROGRAM_OPCODES ? opcode : OP_ADD;
}

void compose_line(struct composer *composer, struct program_line *line, bool ending)
{
    compose_operation(composer, line, choose_opcode(composer, ending));
    if (random_chance(&composer->random, composer->swarm.misuse))
        compose_mistake(composer, line);
}

/* -- mistakes --------------------------------------------------------------------- */

/* One operand of the given types (bits by enum program_operand_type), or -1. */
static int choose_operand(struct composer *composer, const struct program_line *line, unsigned types)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    unsigned mask = 0;

    for (unsigned i = 0; i < operation->operands; i++) {
        if (types >> operation->operand[i].type & 1)
            mask |= 1u << i;
    }
    return mask ? (int)random_bit(&composer->random, mask) : -1;
}

/* Another variable: an ended one where there is one, else any that was bound. */
static uint64_t misname(struct composer *composer, enum program_kind kind)
{
    const struct scope *scope = &composer->scope;
    unsigned ended = scope->bound[kind] & ~(unsigned)scope->live[kind];

    if (ended && random_chance(&composer->random, 176))
        return compose_pick(composer, ended);
    return compose_pick(composer, scope->bound[kind] ? scope->bound[kind] : ALL_VARIABLES);
}

static uint64_t misuse_thing(struct composer *composer, enum program_kind kind, uint64_t value)
{
    unsigned class = random_weighted(&composer->random, composer->swarm.class, PROGRAM_CLASSES);

    if (class == PROGRAM_EXACT || class >= PROGRAM_CLASSES)
        return misname(composer, kind);
    if (class == PROGRAM_PREVIOUS && composer->scope.rebound[kind])
        value = compose_pick(composer, composer->scope.rebound[kind]);
    else if (random_chance(&composer->random, 64))
        value = misname(composer, kind);
    return PROGRAM_THING(class, PROGRAM_VARIABLE_OF(value));
}

void compose_mistake(struct composer *composer, struct program_line *line)
{
    const unsigned things = 1u << PROGRAM_OPERAND_THING;
    const unsigned values = 1u << PROGRAM_OPERAND_NUMBER | 1u << PROGRAM_OPERAND_CHOICE;
    struct random *random = &composer->random;
    int place = choose_operand(composer, line, random_chance(random, 150) ? things : values);

    if (place < 0)
        place = choose_operand(composer, line, things | values);
    if (place < 0)
        return;

    const struct program_operand *operand = &program_operations[line->opcode].operand[place];
    uint64_t *value = &line->operand[place];
    if (operand->type == PROGRAM_OPERAND_THING)
        *value = misuse_thing(composer, operand->kind, *value);
    else if (operand->type == PROGRAM_OPERAND_CHOICE)
        *value = random_below(random, operand->count);
    else
        *value = values_number(random, composer->scope.world, operand, *value);
}

bool compose_repair(struct composer *composer, struct program_line *line)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    bool repaired = false;

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        if (operand->type != PROGRAM_OPERAND_THING || !composer->scope.live[operand->kind] ||
            scope_is_live(&composer->scope, operand->kind, line->operand[i]))
            continue;
        /* keys may be null on purpose */
        if (operand->name && PROGRAM_CLASS_OF(line->operand[i]) == PROGRAM_NULL)
            continue;
        line->operand[i] = compose_pick(composer, composer->scope.live[operand->kind]);
        repaired = true;
    }
    return repaired;
}

bool compose_break(struct composer *composer, struct program_line *line)
{
    int place = choose_operand(composer, line, 1u << PROGRAM_OPERAND_THING);

    if (place < 0)
        return false;
    enum program_kind kind = program_operations[line->opcode].operand[place].kind;
    uint64_t old = line->operand[place];
    line->operand[place] = misuse_thing(composer, kind, old);
    return line->operand[place] != old;
}
