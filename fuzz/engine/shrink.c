/* SPDX-License-Identifier: MIT */
/* Implements shrink.h. */
#include "engine/shrink.h"

#include <string.h>

/* Above so many operations pairs are not tried: there are too many of them. */
#define PAIR_LINES 24
/* Two or three rounds are the rule. More than so many, and what is left is not worth the time. */
#define ROUNDS 12

/* -- candidates ---------------------------------------------------------------------- */

/* The candidate begins as a copy of the best. */
static struct program *again(struct shrink *shrink)
{
    shrink->candidate = shrink->best;
    return &shrink->candidate;
}

/* Whether the candidate is taken. */
static bool take(struct shrink *shrink)
{
    if (shrink->stop || program_equal(&shrink->candidate, &shrink->best))
        return false;
    shrink->tries++;
    if (!shrink->keeps(shrink, &shrink->candidate))
        return false;
    shrink->best = shrink->candidate;
    shrink->lines = shrink->best.lines;
    return true;
}

/* -- operations ---------------------------------------------------------------------- */

static void drop(struct program *program, unsigned from, unsigned count)
{
    memmove(&program->line[from], &program->line[from + count],
            (program->lines - from - count) * sizeof program->line[0]);
    program->lines = (uint16_t)(program->lines - count);
}

/* Takes out runs of `size` operations, the last ones first. */
static bool drop_runs(struct shrink *shrink, unsigned size)
{
    bool any = false;

    for (unsigned end = shrink->best.lines; end > 0 && !shrink->stop;) {
        unsigned from = end > size ? end - size : 0;
        drop(again(shrink), from, end - from);
        any |= take(shrink);
        end = from;
    }
    return any;
}

/* Two operations that only make sense together: raise and lower, add and remove. */
static bool drop_pair(struct shrink *shrink)
{
    if (shrink->best.lines > PAIR_LINES)
        return false;
    for (unsigned later = shrink->best.lines; later-- > 1;)
        for (unsigned earlier = later; earlier-- > 0 && !shrink->stop;) {
            struct program *candidate = again(shrink);
            drop(candidate, later, 1);
            drop(candidate, earlier, 1);
            if (take(shrink))
                return true;
        }
    return false;
}

static bool drop_operations(struct shrink *shrink)
{
    bool any = false;

    for (unsigned size = shrink->best.lines; size > 1; size = (size + 1) / 2)
        any |= drop_runs(shrink, size);
    do
        while (drop_runs(shrink, 1))
            any = true;
    while (drop_pair(shrink));
    return any;
}

/* -- numbers ------------------------------------------------------------------------- */

/* How much there is to read in a number: from its highest bit to its lowest. */
static unsigned width(uint64_t value)
{
    unsigned bits = 0;

    if (value == ~(uint64_t)0)
        return 1;
    for (; value && !(value & 1); value >>= 1)
        ;
    for (; value; value >>= 1)
        bits++;
    return bits;
}

static uint64_t magnitude(const struct program_operand *operand, uint64_t value)
{
    return operand->negative && value >> 63 ? 0 - value : value;
}

/* The order in which values are plain. It only ever goes down, so that shrinking ends. */
static bool plainer(const struct program_operand *operand, uint64_t one, uint64_t other)
{
    if (one == other || other == operand->preset)
        return false;
    if (one == operand->preset)
        return true;
    if (operand->type != PROGRAM_OPERAND_NUMBER)
        return one < other;

    uint64_t a = magnitude(operand, one), b = magnitude(operand, other);
    if (width(a) != width(b))
        return width(a) < width(b);
    return a != b ? a < b : one < other;
}

