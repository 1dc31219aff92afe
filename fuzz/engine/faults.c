/* SPDX-License-Identifier: MIT */
/* Implements faults.h. */
#include "engine/faults.h"

#include "program/operands.h"

#include <string.h>

struct faults_plan faults_take_out(struct program *program)
{
    struct faults_plan plan = {0, 0};
    uint16_t kept = 0;

    for (unsigned i = 0; i < program->lines; i++) {
        const struct program_line *line = &program->line[i];

        if (line->opcode != OP_FAIL) {
            program->line[kept++] = *line;
        } else if (plan.first == 0) {
            plan.first = line->operand[FAIL_NTH];
            plan.second = line->operand[FAIL_THEN];
        } else if (plan.second == 0) {
            plan.second = line->operand[FAIL_NTH];
        }
    }
    program->lines = kept < PROGRAM_OPERATIONS ? kept : PROGRAM_OPERATIONS - 1;
    return plan;
}

void faults_put_in(struct program *planned, const struct program *program, struct faults_plan plan)
{
    planned->world = program->world;
    planned->lines = (uint16_t)(program->lines + 1);
    memset(&planned->line[0], 0, sizeof planned->line[0]);
    planned->line[0].opcode = OP_FAIL;
    planned->line[0].operand[FAIL_NTH] = plan.first;
    planned->line[0].operand[FAIL_THEN] = plan.second;
    memcpy(&planned->line[1], program->line, program->lines * sizeof program->line[0]);
}
