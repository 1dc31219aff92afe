/* SPDX-License-Identifier: MIT */
/* The lines of short programs: right operands in every combination, and each of them with one that deviates. */
#include "tool/explore_lines.h"

#include "program/world.h"

#include <string.h>

#define PAGE ((uint64_t)DXGKMEM_PAGE_BYTES)
#define VALUES 24 /* of one operand, at most */

/* The values of an operand: `plain` are combined with those of the other operands, each of `odd` stands alone. */
struct values {
    unsigned plain_count, odd_count;
    uint64_t plain[VALUES], odd[VALUES];
};

static void add_plain(struct values *values, uint64_t value)
{
    values->plain[values->plain_count++] = value;
}

static void add_odd(struct values *values, uint64_t value)
{
    for (unsigned i = 0; i < values->plain_count; i++)
        if (values->plain[i] == value)
            return;
    for (unsigned i = 0; i < values->odd_count; i++)
        if (values->odd[i] == value)
            return;
    if (values->odd_count < VALUES)
        values->odd[values->odd_count++] = value;
}

static void thing_values(struct values *values, const struct program_operand *operand)
{
    for (unsigned variable = 0; variable < EXPLORE_VARIABLES; variable++)
        add_plain(values, PROGRAM_THING(PROGRAM_EXACT, variable));
    if (operand->name != NULL) /* what may be left out */
        add_plain(values, PROGRAM_THING(PROGRAM_NULL, 0));
    add_odd(values, PROGRAM_THING(PROGRAM_NULL, 0));
    add_odd(values, PROGRAM_THING(PROGRAM_GARBAGE, 0));
    for (unsigned class = PROGRAM_WRONG_KIND; class < PROGRAM_CLASSES; class ++)
        for (unsigned variable = 0; variable < EXPLORE_VARIABLES; variable++)
            add_odd(values, PROGRAM_THING(class, variable));
}

/* The edges that the contract talks about, for what the number stands for. */
static void number_values(struct values *values, const struct program_operand *operand,
                          enum program_world world)
{
    const struct dxgkmem_sim_config *machine = &program_worlds[world].machine;
    const uint64_t preset = operand->preset, step = operand->taste == PROGRAM_TASTE_ACCESS ? 8 : PAGE;

    add_plain(values, preset);
    switch (operand->taste) {
    case PROGRAM_TASTE_BYTES:
    case PROGRAM_TASTE_ACCESS:
        add_odd(values, preset + step);
        add_odd(values, preset + 1);
        add_odd(values, operand->negative ? preset - step : 0);
        add_odd(values, 0 - PAGE);
        break;
    case PROGRAM_TASTE_ADDRESS:
        add_odd(values, 0);
        for (unsigned i = 0; i < machine->ranges; i++)
            add_odd(values, machine->range[i].page * PAGE);
        add_odd(values, machine->range[0].page * PAGE + PAGE - 1);
        break;
    case PROGRAM_TASTE_FLAGS:
        for (unsigned i = 0; operand->bits != NULL && operand->bits[i].name != NULL; i++)
            add_odd(values, operand->bits[i].value);
        add_odd(values, (uint64_t)1 << 30);
        break;
    case PROGRAM_TASTE_MASK:
        add_odd(values, PAGE);
        add_odd(values, PAGE + 1);
        break;
    case PROGRAM_TASTE_SMALL:
        add_odd(values, preset > 0 ? preset - 1 : 1);
        add_odd(values, preset > 0 ? preset - 1 : 2);
        break;
    default:
        add_odd(values, preset + 1);
        break;
    }
}