/* The kth value to try in place of one; false: there are no more. Plainest first. */
static bool number_candidate(const struct program_operand *operand, uint64_t value, unsigned k,
                             uint64_t *candidate)
{
    static const uint64_t usual[] = {0, 1, 2, 8, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x100000};
    enum { USUAL = sizeof usual / sizeof usual[0] };
    uint64_t low = value & (0 - value), page = 0x1000, top = value;

    while (top & (top - 1))
        top &= top - 1;
    if (k == 0)
        *candidate = operand->preset;
    else if (k <= USUAL)
        *candidate = usual[k - 1];
    else
        switch (k - USUAL) {
        case 1:
            *candidate = top;
            break;
        case 2:
            *candidate = top << 1;
            break;
        case 3:
            *candidate = (value + page - 1) & ~(page - 1);
            break;
        case 4:
            *candidate = value & ~(page - 1);
            break;
        case 5:
            *candidate = value >> 1;
            break;
        case 6:
            *candidate = value + low;
            break;
        case 7:
            *candidate = value - low;
            break;
        case 8:
            *candidate = value - 1;
            break;
        case 9:
            *candidate = value - page;
            break;
        default: /* each bit by itself */
            if (k - USUAL - 10 >= 64)
                return false;
            *candidate = value & ~((uint64_t)1 << (k - USUAL - 10));
        }
    return true;
}

/* The same for any operand. */
static bool candidate_of(const struct program_operand *operand, uint64_t value, unsigned k,
                         uint64_t *candidate)
{
    unsigned class = PROGRAM_CLASS_OF(value), variable = PROGRAM_VARIABLE_OF(value);

    switch (operand->type) {
    case PROGRAM_OPERAND_NUMBER:
        return number_candidate(operand, value, k, candidate);
    case PROGRAM_OPERAND_CHOICE:
        *candidate = k == 0 ? operand->preset : k - 1;
        return k <= operand->count;
    case PROGRAM_OPERAND_THING:
        if (k == 0)
            *candidate = operand->name ? operand->preset : value;
        else if (k <= class)
            *candidate = PROGRAM_THING(k - 1, variable);
        else
            *candidate = PROGRAM_THING(class, k - 1 - class);
        return k <= class + variable;
    default: /* a variable that is bound is renamed everywhere or nowhere */
        return false;
    }
}

/* -- operands ------------------------------------------------------------------------ */

/* Puts a value in the place of another, in one operand or wherever the program has that number. */
static void replace(struct program *program, unsigned line, unsigned at, uint64_t value, bool everywhere)
{
    uint64_t old = program->line[line].operand[at];

    program->line[line].operand[at] = value;
    for (unsigned i = 0; everywhere && i < program->lines; i++) {
        const struct program_operation *operation = &program_operations[program->line[i].opcode];
        for (unsigned k = 0; k < operation->operands; k++)
            if (operation->operand[k].type == PROGRAM_OPERAND_NUMBER && program->line[i].operand[k] == old &&
                plainer(&operation->operand[k], value, old))
                program->line[i].operand[k] = value;
    }
}

static bool plain_operand(struct shrink *shrink, unsigned line, unsigned at)
{
    const struct program_operand *operand = &program_operations[shrink->best.line[line].opcode].operand[at];
    bool number = operand->type == PROGRAM_OPERAND_NUMBER, any = false;
    uint64_t candidate;

    for (unsigned k = 0; !shrink->stop; k++) {
        uint64_t value = shrink->best.line[line].operand[at];
        if (value == operand->preset || !candidate_of(operand, value, k, &candidate))
            break;
        if (!plainer(operand, candidate, value))
            continue;
        replace(again(shrink), line, at, candidate, false);
        bool taken = take(shrink);
        if (!taken && number) {
            replace(again(shrink), line, at, candidate, true);
            taken = take(shrink);
        }
        any |= taken;
    }
    return any;
}

/* Every number and choice of one operation at once: mostly none of them matters. */
static bool plain_line(struct shrink *shrink, unsigned line)
{
    struct program_line *changed = &again(shrink)->line[line];
    const struct program_operation *operation = &program_operations[changed->opcode];

    for (unsigned at = 0; at < operation->operands; at++)
        if (operation->operand[at].type == PROGRAM_OPERAND_NUMBER ||
            operation->operand[at].type == PROGRAM_OPERAND_CHOICE)
            changed->operand[at] = operation->operand[at].preset;
    return take(shrink);
}

