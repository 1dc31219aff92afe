/* SPDX-License-Identifier: MIT */
/*
 * Which lines may change places. Both orders lead to one state but for names: which of two objects is called
 * 0, which slot each handle names, whose pages are lower. That is what makes a search of all orders large.
 */
#include "tool/explore_order.h"

#include "program/operands.h"

/*
 * Makes something that holds pages, and needs nothing but an adapter and room: where its pages are bounded
 * from above the room may be what another line takes or gives back.
 */
static bool makes(const struct program_line *line)
{
    unsigned high = line->opcode == OP_CREATE ? (unsigned)CREATE_HIGH : (unsigned)CONTIGUOUS_HIGH;

    return (line->opcode == OP_CREATE || line->opcode == OP_CONTIGUOUS || line->opcode == OP_PAGES) &&
           line->operand[high] == program_operations[line->opcode].operand[high].preset;
}

static bool is_named(const struct program_line *line, unsigned i)
{
    const struct program_operand *operand = &program_operations[line->opcode].operand[i];

    return operand->type == PROGRAM_OPERAND_THING && PROGRAM_CLASS_OF(line->operand[i]) != PROGRAM_NULL &&
           PROGRAM_CLASS_OF(line->operand[i]) != PROGRAM_GARBAGE;
}

static bool names(const struct program_line *line, enum program_kind kind, unsigned variable)
{
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++)
        if (operation->operand[i].kind == kind && is_named(line, i) &&
            (PROGRAM_CLASS_OF(line->operand[i]) != PROGRAM_EXACT ||
             PROGRAM_VARIABLE_OF(line->operand[i]) == variable))
            return true;
    return false;
}

static bool binds(const struct program_line *line, enum program_kind kind, unsigned variable)
{
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++)
        if (operation->operand[i].kind == kind && operation->operand[i].type == PROGRAM_OPERAND_BIND &&
            line->operand[i] == variable)
            return true;
    return false;
}

/* Whether the one binds what the other names, or ends what it names or binds anew. */
static bool meets(const struct program_line *line, const struct program_line *other)
{
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        unsigned variable = PROGRAM_VARIABLE_OF(line->operand[i]);

        if (operand->type == PROGRAM_OPERAND_BIND) {
            if (names(other, operand->kind, (unsigned)line->operand[i]))
                return true;
        } else if (is_named(line, i) && operand->kind == operation->ends) {
            if (names(other, operand->kind, variable) || binds(other, operand->kind, variable))
                return true;
        }
    }
    return false;
}

/* Whether a line that makes something may change places with one that is no such line. */
static bool makes_apart(const struct program_line *made, const struct program_line *other)
{
    switch (other->opcode) {
    case OP_ADD:
    case OP_REMOVE: /* which callbacks of WDDM 2.4 there are depends on the newest adapter */
        return made->opcode == OP_CREATE;
    case OP_PIN:
    case OP_UNPIN:
    case OP_OPEN:
    case OP_CLOSE:
    case OP_MAP:
    case OP_UNMAP:
    case OP_ADL:
    case OP_FREE_ADL:
    case OP_DMA_WRITE:
    case OP_CPU_WRITE:
    case OP_SCRIBBLE:
    case OP_PROCESS:
    case OP_IRQL: /* of one that succeeds at either level */
        return true;
    default:
        return false;
    }
}

static bool may_change_places(const struct program_line *a, const struct program_line *b)
{
    if (meets(a, b) || meets(b, a))
        return false;
    return makes(a) ? makes(b) || makes_apart(a, b) : makes(b) && makes_apart(b, a);
}

bool explore_is_reordered(const struct explore_lines *lines, const uint16_t *led, unsigned count,
                          unsigned line)
{
    while (count-- > 0 && may_change_places(&lines->line[line], &lines->line[led[count]]))
        if (lines->rank[line] < lines->rank[led[count]])
            return true;
    return false;
}