/* first: the first choice of an operation says what it is about, and is combined with all else. */
static void operand_values(struct values *values, const struct program_operand *operand, bool first,
                           enum program_world world)
{
    switch (operand->type) {
    case PROGRAM_OPERAND_BIND:
        for (unsigned variable = 0; variable < EXPLORE_VARIABLES; variable++)
            add_plain(values, variable);
        break;
    case PROGRAM_OPERAND_THING:
        thing_values(values, operand);
        break;
    case PROGRAM_OPERAND_CHOICE:
        add_plain(values, operand->preset);
        for (unsigned i = 0; i < operand->count; i++) {
            if (first && i != operand->preset)
                add_plain(values, i);
            else if (!first)
                add_odd(values, i);
        }
        break;
    default:
        number_values(values, operand, world);
        break;
    }
}

static bool does_the_same(const struct program_line *line, const struct program_line *other)
{
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++)
        if (operation->operand[i].type != PROGRAM_OPERAND_BIND && line->operand[i] != other->operand[i])
            return false;
    return true;
}

/* Among those of its operation, which begin at `first`. */
static unsigned rank_of(const struct explore_lines *lines, const struct program_line *line, unsigned first)
{
    while (first < lines->count && !does_the_same(line, &lines->line[first]))
        first++;
    return first;
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    uint64_t mixed = (sum ^ value) * 0x9e3779b97f4a7c15u;

    return mixed ^ mixed >> 29;
}

static bool add_line(struct explore_lines *lines, const struct program_line *line, bool deviates)
{
    if (lines->count == EXPLORE_LINES)
        return false;
    if (lines->count == 0 || lines->line[lines->count - 1].opcode != line->opcode)
        lines->first = lines->count;
    lines->rank[lines->count] = (uint16_t)rank_of(lines, line, lines->first);
    lines->deviates[lines->count] = deviates;
    lines->line[lines->count++] = *line;
    for (unsigned i = 0; i < PROGRAM_OPERANDS; i++)
        lines->digest = mix(lines->digest, line->operand[i] ^ (uint64_t)line->opcode << 32);
    return true;
}

/* The line as it is, and with each operand in turn deviating; which: place of each operand's plain value. */
static bool add_lines(struct explore_lines *lines, struct program_line *line, const struct values *values,
                      const unsigned *which)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    bool fits = true;

    for (unsigned i = 0; i < operation->operands; i++)
        line->operand[i] = values[i].plain[which[i]];
    fits = add_line(lines, line, false);
    for (unsigned i = 0; i < operation->operands; i++) {
        uint64_t plain = line->operand[i];

        for (unsigned odd = 0; which[i] == 0 && odd < values[i].odd_count && fits; odd++) {
            line->operand[i] = values[i].odd[odd];
            fits = add_line(lines, line, true);
        }
        line->operand[i] = plain;
    }
    return fits;
}

static bool add_operation(struct explore_lines *lines, uint8_t opcode, enum program_world world)
{
    const struct program_operation *operation = &program_operations[opcode];
    struct program_line line = {.opcode = opcode};
    struct values values[PROGRAM_OPERANDS];
    unsigned which[PROGRAM_OPERANDS] = {0}, at;
    bool first = true;

    memset(values, 0, sizeof values);
    for (unsigned i = 0; i < operation->operands; i++) {
        operand_values(&values[i], &operation->operand[i], first, world);
        first = first && operation->operand[i].type != PROGRAM_OPERAND_CHOICE;
    }
    do {
        if (!add_lines(lines, &line, values, which))
            return false;
        for (at = 0; at < operation->operands && ++which[at] == values[at].plain_count; at++)
            which[at] = 0;
    } while (at < operation->operands);
    return true;
}

/* Failures of the host and threads have searches of their own. */
static bool explored(uint8_t opcode)
{
    return opcode != OP_FAIL && opcode != OP_SCHEDULE && opcode != OP_THREAD && opcode != OP_SWITCH;
}

bool explore_lines_make(struct explore_lines *lines, enum program_world world)
{
    bool fits = true;

    lines->count = 0;
    lines->digest = 1;
    for (uint8_t opcode = 0; opcode < PROGRAM_OPCODES && fits; opcode++)
        if (explored(opcode))
            fits = add_operation(lines, opcode, world);
    return fits;
}