static bool plain_operands(struct shrink *shrink)
{
    bool any = false;

    for (unsigned line = shrink->best.lines; line-- > 0;) {
        any |= plain_line(shrink, line);
        for (unsigned at = 0; at < program_operations[shrink->best.line[line].opcode].operands; at++)
            any |= plain_operand(shrink, line, at);
    }
    return any;
}

static bool plain_world(struct shrink *shrink)
{
    for (uint8_t world = 0; world < shrink->best.world && !shrink->stop; world++) {
        again(shrink)->world = world;
        if (take(shrink))
            return true;
    }
    return false;
}

/* -- variables ----------------------------------------------------------------------- */

/* Whether an operand names a variable; NULL and GARBAGE only have a number. */
static bool names_variable(const struct program_operand *operand, uint64_t value)
{
    if (operand->type == PROGRAM_OPERAND_BIND)
        return true;
    return operand->type == PROGRAM_OPERAND_THING && PROGRAM_CLASS_OF(value) != PROGRAM_NULL &&
           PROGRAM_CLASS_OF(value) != PROGRAM_GARBAGE;
}

/* Exchanges two variables of a kind throughout. */
static void exchange(struct program *program, enum program_kind kind, unsigned one, unsigned other)
{
    for (unsigned i = 0; i < program->lines; i++) {
        const struct program_operation *operation = &program_operations[program->line[i].opcode];
        for (unsigned k = 0; k < operation->operands; k++) {
            uint64_t *value = &program->line[i].operand[k];
            unsigned variable = PROGRAM_VARIABLE_OF(*value);
            if (operation->operand[k].kind != kind || !names_variable(&operation->operand[k], *value) ||
                (variable != one && variable != other))
                continue;
            *value = (*value & ~(uint64_t)15) | (variable == one ? other : one);
        }
    }
}

/* The variables of a kind in the order in which they are named first. */
static unsigned variables_of(const struct program *program, enum program_kind kind,
                             uint8_t order[PROGRAM_VARIABLES])
{
    unsigned count = 0, seen = 0;

    for (unsigned i = 0; i < program->lines; i++) {
        const struct program_operation *operation = &program_operations[program->line[i].opcode];
        for (unsigned k = 0; k < operation->operands; k++) {
            unsigned variable = PROGRAM_VARIABLE_OF(program->line[i].operand[k]);
            if (operation->operand[k].kind != kind ||
                !names_variable(&operation->operand[k], program->line[i].operand[k]) || seen >> variable & 1)
                continue;
            seen |= 1u << variable;
            order[count++] = (uint8_t)variable;
        }
    }
    return count;
}

/* Counts the variables of each kind from 0. Those of adapters are numbers of devices, so it may matter. */
static bool plain_variables(struct shrink *shrink)
{
    uint8_t order[PROGRAM_VARIABLES];
    bool any = false;

    for (unsigned kind = 0; kind < PROGRAM_KINDS; kind++)
        for (unsigned place = 0; place < variables_of(&shrink->best, (enum program_kind)kind, order);
             place++) {
            if (order[place] == place)
                continue;
            exchange(again(shrink), (enum program_kind)kind, order[place], place);
            any |= take(shrink);
        }
    return any;
}

/* -- all of it ----------------------------------------------------------------------- */

bool engine_shrink(struct shrink *shrink, struct program *program)
{
    bool plain_now = false;

    shrink->best = *program;
    shrink->lines = program->lines;
    shrink->tries = 0;
    for (unsigned round = 0; round < ROUNDS && !plain_now && !shrink->stop; round++) {
        bool any = drop_operations(shrink);

        any |= plain_world(shrink);
        any |= plain_operands(shrink);
        any |= plain_variables(shrink);
        plain_now = !any;
    }
    if (!plain_now)
        drop_operations(shrink);
    *program = shrink->best;
    return !shrink->stop;
}
