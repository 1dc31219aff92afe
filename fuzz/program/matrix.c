/* SPDX-License-Identifier: MIT */
/*
 * The matrix of what programs have tried: which handle of which callback was
 * given which class of value, and what had become of the thing it named.
 *
 * A cell is a column (operation and operand), a class and a fate. Calls that
 * are refused before they look at a handle count for nothing, and so do values
 * that were shifted and classes that did not exist (those count as exact).
 */
#include "runner_internal.h"

#include "../model/profile.h"

enum fate { FATE_NONE, FATE_LIVE, FATE_ENDED };

/* The calls that end things, in the order of their fates. */
static const uint8_t enders[] = {
    DXGKMEM_CALL_DESTROY,
    DXGKMEM_CALL_CLOSE,
    DXGKMEM_CALL_UNMAP,
    DXGKMEM_CALL_FREE_ADL,
    DXGKMEM_CALL_UNPIN,
    DXGKMEM_CALL_REMOVE_ADAPTER,
    DXGKMEM_CALL_PROCESS_EXIT,
    DXGKMEM_CALL_FREE_CONTIGUOUS,
    DXGKMEM_CALL_FREE_PAGES,
    DXGKMEM_CALL_UNMAP_MDL,
    DXGKMEM_CALL_UNMAP_FRAME_BUFFER,
};

#define ENDERS (sizeof(enders) / sizeof(enders[0]))
#define FATES (FATE_ENDED + (unsigned)ENDERS)

struct column {
    uint8_t opcode, operand;
};

static const struct column columns[] = {
    {OP_CREATE, CREATE_ADAPTER},
    {OP_DESTROY, DESTROY_OBJECT},
    {OP_DESTROY, DESTROY_WITH},
    {OP_OPEN, OPEN_OBJECT},
    {OP_OPEN, OPEN_ADAPTER},
    {OP_CLOSE, CLOSE_ADAPTER_OBJECT},
    {OP_MAP, MAP_OBJECT},
    {OP_UNMAP, UNMAP_OBJECT},
    {OP_UNMAP, UNMAP_MAPPING},
    {OP_ADL, ADL_ADAPTER_OBJECT},
    {OP_FREE_ADL, FREE_ADL_ADAPTER_OBJECT},
    {OP_FREE_ADL, FREE_ADL_ADL},
    {OP_PIN, PIN_ADAPTER},
    {OP_UNPIN, UNPIN_ADAPTER},
    {OP_CONTIGUOUS, CONTIGUOUS_ADAPTER},
    {OP_FREE_CONTIGUOUS, MEMORY_ADAPTER},
    {OP_FREE_CONTIGUOUS, MEMORY_MEMORY},
    {OP_PAGES, CONTIGUOUS_ADAPTER},
    {OP_FREE_PAGES, MEMORY_ADAPTER},
    {OP_FREE_PAGES, MEMORY_MEMORY},
    {OP_MAP_MDL, MAP_MDL_ADAPTER},
    {OP_UNMAP_MDL, MEMORY_ADAPTER},
    {OP_UNMAP_MDL, MEMORY_MEMORY},
    {OP_PIN_MDL, PIN_ADAPTER},
    {OP_MAP_FB, MAP_FB_ADAPTER},
    {OP_UNMAP_FB, UNMAP_FB_ADAPTER},
    {OP_UNMAP_FB, UNMAP_FB_MAPPING},
};

#define COLUMNS ((unsigned)(sizeof(columns) / sizeof(columns[0])))

unsigned matrix_cells(void)
{
    return COLUMNS * PROGRAM_CLASSES * FATES;
}

static enum program_kind kind_of(unsigned column)
{
    return program_operations[columns[column].opcode].operand[columns[column].operand].kind;
}

