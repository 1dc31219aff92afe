/* SPDX-License-Identifier: MIT */
/*
 * Changes to a program: lines come and go, move and multiply, operands are
 * repaired and broken. Every change knows what is alive where it is made.
 */
#include "compose.h"
#include "engine.h"

#include "program/operands.h"

/* -- lines ---------------------------------------------------------------------- */

/* Makes room for `count` lines before line `at`, with old lines in it; false when there is none. */
static bool open_gap(struct program *program, unsigned at, unsigned count)
{
    if (program->lines + count > PROGRAM_OPERATIONS)
        return false;
    for (unsigned i = program->lines; i > at; i--)
        program->line[i - 1 + count] = program->line[i - 1];
    program->lines = (uint16_t)(program->lines + count);
    return true;
}

static void remove_lines(struct program *program, unsigned at, unsigned count)
{
    for (unsigned i = at + count; i < program->lines; i++)
        program->line[i - count] = program->line[i];
    program->lines = (uint16_t)(program->lines - count);
}

static void swap_lines(struct program *program, unsigned one, unsigned other)
{
    struct program_line line = program->line[one];

    program->line[one] = program->line[other];
    program->line[other] = line;
}

/* A line of the program, or where one may go: 0 to lines. The program has lines where it matters. */
static unsigned any_line(struct composer *composer, const struct program *program)
{
    return random_below(&composer->random, program->lines);
}

static unsigned any_place(struct composer *composer, const struct program *program)
{
    /* the end more often: things live on there */
    if (random_chance(&composer->random, 96))
        return program->lines;
    return random_below(&composer->random, program->lines + 1u);
}

/* -- changes: true when something was done ---------------------------------------- */

/* `count` operations that go on from what is alive there. */
static bool insert(struct composer *composer, struct program *program, unsigned count)
{
    unsigned at = any_place(composer, program);

    if (!open_gap(program, at, count))
        return false;
    scope_scan(&composer->scope, program, at);
    for (unsigned i = at; i < at + count; i++) {
        compose_line(composer, &program->line[i], i + 1 >= program->lines);
        scope_apply(&composer->scope, &program->line[i]);
    }
    return true;
}

static bool insert_one(struct composer *composer, struct program *program)
{
    return insert(composer, program, 1);
}

static bool insert_some(struct composer *composer, struct program *program)
{
    return insert(composer, program, 2 + random_below(&composer->random, 4));
}

static bool delete_some(struct composer *composer, struct program *program)
{
    unsigned at = any_line(composer, program), count = 1;

    if (random_chance(&composer->random, 48))
        count += random_below(&composer->random, 6);
    if (count > program->lines - at)
        count = program->lines - at;
    remove_lines(program, at, count);
    return true;
}

/* A second time, at once or later: what ends once must not end twice. */
static bool duplicate(struct composer *composer, struct program *program)
{
    unsigned from = any_line(composer, program), to = from + 1;

    if (random_chance(&composer->random, 128))
        to += random_below(&composer->random, program->lines - from);
    if (!open_gap(program, to, 1))
        return false;
    program->line[to] = program->line[from];
    return true;
}

/* A block of lines again, at the end. */
static bool repeat_block(struct composer *composer, struct program *program)
{
    unsigned from = any_line(composer, program);
    unsigned count = 1 + random_below(&composer->random, 8), end = program->lines;

    if (count > program->lines - from)
        count = program->lines - from;
    if (!open_gap(program, end, count))
        return false;
    for (unsigned i = 0; i < count; i++)
        program->line[end + i] = program->line[from + i];
    return true;
}

static bool move(struct composer *composer, struct program *program)
{
    unsigned from = any_line(composer, program), to = any_line(composer, program);

    for (; from < to; from++)
        swap_lines(program, from, from + 1);
    for (; from > to; from--)
        swap_lines(program, from, from - 1);
    return program->lines > 1;
}

static bool swap(struct composer *composer, struct program *program)
{
    unsigned one = any_line(composer, program), other = any_line(composer, program);

    swap_lines(program, one, other);
    return one != other;
}

static bool change(struct composer *composer, struct program *program)
{
    unsigned at = any_line(composer, program);

    scope_scan(&composer->scope, program, at);
    compose_mistake(composer, &program->line[at]);
    return true;
}

