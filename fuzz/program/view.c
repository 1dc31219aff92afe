/* SPDX-License-Identifier: MIT */
/*
 * What others may know of a run while it goes on: the things that were made, what
 * operands passed, and what the model wanted. For pictures and other forms of a program.
 */
#include "runner_internal.h"

const struct runner_passed *runner_passed(const struct runner *runner, unsigned operand)
{
    return &runner->passed[operand];
}

/* The newest thing of a kind with this value that is older than `before`, or -1. */
static int find_before(const struct runner *runner, enum program_kind kind, uint64_t value, unsigned before)
{
    for (unsigned i = before; i-- > 0;)
        if (runner->thing[i].kind == kind && runner->thing[i].value == value)
            return (int)i;
    return -1;
}

/* The same of the physical adapter at a place in a chain. */
static int find_member(const struct runner *runner, uint32_t chain, uint32_t index, unsigned before)
{
    for (unsigned i = before; i-- > 0;) {
        const struct runner_thing *thing = &runner->thing[i];
        if (thing->kind == PROGRAM_ADAPTER && thing->chain == chain && thing->index == index)
            return (int)i;
    }
    return -1;
}

bool runner_view(const struct runner *runner, unsigned number, struct runner_view *view)
{
    const struct runner_thing *thing = &runner->thing[number];

    if (number >= runner->things)
        return false;
    *view = (struct runner_view){
        .kind = (enum program_kind)thing->kind,
        .variable = thing->variable,
        .line = thing->line,
        .live = thing->live,
        .owner = -1,
        .pin = thing->frame_buffer,
        .device = thing->device,
        .objects_only = thing->objects_only,
        .process = (unsigned)thing->process,
        .chain = thing->chain,
        .size = thing->size,
        .pages = thing->pages,
        .consecutive = thing->array == NULL,
    };
    if (thing->kind == PROGRAM_MAPPING || thing->kind == PROGRAM_ADAPTER_OBJECT)
        view->owner = find_before(runner, PROGRAM_OBJECT, thing->owner, number);
    if (thing->kind == PROGRAM_MAPPING && view->owner < 0)
        view->owner = find_before(runner, PROGRAM_MEMORY, thing->owner, number);
    if (thing->kind == PROGRAM_MAPPING && view->owner < 0)
        view->owner = find_before(runner, PROGRAM_ADAPTER, thing->owner, number);
    if (thing->frame_buffer)
        view->owner = find_member(runner, thing->chain, thing->index, number);
    else if (thing->kind == PROGRAM_ADL)
        view->owner = find_before(runner, PROGRAM_ADAPTER_OBJECT, thing->owner, number);
    return true;
}

static bool adl_access(const struct runner *runner, uint64_t value, unsigned *access)
{
    struct model_live_adl adl;
    size_t cursor = 0;

    while (model_next_adl(runner->model, &cursor, &adl)) {
        if ((uintptr_t)adl.handed_out != value)
            continue;
        *access = adl.access;
        return true;
    }
    return false;
}

bool runner_view_access(const struct runner *runner, unsigned number, unsigned *access,
                        DXGK_MEMORY_CACHING_TYPE *cache)
{
    const struct runner_thing *thing = &runner->thing[number];
    struct model_live_mapping mapping;
    size_t cursor = 0;

    if (thing->kind == PROGRAM_ADL)
        return adl_access(runner, thing->value, access);
    while (model_next_mapping(runner->model, &cursor, &mapping)) {
        if ((uintptr_t)mapping.base != thing->value || mapping.process != thing->process)
            continue;
        *access = mapping.access;
        *cache = mapping.cache;
        return true;
    }
    return false;
}

uint64_t runner_view_page(const struct runner *runner, unsigned number, uint64_t page)
{
    return number < runner->things ? runner_adl_page(runner, &runner->thing[number], page) : 0;
}

uint64_t runner_value_of(struct runner *runner, enum program_kind kind, uint64_t thing)
{
    return runner_resolve_class(runner, kind, thing).value;
}