/* Where nothing of the kind was made, the first variable stands for what never was. */
static bool is_named(const struct explore_bindings *bindings, enum program_kind kind, unsigned variable)
{
    return bindings->bound[kind][variable] || (variable == 0 && !bindings->bound[kind][1]);
}

static void note_same(struct explore_bindings *bindings, struct runner *runner, enum program_kind kind)
{
    uint64_t met[PROGRAM_CLASSES * EXPLORE_VARIABLES];
    unsigned count = 0;

    for (unsigned class = 0; class < PROGRAM_CLASSES; class ++) {
        bool once = class == PROGRAM_NULL || class == PROGRAM_GARBAGE;

        for (unsigned variable = 0; variable < (once ? 1 : EXPLORE_VARIABLES); variable++) {
            uint64_t value = runner_value_of(runner, kind, PROGRAM_THING(class, variable));

            if (!once && !is_named(bindings, kind, variable))
                continue;
            for (unsigned i = 0; i < count && class != PROGRAM_EXACT; i++)
                bindings->same[kind][class][variable] |= met[i] == value;
            met[count++] = value;
        }
    }
}

void explore_bindings_of(struct explore_bindings *bindings, struct runner *runner)
{
    bool live[PROGRAM_KINDS][EXPLORE_VARIABLES] = {{false}};
    struct runner_view view;

    memset(bindings, 0, sizeof *bindings);
    for (unsigned i = 0; runner_view(runner, i, &view); i++) {
        if (view.variable < EXPLORE_VARIABLES) {
            bindings->bound[view.kind][view.variable] = true;
            live[view.kind][view.variable] = view.live;
        }
    }
    for (unsigned kind = 0; kind < PROGRAM_KINDS; kind++) {
        bindings->next[kind] = -1;
        for (int variable = EXPLORE_VARIABLES; variable-- > 0;)
            if (!live[kind][variable])
                bindings->next[kind] = variable;
        for (int variable = EXPLORE_VARIABLES; variable-- > 0;) /* rather one that holds nothing yet */
            if (!bindings->bound[kind][variable])
                bindings->next[kind] = variable;
        note_same(bindings, runner, (enum program_kind)kind);
    }
}

uint64_t explore_nameless(const struct program_line *line, explore_made made)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    uint64_t sum = mix(1, line->opcode);

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        uint64_t value = line->operand[i];

        if (operand->type == PROGRAM_OPERAND_BIND)
            continue;
        if (operand->type == PROGRAM_OPERAND_THING) {
            enum program_class class = PROGRAM_CLASS_OF(value);

            /* of another class it may be the same for several, and then it is that of the first */
            value = class == PROGRAM_EXACT ? made[operand->kind][PROGRAM_VARIABLE_OF(value)] : class;
        }
        sum = mix(sum, value);
    }
    return sum;
}

void explore_made_by(explore_made made, struct runner *runner, const struct program *program)
{
    struct runner_view view;

    memset(made, 0, sizeof(explore_made));
    /* In the order of their making. Of what has ended many makings lead to one state. */
    for (unsigned i = 0; runner_view(runner, i, &view); i++)
        if (view.variable < EXPLORE_VARIABLES)
            made[view.kind][view.variable] =
                view.live ? explore_nameless(&program->line[view.line], made) : 1;
}

bool explore_line_applies(const struct program_line *line, const struct explore_bindings *bindings)
{
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        uint64_t value = line->operand[i];
        unsigned variable = PROGRAM_VARIABLE_OF(value);

        if (operand->type == PROGRAM_OPERAND_BIND && (int)value != bindings->next[operand->kind])
            return false;
        if (operand->type != PROGRAM_OPERAND_THING)
            continue;
        if (bindings->same[operand->kind][PROGRAM_CLASS_OF(value)][variable])
            return false;
        if (PROGRAM_CLASS_OF(value) != PROGRAM_NULL && PROGRAM_CLASS_OF(value) != PROGRAM_GARBAGE &&
            !is_named(bindings, operand->kind, variable))
            return false;
    }
    return true;
}