/* The operation anew, right by what is alive there. */
static bool recompose(struct composer *composer, struct program *program)
{
    unsigned at = any_line(composer, program);

    scope_scan(&composer->scope, program, at);
    compose_operation(composer, &program->line[at], program->line[at].opcode);
    return true;
}

static bool repair(struct composer *composer, struct program *program)
{
    unsigned first = any_line(composer, program);

    scope_scan(&composer->scope, program, first);
    for (unsigned i = first; i < program->lines; i++) {
        if (compose_repair(composer, &program->line[i]))
            return true;
        scope_apply(&composer->scope, &program->line[i]);
    }
    return false;
}

static bool break_line(struct composer *composer, struct program *program)
{
    unsigned at = any_line(composer, program);

    scope_scan(&composer->scope, program, at);
    return compose_break(composer, &program->line[at]);
}

static bool change_bind(struct composer *composer, struct program *program)
{
    struct program_line *line = &program->line[any_line(composer, program)];
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++) {
        if (operation->operand[i].type == PROGRAM_OPERAND_BIND) {
            line->operand[i] = random_below(&composer->random, PROGRAM_VARIABLES);
            return true;
        }
    }
    return false;
}

/* Appends the line that ends a thing; destroy when `object`, closing or naming what is open on it. */
static bool append(struct program *program, uint8_t opcode, uint64_t first, uint64_t second)
{
    unsigned at = program->lines;

    if (!open_gap(program, at, 1))
        return false;
    program->line[at] = (struct program_line){.opcode = opcode, .operand = {first, second}};
    return true;
}

static bool append_end(struct composer *composer, struct program *program, enum program_kind kind, unsigned i)
{
    const struct scope *scope = &composer->scope;
    uint64_t thing = PROGRAM_THING(PROGRAM_EXACT, i), null = PROGRAM_THING(PROGRAM_NULL, 0);

    switch (kind) {
    case PROGRAM_ADL:
        if (scope->adl[i].owner == SCOPE_NONE)
            return false;
        return append(program, OP_FREE_ADL, PROGRAM_THING(PROGRAM_EXACT, scope->adl[i].owner), thing);
    case PROGRAM_MAPPING:
        if (scope->mapping[i].object == SCOPE_NONE)
            return false;
        return append(program, OP_UNMAP, PROGRAM_THING(PROGRAM_EXACT, scope->mapping[i].object), thing);
    case PROGRAM_ADAPTER_OBJECT:
        /* the rest is closed by the destroy that names it */
        return random_chance(&composer->random, 128) && append(program, OP_CLOSE, thing, 0);
    case PROGRAM_OBJECT:
        if (scope->object[i].open && scope->object[i].opened != SCOPE_NONE)
            null = PROGRAM_THING(PROGRAM_EXACT, scope->object[i].opened);
        return append(program, OP_DESTROY, thing, null);
    case PROGRAM_MEMORY: {
        unsigned adapters = scope_chain(scope, scope->memory[i].chain);

        return adapters &&
               append(program, scope_end_of(scope->memory[i].made), compose_pick(composer, adapters), thing);
    }
    case PROGRAM_ADAPTER:
        return random_chance(&composer->random, 96) && append(program, OP_REMOVE, thing, 0);
    default:
        return false;
    }
}

/* Ends all that is alive, in the right order, nearly the right order, or any order. */
static bool tear_down(struct composer *composer, struct program *program)
{
    static const uint8_t order[PROGRAM_KINDS] = {PROGRAM_ADL,    PROGRAM_MAPPING, PROGRAM_ADAPTER_OBJECT,
                                                 PROGRAM_OBJECT, PROGRAM_MEMORY,  PROGRAM_ADAPTER};
    struct random *random = &composer->random;
    unsigned first = program->lines, shuffles;

    scope_scan(&composer->scope, program, program->lines);
    for (unsigned k = 0; k < PROGRAM_KINDS; k++) {
        for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
            if (!(composer->scope.live[order[k]] >> i & 1))
                continue;
            if (append_end(composer, program, (enum program_kind)order[k], i))
                scope_apply(&composer->scope, &program->line[program->lines - 1]);
        }
    }
    unsigned count = program->lines - first;
    if (!count)
        return false;
    shuffles =
        random_chance(random, 96) ? 0 : random_below(random, random_chance(random, 128) ? 3 : 2 * count);
    for (; shuffles; shuffles--)
        swap_lines(program, first + random_below(random, count), first + random_below(random, count));
    return true;
}

