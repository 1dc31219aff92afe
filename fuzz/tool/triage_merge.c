/* SPDX-License-Identifier: MIT */
/*
 * Groups that show one bug become one, after each was made small. The principle (fuzz/TRIAGE.md): who
 * noticed a bug does not tell two bugs apart; what is wrong does, as far as it can be seen from outside.
 */
#include "tool/triage.h"

#include <string.h>

/* -- one fact, several checks ------------------------------------------------------------------- */

static bool same_fact(const struct triage_group *one, const struct triage_group *other)
{
    return one->finding.fact > RUNNER_FACT_ANSWER && one->finding.fact == other->finding.fact;
}

/* -- one list of pages, several checks ------------------------------------------------------------ */

/* Which pages an ADL or a mapping leads to is looked at in five ways: owner, reach, order, place, content. */
static bool is_of_pages(const struct finding *finding)
{
    return finding->kind == FINDING_INVARIANT && finding->placed && finding->opcode != OP_STOP &&
           finding->fact != RUNNER_FACT_ANSWER &&
           ((finding->number >= 4 && finding->number <= 7) || finding->number == 10);
}

/*
 * The operands that the operation cannot do without, one bit each: in a program made small, those that do
 * not have their preset. How large something is only makes room for the rest.
 */
static uint32_t deviating(const struct triage_group *group)
{
    const struct program_line *line = &group->program.line[group->finding.line];
    const struct program_operation *operation = &program_operations[line->opcode];
    uint32_t deviate = 0;

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        if (operand->name && strcmp(operand->name, "size") != 0 && line->operand[i] != operand->preset)
            deviate |= UINT32_C(1) << i;
    }
    return deviate;
}

static bool same_pages(const struct triage_group *one, const struct triage_group *other)
{
    const struct finding *a = &one->finding, *b = &other->finding;

    if (!is_of_pages(a) || !is_of_pages(b) || a->opcode != b->opcode || a->operand_class != b->operand_class)
        return false;
    if (a->line >= one->program.lines || b->line >= other->program.lines)
        return false;
    uint32_t deviate = deviating(one);
    return deviate && deviate == deviating(other);
}

/* -- one class of handles that is taken for good -------------------------------------------------- */

/*
 * Whether the handle alone, without what it leads to, should have been refused, and it is only that
 * class that goes wrong: with exact handles nothing is found. A handle of another object or adapter is
 * not among them: each operation compares it by itself.
 */
static bool takes_for_exact(const struct triage_group *group, struct replay *replay)
{
    const struct finding *finding = &group->finding;
    static struct program program;
    struct finding found;

    if (finding->kind != FINDING_INVARIANT || !finding->placed || finding->fact != RUNNER_FACT_ANSWER ||
        finding->operand_class != PROGRAM_FLIPPED || finding->line >= group->program.lines)
        return false;
    program = group->program;
    struct program_line *line = &program.line[finding->line];
    const struct program_operation *operation = &program_operations[line->opcode];
    for (unsigned i = 0; i < operation->operands; i++)
        if (operation->operand[i].type == PROGRAM_OPERAND_THING &&
            PROGRAM_CLASS_OF(line->operand[i]) == PROGRAM_FLIPPED)
            line->operand[i] = PROGRAM_THING(PROGRAM_EXACT, PROGRAM_VARIABLE_OF(line->operand[i]));
    return replay_program(replay, &program, NULL, &found) == 0 && found.kind == FINDING_NONE;
}

/* -- merging ---------------------------------------------------------------------------------------- */

static bool better(const struct triage_group *one, const struct triage_group *other)
{
    enum finding_severity severity = finding_severity(&one->finding),
                          of_other = finding_severity(&other->finding);

    return severity != of_other ? severity < of_other : one->program.lines < other->program.lines;
}

/* The worst, or the shortest, stays; what the other was seen as is among its variants. */
static void absorb(struct triage *triage, size_t into, size_t from)
{
    if (better(&triage->group[from], &triage->group[into])) {
        struct triage_group swapped = triage->group[into];
        triage->group[into] = triage->group[from];
        triage->group[from] = swapped;
    }
    struct triage_group *kept = &triage->group[into], *gone = &triage->group[from];
    for (size_t i = 0; i < triage->inputs; i++)
        if (triage->input[i].fate == TRIAGE_FOUND && triage->input[i].group == gone->number)
            triage->input[i].group = kept->number;
    kept->count += gone->count;
    for (unsigned i = 0; i < gone->variants && kept->variants < TRIAGE_VARIANTS; i++)
        kept->variant[kept->variants++] = gone->variant[i];
    memmove(gone, gone + 1, (--triage->groups - from) * sizeof *gone);
}

void triage_merge(struct triage *triage, struct replay *replay)
{
    for (size_t i = 0; i < triage->groups; i++)
        triage->group[i].class_taken = takes_for_exact(&triage->group[i], replay);
    for (size_t i = 0; i < triage->groups; i++)
        for (size_t k = i + 1; k < triage->groups;) {
            const struct triage_group *one = &triage->group[i], *other = &triage->group[k];
            if (same_fact(one, other) || same_pages(one, other) || (one->class_taken && other->class_taken)) {
                absorb(triage, i, k);
                k = i + 1; /* what stays may agree with what was passed over */
            } else {
                k++;
            }
        }
}
