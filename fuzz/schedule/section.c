/* SPDX-License-Identifier: MIT */
/* Implements section.h. */
#include "schedule/section.h"

#include "program/operands.h"

#include <string.h>

/* -- which lines ------------------------------------------------------------------------ */

static bool is_passed_over(const struct program_line *line)
{
    return line->opcode == OP_SCHEDULE || line->opcode == OP_THREAD || line->opcode == OP_SWITCH ||
           line->opcode == OP_FAIL || line->opcode == OP_ARGS;
}

/* Whether it names things by what else lives or lived, or lies beside them, which depends on the schedule. */
static bool looks_around(const struct program_line *line)
{
    const struct program_operation *operation = &program_operations[line->opcode];

    if ((line->opcode == OP_FREE_ADL && line->operand[FREE_ADL_SHIFT] != 0) ||
        (line->opcode == OP_UNMAP && line->operand[UNMAP_SHIFT] != 0))
        return true;

    for (unsigned i = 0; i < operation->operands; i++) {
        if (operation->operand[i].type != PROGRAM_OPERAND_THING)
            continue;
        switch (PROGRAM_CLASS_OF(line->operand[i])) {
        case PROGRAM_EXACT:
        case PROGRAM_NULL:
        case PROGRAM_GARBAGE:
        case PROGRAM_FLIPPED:
            break;
        default:
            return true;
        }
    }
    return false;
}

static bool is_fit(const struct program_line *line)
{
    return program_operations[line->opcode].role != PROGRAM_ROLE_WORLD && line->opcode != OP_STOP &&
           line->opcode != OP_SCRIBBLE && line->opcode != OP_EXIT && !looks_around(line);
}

bool section_runs_alone(const struct section *section, const struct program *program, unsigned at)
{
    if (at == program->lines)
        return true;
    return !is_passed_over(&program->line[at]) &&
           (at < section->first || (at >= section->rest && !looks_around(&program->line[at])));
}

/* For each kind of thing a bit per variable: those that a line binds, or names in any way. */
static void variables_of(const struct program_line *line, bool bound, uint16_t variables[PROGRAM_KINDS])
{
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        uint64_t value = line->operand[i];

        if (operand->type == PROGRAM_OPERAND_BIND)
            variables[operand->kind] |= (uint16_t)(1u << value);
        else if (!bound && operand->type == PROGRAM_OPERAND_THING)
            variables[operand->kind] |= (uint16_t)(1u << PROGRAM_VARIABLE_OF(value));
    }
}

/* Takes out of each thread what names a variable that another one binds. */
static void drop_dependent(struct section *section, const struct program *program)
{
    uint16_t bound[SECTION_THREADS][PROGRAM_KINDS] = {{0}};

    for (unsigned thread = 0; thread < SECTION_THREADS; thread++)
        for (unsigned i = 0; i < section->count[thread]; i++)
            variables_of(&program->line[section->line[thread][i]], true, bound[thread]);
    for (unsigned thread = 0; thread < SECTION_THREADS; thread++) {
        unsigned kept = 0;

        for (unsigned i = 0; i < section->count[thread]; i++) {
            uint16_t named[PROGRAM_KINDS] = {0}, clash = 0;

            variables_of(&program->line[section->line[thread][i]], false, named);
            for (unsigned other = 0; other < SECTION_THREADS; other++)
                for (unsigned kind = 0; other != thread && kind < PROGRAM_KINDS; kind++)
                    clash |= named[kind] & bound[other][kind];
            if (!clash)
                section->line[thread][kept++] = section->line[thread][i];
        }
        section->count[thread] = kept;
    }
}

/* Threads without lines are closed up. */
static void close_up(struct section *section)
{
    for (unsigned thread = 0; thread < SECTION_THREADS; thread++) {
        if (section->count[thread] == 0)
            continue;
        if (section->threads != thread) {
            memcpy(section->line[section->threads], section->line[thread], sizeof section->line[thread]);
            section->count[section->threads] = section->count[thread];
        }
        section->lines += section->count[section->threads++];
    }
}

