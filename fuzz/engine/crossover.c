/* SPDX-License-Identifier: MIT */
/*
 * Crossing two programs: one after the other, one into the other, one beside
 * the other; with variables of their own or with the same ones, so that one
 * ends what the other made.
 */
#include "engine.h"
#include "random.h"

/* How variables of the second program are renamed, by kind: they go round by so many. */
struct renaming {
    uint8_t shift[PROGRAM_KINDS];
};

static void choose_renaming(struct random *random, struct renaming *renaming)
{
    bool apart = random_chance(random, 128);

    for (unsigned kind = 0; kind < PROGRAM_KINDS; kind++)
        renaming->shift[kind] = (uint8_t)(apart ? random_below(random, PROGRAM_VARIABLES) : 0);
    /* most things need an adapter: share it, mostly */
    if (random_chance(random, 160))
        renaming->shift[PROGRAM_ADAPTER] = 0;
}

static bool append(struct program *result, const struct program_line *line)
{
    if (result->lines == PROGRAM_OPERATIONS)
        return false;
    result->line[result->lines++] = *line;
    return true;
}

static bool append_renamed(struct program *result, const struct program_line *line,
                           const struct renaming *renaming)
{
    if (!append(result, line))
        return false;

    const struct program_operation *operation = &program_operations[line->opcode];
    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        uint64_t *value = &result->line[result->lines - 1].operand[i];
        bool null = operand->type == PROGRAM_OPERAND_THING && PROGRAM_CLASS_OF(*value) == PROGRAM_NULL;
        if (operand->type > PROGRAM_OPERAND_THING || null)
            continue;
        *value = (*value & ~(uint64_t)15) | ((*value + renaming->shift[operand->kind]) & 15);
    }
    return true;
}

/* A place in a program, 0 to lines. */
static unsigned any_cut(struct random *random, const struct program *program)
{
    return random_below(random, program->lines + 1u);
}

/* The first lines of one, then the last lines of the other. */
static void join(struct random *random, const struct program *a, const struct program *b,
                 const struct renaming *renaming, struct program *result)
{
    bool whole = random_chance(random, 64);
    unsigned end = whole ? a->lines : any_cut(random, a), from = whole ? 0 : any_cut(random, b);

    for (unsigned i = 0; i < end; i++)
        append(result, &a->line[i]);
    for (unsigned i = from; i < b->lines; i++)
        append_renamed(result, &b->line[i], renaming);
}

/* A block of one in the middle of the other. */
static void splice(struct random *random, const struct program *a, const struct program *b,
                   const struct renaming *renaming, struct program *result)
{
    unsigned at = any_cut(random, a), from = any_cut(random, b);
    unsigned count = random_below(random, 12) + 1;

    for (unsigned i = 0; i < at; i++)
        append(result, &a->line[i]);
    for (unsigned i = from; i < b->lines && i < from + count; i++)
        append_renamed(result, &b->line[i], renaming);
    for (unsigned i = at; i < a->lines; i++)
        append(result, &a->line[i]);
}

/* Lines of both in turn, each in its order. */
static void interleave(struct random *random, const struct program *a, const struct program *b,
                       const struct renaming *renaming, struct program *result)
{
    unsigned i = 0, k = 0;

    while (i < a->lines || k < b->lines) {
        for (unsigned run = 1 + random_below(random, 3); run && i < a->lines; run--)
            append(result, &a->line[i++]);
        for (unsigned run = 1 + random_below(random, 3); run && k < b->lines; run--)
            append_renamed(result, &b->line[k++], renaming);
    }
}

/* Programs grow when they are crossed; long ones lose lines at random until they are short. */
static void thin_out(struct random *random, struct program *program)
{
    unsigned wanted = ENGINE_LINES + random_below(random, ENGINE_LINES / 2), kept = 0, lines = program->lines;

    if (lines <= wanted || random_chance(random, 16))
        return;
    for (unsigned i = 0; i < lines; i++) {
        /* of the lines - i that are left, wanted - kept stay */
        if (random_below(random, lines - i) < wanted - kept)
            program->line[kept++] = program->line[i];
    }
    program->lines = (uint16_t)kept;
}

void engine_cross_programs(const struct program *a, const struct program *b, struct program *result,
                           uint64_t seed)
{
    struct random random = {seed};
    struct renaming renaming;

    choose_renaming(&random, &renaming);
    result->world = random_chance(&random, 192) ? a->world : b->world;
    result->lines = 0;
    switch (random_below(&random, 4)) {
    case 0:
        splice(&random, a, b, &renaming, result);
        break;
    case 1:
        interleave(&random, a, b, &renaming, result);
        break;
    default:
        join(&random, a, b, &renaming, result);
        break;
    }
    thin_out(&random, result);
}

size_t engine_crossover(struct engine *engine, const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
                        uint8_t *out, size_t max, uint64_t seed)
{
    struct program *result = &engine->program[2];

    program_decode(&engine->program[0], a, an);
    program_decode(&engine->program[1], b, bn);
    engine_cross_programs(&engine->program[0], &engine->program[1], result, seed);
    return engine_write(result, out, max);
}