/* A fault before a line that it can hit. */
static bool add_fault(struct composer *composer, struct program *program)
{
    unsigned at = any_line(composer, program);

    for (unsigned i = at; i < program->lines; i++) {
        uint8_t opcode = program->line[i].opcode;
        if (opcode == OP_ADD || program_operations[opcode].role == PROGRAM_ROLE_CALLBACK) {
            at = i;
            break;
        }
    }
    if (!open_gap(program, at, 1))
        return false;
    compose_operation(composer, &program->line[at], OP_FAIL);
    return true;
}

static bool change_world(struct composer *composer, struct program *program)
{
    uint8_t old = program->world;

    program->world = (uint8_t)random_below(&composer->random, PROGRAM_WORLDS);
    return program->world != old;
}

/* -- which change ------------------------------------------------------------------- */

struct mutation {
    bool (*apply)(struct composer *composer, struct program *program);
    uint16_t weight;
    bool grows;
};

static const struct mutation mutations[] = {
    {insert_one, 30, true},  {insert_some, 10, true}, {delete_some, 12, false}, {duplicate, 6, true},
    {repeat_block, 3, true}, {move, 6, false},        {swap, 4, false},         {change, 22, false},
    {recompose, 8, false},   {repair, 8, false},      {break_line, 6, false},   {change_bind, 2, false},
    {tear_down, 6, true},    {add_fault, 5, true},    {change_world, 2, false},
};

#define MUTATIONS (sizeof(mutations) / sizeof(mutations[0]))

static bool mutate_once(struct composer *composer, struct program *program)
{
    uint16_t weight[MUTATIONS];

    if (!program->lines)
        return insert_some(composer, program);
    /* the longer it is, the more likely it loses lines: an unguided walk stays around ENGINE_LINES / 2 */
    unsigned pressure = program->lines * 4u / ENGINE_LINES;
    if (program->lines > ENGINE_LINES)
        pressure *= 4;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        unsigned wanted = mutations[i].weight * 16u;
        if (mutations[i].grows)
            wanted = wanted * 2 / (2 + pressure);
        if (mutations[i].apply == delete_some)
            wanted *= 1 + pressure;
        weight[i] = (uint16_t)wanted;
    }
    return mutations[random_weighted(&composer->random, weight, MUTATIONS)].apply(composer, program);
}

void engine_mutate_program(struct program *program, uint64_t seed)
{
    struct composer composer = {.random = {seed}};
    unsigned wanted = 1;

    compose_swarm(&composer);
    if (!program->lines || random_chance(&composer.random, 32)) {
        engine_generate(program, random_next(&composer.random), 4 + random_below(&composer.random, 20));
        return;
    }
    while (wanted < 6 && random_chance(&composer.random, 112))
        wanted++;
    for (unsigned attempts = 0; wanted && attempts < 16; attempts++)
        wanted -= mutate_once(&composer, program);
}

/* -- bytes ---------------------------------------------------------------------------- */

size_t engine_write(struct program *program, uint8_t *bytes, size_t max)
{
    static const uint8_t empty[] = {PROGRAM_VERSION, WORLD_SMALL};
    size_t size = sizeof(empty);
    unsigned lines = 0;

    if (max < sizeof(empty)) {
        for (size_t i = 0; i < max; i++)
            bytes[i] = empty[i];
        return max;
    }
    size_t written = program_encode(program, bytes, max);
    if (written)
        return written;
    while (lines < program->lines) {
        size += program_line_bytes(&program->line[lines]);
        if (size > max)
            break;
        lines++;
    }
    program->lines = (uint16_t)lines;
    return program_encode(program, bytes, max);
}

size_t engine_mutate(struct engine *engine, uint8_t *data, size_t size, size_t max, uint64_t seed)
{
    struct program *program = &engine->program[0];

    program_decode(program, data, size < max ? size : max);
    engine_mutate_program(program, seed);
    return engine_write(program, data, max);
}