/* Whether a thing has this address, or may have: pages of a long array that are not kept are not known. */
static bool has_address(const struct runner *runner, const struct runner_thing *thing, uint64_t address)
{
    uint64_t page = address >> DXGKMEM_PAGE_SHIFT;

    if (thing->kind == PROGRAM_MAPPING)
        return address - thing->value < thing->size;
    if (thing->array == NULL)
        return page - thing->base < thing->pages;
    for (uint64_t i = 0; i < thing->pages && i < RUNNER_ADL_KEPT; i++)
        if (runner->adl_page[thing->adl][i] == page)
            return true;
    return thing->pages > RUNNER_ADL_KEPT;
}

/* Whether both name addresses of the same world, that of the CPU or that of devices. */
static bool is_beside(const struct runner_thing *thing, const struct runner_thing *other)
{
    if (thing->kind == PROGRAM_MAPPING)
        return other->kind == PROGRAM_MAPPING;
    return other->kind == PROGRAM_ADL || other->kind == PROGRAM_MEMORY;
}

bool runner_strayed(const struct runner *runner, const struct runner_event *event)
{
    const struct runner_thing *thing = &runner->thing[event->through == 0 ? 0 : event->through - 1];

    if (event->through == 0)
        return false;
    if (!has_address(runner, thing, event->address))
        return true;
    for (unsigned i = 0; i < runner->things; i++)
        if (i + 1 != event->through && is_beside(thing, &runner->thing[i]) &&
            has_address(runner, &runner->thing[i], event->address))
            return true;
    return false;
}

/* As reports of what was left are in a trace. */
static void sort_by_making(struct runner_event *event)
{
    for (unsigned i = 1; i < event->reports; i++)
        for (unsigned k = i; k > 0 && event->report[k - 1].earlier_line > event->report[k].earlier_line;
             k--) {
            unsigned line = event->report[k].earlier_line;
            enum dxgkmem_call call = event->report[k].earlier_call;

            event->report[k].earlier_line = event->report[k - 1].earlier_line;
            event->report[k].earlier_call = event->report[k - 1].earlier_call;
            event->report[k - 1].earlier_line = line;
            event->report[k - 1].earlier_call = call;
        }
}

void runner_wanted(const struct runner *runner, struct runner_event *wanted)
{
    const struct model_expectation *expected = &runner->expected;

    *wanted = runner->event;
    wanted->reports = 0;
    if (program_operations[wanted->opcode].role == PROGRAM_ROLE_ACCESS) {
        wanted->value[0] = runner->wanted[0];
        wanted->value[1] = runner->wanted[1];
        return;
    }
    for (unsigned i = 0; i < runner->wanted_left; i++)
        runner_add_report(runner, wanted, &runner->left[i]);
    if (wanted->opcode == OP_STOP) {
        wanted->value[0] = runner->wanted_leaks.objects;
        wanted->value[1] = runner->wanted_leaks.adapter_objects;
        wanted->value[2] = runner->wanted_leaks.adls + runner->wanted_leaks.frame_buffers;
        wanted->value[3] = runner->wanted_leaks.mappings;
        sort_by_making(wanted);
    }
    if (!wanted->has_status && program_operations[wanted->opcode].role != PROGRAM_ROLE_CALLBACK)
        return;
    wanted->status = expected->must_fail ? expected->resource[0] : expected->status;
    if (runner->violations == 0 && runner_may_fail_with(runner, runner->event.status))
        wanted->status = runner->event.status;
    else if (expected->violation != DXGKMEM_VIOLATION_NONE)
        runner_add_report(runner, wanted,
                          &(struct dxgkmem_violation){.code = expected->violation,
                                                      .earlier_operation = expected->earlier_operation,
                                                      .earlier_call = expected->earlier_call});
    if (wanted->status != STATUS_SUCCESS)
        wanted->values = 0;
}