/* Whether this call ends things of this kind. */
static bool can_end(enum dxgkmem_call call, enum program_kind kind)
{
    switch (kind) {
    case PROGRAM_ADAPTER:
        return call == DXGKMEM_CALL_REMOVE_ADAPTER;
    case PROGRAM_OBJECT:
        return call == DXGKMEM_CALL_DESTROY;
    case PROGRAM_ADAPTER_OBJECT:
        return call == DXGKMEM_CALL_CLOSE || call == DXGKMEM_CALL_DESTROY ||
               call == DXGKMEM_CALL_REMOVE_ADAPTER;
    case PROGRAM_ADL:
        return call == DXGKMEM_CALL_FREE_ADL || call == DXGKMEM_CALL_UNPIN ||
               call == DXGKMEM_CALL_REMOVE_ADAPTER;
    case PROGRAM_MAPPING:
        return call == DXGKMEM_CALL_UNMAP || call == DXGKMEM_CALL_PROCESS_EXIT ||
               call == DXGKMEM_CALL_REMOVE_ADAPTER || call == DXGKMEM_CALL_FREE_CONTIGUOUS ||
               call == DXGKMEM_CALL_FREE_PAGES || call == DXGKMEM_CALL_UNMAP_FRAME_BUFFER;
    case PROGRAM_MEMORY:
        return call == DXGKMEM_CALL_REMOVE_ADAPTER || call == DXGKMEM_CALL_FREE_CONTIGUOUS ||
               call == DXGKMEM_CALL_FREE_PAGES || call == DXGKMEM_CALL_UNMAP_MDL;
    default:
        return false;
    }
}

bool matrix_feasible(unsigned cell)
{
    unsigned fate = cell % FATES;
    enum program_class class = (enum program_class)(cell / FATES % PROGRAM_CLASSES);
    enum program_kind kind;
    bool ended;

    if (cell >= matrix_cells())
        return false;
    kind = kind_of(cell / FATES / PROGRAM_CLASSES);
    ended = fate >= FATE_ENDED && can_end((enum dxgkmem_call)enders[fate - FATE_ENDED], kind);
    switch (class) {
    case PROGRAM_EXACT: /* also of a variable that was never bound */
        return fate == FATE_NONE || fate == FATE_LIVE || ended;
    case PROGRAM_NEXT: /* a handle then has the wrong check; behind an ADL there may be another */
        return fate == FATE_NONE || (kind == PROGRAM_ADL && (fate == FATE_LIVE || ended));
    case PROGRAM_NULL:
    case PROGRAM_GARBAGE:
    case PROGRAM_FLIPPED:
        return fate == FATE_NONE;
    case PROGRAM_WRONG_KIND:
    case PROGRAM_OTHER:
        return fate == FATE_LIVE;
    case PROGRAM_RECYCLED: /* an address that is used again is that of the live thing */
        return ended && kind != PROGRAM_ADL && kind != PROGRAM_MAPPING;
    case PROGRAM_PREVIOUS: /* an adapter's variable is its device: the former one must have gone first */
        return (fate == FATE_LIVE && kind != PROGRAM_ADAPTER) || ended;
    default:
        return false;
    }
}

/* What passing such a value is a mistake for; NONE: for nothing. */
static enum dxgkmem_violation_code mistake_of(enum program_kind kind, enum program_class class, unsigned fate)
{
    if (kind == PROGRAM_MAPPING)
        return fate == FATE_LIVE && class != PROGRAM_WRONG_KIND ? DXGKMEM_VIOLATION_NONE
                                                                : DXGKMEM_VIOLATION_UNMAP_WRONG_BASE;
    if (kind == PROGRAM_ADL && fate < FATE_ENDED)
        return fate == FATE_LIVE && class != PROGRAM_WRONG_KIND ? DXGKMEM_VIOLATION_NONE
                                                                : DXGKMEM_VIOLATION_ADL_FOREIGN;
    if (kind == PROGRAM_ADL)
        return DXGKMEM_VIOLATION_ADL_ALREADY_FREED;
    if (class == PROGRAM_NULL)
        return DXGKMEM_VIOLATION_NULL_HANDLE;
    if (class == PROGRAM_WRONG_KIND)
        return DXGKMEM_VIOLATION_WRONG_KIND_HANDLE;
    if (fate < FATE_ENDED)
        return fate == FATE_LIVE ? DXGKMEM_VIOLATION_NONE : DXGKMEM_VIOLATION_UNKNOWN_HANDLE;
    return enders[fate - FATE_ENDED] == DXGKMEM_CALL_REMOVE_ADAPTER ? DXGKMEM_VIOLATION_ADAPTER_REMOVED
                                                                    : DXGKMEM_VIOLATION_STALE_HANDLE;
}