void section_find(struct section *section, const struct program *program)
{
    unsigned thread = 0; /* from 1; 0: none */
    bool over = false;

    *section = (struct section){.first = program->lines, .rest = program->lines};
    section->strategy = program_operations[OP_SCHEDULE].operand[SCHEDULE_STRATEGY].preset;
    section->seed = program_operations[OP_SCHEDULE].operand[SCHEDULE_SEED].preset;
    section->bound = program_operations[OP_SCHEDULE].operand[SCHEDULE_BOUND].preset;
    for (unsigned at = 0; at < program->lines; at++) {
        const struct program_line *line = &program->line[at];

        if (line->opcode == OP_SCHEDULE) {
            section->strategy = line->operand[SCHEDULE_STRATEGY];
            section->seed = line->operand[SCHEDULE_SEED];
            section->bound = line->operand[SCHEDULE_BOUND];
        } else if (line->opcode == OP_SWITCH) {
            section->switched[section->switches++] = (struct section_switch){
                line->operand[SWITCH_STEP], (unsigned)((line->operand[SWITCH_TO] - 1) % SECTION_THREADS)};
        } else if (line->opcode == OP_THREAD && !over) {
            thread = (unsigned)(line->operand[CONDITION_VALUE] % (SECTION_THREADS + 1));
            if (thread != 0 && section->first == program->lines)
                section->first = at;
            if (thread == 0 && section->first < program->lines) {
                section->rest = at;
                over = true;
            }
        } else if (thread != 0 && !over && is_fit(line)) {
            section->line[thread - 1][section->count[thread - 1]++] = (uint16_t)at;
        }
    }
    drop_dependent(section, program);
    close_up(section);
}

/* -- other programs made of it ------------------------------------------------------------- */

static void take(struct program *flat, uint16_t *from, const struct program *program, unsigned at)
{
    from[flat->lines] = (uint16_t)at;
    flat->line[flat->lines++] = program->line[at];
}

void section_flatten(const struct section *section, const struct program *program, const uint16_t *order,
                     unsigned ordered, bool all, struct program *flat, uint16_t *from)
{
    flat->world = program->world;
    flat->lines = 0;
    for (unsigned at = 0; at < section->first; at++)
        if (section_runs_alone(section, program, at))
            take(flat, from, program, at);
    for (unsigned i = 0; i < ordered; i++)
        take(flat, from, program, order[i]);
    for (unsigned at = section->rest; all && at < program->lines; at++)
        if (section_runs_alone(section, program, at))
            take(flat, from, program, at);
}

static bool append(struct program *program, const struct program_line *line)
{
    if (program->lines == PROGRAM_OPERATIONS)
        return false;
    program->line[program->lines++] = *line;
    return true;
}

bool section_spell_out(const struct program *program, const struct section_switch *switched,
                       unsigned switches, struct program *spelled)
{
    struct program_line line = {.opcode = OP_SCHEDULE};
    bool room;

    line.operand[SCHEDULE_STRATEGY] = PROGRAM_STRATEGY_LISTED;
    line.operand[SCHEDULE_SEED] = program_operations[OP_SCHEDULE].operand[SCHEDULE_SEED].preset;
    line.operand[SCHEDULE_BOUND] = program_operations[OP_SCHEDULE].operand[SCHEDULE_BOUND].preset;
    spelled->world = program->world;
    spelled->lines = 0;
    room = append(spelled, &line);
    for (unsigned i = 0; room && i < switches; i++) {
        line = (struct program_line){.opcode = OP_SWITCH};
        line.operand[SWITCH_STEP] = switched[i].step;
        line.operand[SWITCH_TO] = switched[i].to + 1;
        room = append(spelled, &line);
    }
    for (unsigned at = 0; room && at < program->lines; at++)
        if (program->line[at].opcode != OP_SCHEDULE && program->line[at].opcode != OP_SWITCH)
            room = append(spelled, &program->line[at]);
    return room;
}
