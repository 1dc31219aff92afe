/* SPDX-License-Identifier: MIT */
/*
 * Which lines may change places. Names tell nothing: a class stands for a thing by what was made and ended, and slots
 * go round, the one that rested longest first. Places do: to a line that reaches past the end of something, or asks
 * for pages in a window that may be full, or for several that may lie side by side or not.
 */
#include "tool/explore_order.h"

#include "program/operands.h"
#include "program/world.h"

static bool has_preset(const struct program_line *line, unsigned operand)
{
    return line->operand[operand] == program_operations[line->opcode].operand[operand].preset;
}

/* Whether a window that ends there may be full. */
static bool is_low(uint64_t high)
{
    const struct dxgkmem_sim_config *machine = &program_worlds[WORLD_SMALL].machine;

    for (unsigned i = 0; i < machine->ranges; i++)
        if (!machine->range[i].io &&
            high / DXGKMEM_PAGE_BYTES < machine->range[i].page + machine->range[i].pages)
            return true;
    return false;
}

/* The pages of a contiguous object lie side by side, I/O space is where it was asked for. */
static bool creates_by_place(const struct program_line *line)
{
    uint64_t type = line->operand[CREATE_TYPE];

    return ((type == PROGRAM_TYPE_MDL || type == PROGRAM_TYPE_SECTION) && !has_preset(line, CREATE_SIZE)) ||
           ((type == PROGRAM_TYPE_MDL || type == PROGRAM_TYPE_CONTIGUOUS) &&
            is_low(line->operand[CREATE_HIGH]));
}

bool explore_tells_places(const struct program_line *line)
{
    switch (line->opcode) {
    case OP_CREATE:
        return creates_by_place(line);
    case OP_CONTIGUOUS:
    case OP_PAGES:
        return !has_preset(line, CONTIGUOUS_SIZE) || is_low(line->operand[CONTIGUOUS_HIGH]);
    case OP_PIN_MDL:
        return !has_preset(line, PIN_SIZE);
    case OP_DMA_READ:
    case OP_DMA_WRITE:
    case OP_MEMORY_READ:
    case OP_MEMORY_WRITE:
        return !has_preset(line, DMA_PAGE);
    case OP_MAP_MDL: /* the driver's own pages come from the same memory, at the first */
        return true;
    default:
        return false;
    }
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

/*
 * Whether a CREATE that tells no place may change places with another line. Both come to the same in either order: neither
 * gives back what the other may need (CLOSE, UNPIN: quota), nor changes what the other may do (ADD and REMOVE: what an
 * adapter sees; IRQL), nor takes pages that outlive what took them (PIN: the save area, which a later line may find).
 */
static bool may_pass(const struct program_line *other)
{
    switch (other->opcode) {
    case OP_CREATE:
    case OP_OPEN:
    case OP_MAP:
    case OP_UNMAP:
    case OP_ADL:
    case OP_FREE_ADL:
    case OP_DMA_WRITE:
    case OP_CPU_WRITE:
    case OP_SCRIBBLE:
    case OP_PROCESS:
        return !explore_tells_places(other);
    default:
        return false;
    }
}

static bool may_change_places(const struct program_line *a, const struct program_line *b)
{
    if (meets(a, b) || meets(b, a) || explore_tells_places(a) || explore_tells_places(b))
        return false;
    return (a->opcode == OP_CREATE && may_pass(b)) || (b->opcode == OP_CREATE && may_pass(a));
}

bool explore_is_reordered(const struct explore_lines *lines, const uint16_t *led, unsigned count,
                          unsigned line)
{
    while (count-- > 0 && may_change_places(&lines->line[line], &lines->line[led[count]]))
        if (lines->rank[line] < lines->rank[led[count]])
            return true;
    return false;
}