bool matrix_expected(const struct dxgkmem_provider *provider, unsigned cell)
{
    const struct column *column;
    enum dxgkmem_violation_code mistake;

    if (!matrix_feasible(cell) || provider == NULL || provider->profile == NULL)
        return matrix_feasible(cell);
    column = &columns[matrix_row(cell)];
    mistake = mistake_of(kind_of(matrix_row(cell)), matrix_class(cell), cell % FATES);
    /* the value of what has ended may be that of something new */
    if (matrix_class(cell) == PROGRAM_RECYCLED && provider->profile->reuses_handles)
        return false;
    return mistake == DXGKMEM_VIOLATION_NONE ||
           profile_answer(provider->profile, runner_call_of(column->opcode), mistake).answer !=
               DXGKMEM_ANSWER_UNCHECKED;
}

unsigned matrix_row(unsigned cell)
{
    return cell / FATES / PROGRAM_CLASSES;
}

enum program_class matrix_class(unsigned cell)
{
    return (enum program_class)(cell / FATES % PROGRAM_CLASSES);
}

void matrix_name_parts(unsigned cell, struct matrix_parts *parts)
{
    struct writer row = {.text = parts->row, .room = sizeof(parts->row)};
    struct writer class = {.text = parts->class, .room = sizeof(parts->class)};
    struct writer fate = {.text = parts->fate, .room = sizeof(parts->fate)};
    const struct column *column = &columns[matrix_row(cell) % COLUMNS];
    const struct program_operand *operand = &program_operations[column->opcode].operand[column->operand];

    write_text(&row, program_operations[column->opcode].name);
    write_character(&row, ' ');
    write_character(&row, program_kind_letters[operand->kind]);
    write_text(&class,
               matrix_class(cell) == PROGRAM_EXACT ? "exact" : program_class_names[matrix_class(cell)]);
    if (cell % FATES >= FATE_ENDED) {
        write_text(&fate, "ended-by-");
        write_text(&fate, trace_call_name((enum dxgkmem_call)enders[cell % FATES - FATE_ENDED]));
    } else {
        write_text(&fate, cell % FATES == FATE_LIVE ? "live" : "none");
    }
    write_close(&row);
    write_close(&class);
    write_close(&fate);
}

size_t matrix_name(unsigned cell, char *text, size_t room)
{
    struct writer writer = {.text = text, .room = room};
    struct matrix_parts parts;

    matrix_name_parts(cell, &parts);
    write_text(&writer, parts.row);
    write_character(&writer, ' ');
    write_text(&writer, parts.class);
    write_character(&writer, ' ');
    write_text(&writer, parts.fate);
    return write_close(&writer);
}

/* The fate of a value, or FATES when none of the matrix's. */
static unsigned fate_of(struct runner *runner, enum program_kind kind, const struct runner_value *value)
{
    struct model_fate fate;

    if (value->class == PROGRAM_WRONG_KIND) /* only things that live are passed */
        return FATE_LIVE;
    fate = model_fate(runner->model, (enum model_kind)kind, value->value, runner->process);
    if (!fate.known)
        return FATE_NONE;
    if (fate.live)
        return FATE_LIVE;
    for (unsigned i = 0; i < ENDERS; i++)
        if (enders[i] == fate.ended_by)
            return FATE_ENDED + i;
    return FATES;
}

void runner_tell_matrix(struct runner *runner, unsigned operand, const struct runner_value *value)
{
    const struct model_conditions *conditions = &runner->conditions;
    unsigned column = 0, fate;

    if (runner->options.cell == NULL || runner->model == NULL || !runner->started ||
        conditions->null_arguments || conditions->misaligned_arguments || conditions->irql > APC_LEVEL)
        return;
    while (column < COLUMNS &&
           (columns[column].opcode != runner->line->opcode || columns[column].operand != operand))
        column++;
    if (column == COLUMNS)
        return;
    fate = fate_of(runner, kind_of(column), value);
    if (fate < FATES && runner->cells < PROGRAM_OPERANDS)
        runner->cell[runner->cells++] = (column * PROGRAM_CLASSES + (unsigned)value->class) * FATES + fate;
}

void runner_tell_cells(struct runner *runner)
{
    for (unsigned i = 0; i < runner->cells; i++)
        runner->options.cell(runner->options.cell_context, runner->cell[i]);
    runner->cells = 0;
}
