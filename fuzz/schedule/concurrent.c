/* SPDX-License-Identifier: MIT */
/* Implements concurrent.h but for the search for an order, which is in linearize.c. */
#include "schedule/concurrent.h"

#include <dxgkmem/sim.h>
#include <dxgkmem/user.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_AT_MOST 200000

struct concurrent {
    struct concurrent_options options;
    struct runner *runner; /* no model: many threads */
    struct section section;
    struct strategy strategy;
    const struct program *program;
    struct concurrent_result *result;
    struct runner_turn *turn[SCHEDULED_THREADS + 1]; /* the last one: outside the section */
    struct concurrent_line line[PROGRAM_OPERATIONS + 1];
    uint64_t step;
    struct linearize linearize;
};

/* -- what happens ------------------------------------------------------------------------- */

static void take_event(void *context, const struct program *program, const struct runner_event *event)
{
    struct concurrent *concurrent = context;
    struct concurrent_line *line = &concurrent->line[event->line];

    line->made = true;
    line->event = *event;
    if (concurrent->options.event)
        concurrent->options.event(concurrent->options.context, scheduled_thread(), program, event);
}

static unsigned choose(void *context, const struct scheduled_state *state)
{
    struct concurrent *concurrent = context;

    const struct concurrent_options *options = &concurrent->options;
    unsigned chosen;

    concurrent->step = state->step;
    chosen = options->choose ? options->choose(options->context, state)
                             : strategy_choose(&concurrent->strategy, state);
    if (options->turn)
        options->turn(options->context, state, chosen);
    return chosen;
}

static void turn(void *context, unsigned from, unsigned to)
{
    struct concurrent *concurrent = context;

    runner_save_turn(concurrent->runner, concurrent->turn[from]);
    runner_restore_turn(concurrent->runner, concurrent->turn[to]);
}

static void body(void *context, unsigned thread)
{
    struct concurrent *concurrent = context;

    for (unsigned i = 0; i < concurrent->section.count[thread]; i++) {
        unsigned at = concurrent->section.line[thread][i];

        scheduled_point(SCHEDULED_LINE, NULL, NULL, 0);
        concurrent->line[at].begin = concurrent->step;
        runner_line(concurrent->runner, at);
        concurrent->line[at].end = concurrent->step;
    }
}

/* -- findings --------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void find(struct concurrent_result *result, unsigned invariant,
                                                       const char *format, ...)
{
    va_list arguments;

    result->invariant = invariant;
    va_start(arguments, format);
    vsnprintf(result->message, sizeof result->message, format, arguments);
    va_end(arguments);
}

static const char *file_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path;
}

/* Who waits for whom. */
static void find_deadlock(struct concurrent_result *result, const struct scheduled_state *state)
{
    size_t length = 0;

    find(result, 19, "deadlock:");
    for (unsigned thread = 0; thread < state->threads; thread++) {
        const struct scheduled_point *point = &state->point[thread];
        unsigned holder = point->kind == SCHEDULED_ACQUIRE ? scheduled_holder(point) : SCHEDULED_NOBODY;

        if (holder == SCHEDULED_NOBODY)
            continue;
        length = strlen(result->message);
        if (holder < state->threads)
            snprintf(result->message + length, sizeof result->message - length,
                     "\n  thread %u waits for a lock that thread %u holds", thread + 1, holder + 1);
        else
            snprintf(result->message + length, sizeof result->message - length,
                     "\n  thread %u waits for a lock that was never released", thread + 1);
    }
}

static void find_endless(struct concurrent_result *result, const struct scheduled_state *state)
{
    const struct scheduled_point *point = &state->point[state->current < state->threads ? state->current : 0];

    find(result, 19, "the threads do not come to their end; the last of %d steps was at %s:%d", STEPS_AT_MOST,
         point->file ? file_name(point->file) : "a lock", point->line);
}

/* With the threads gone: nothing of instance and machine is broken. */
static void check_quiescent(struct concurrent *concurrent)
{
    struct dxgkmem_sim *sim = runner_sim(concurrent->runner);
    struct dxgkmem_audit audit;
    uint64_t domain, page;

    dxgkmem_audit(&audit);
    if (audit.problem)
        find(concurrent->result, 19, "after the threads ended: %s", audit.problem);
    else if (dxgkmem_sim_complaint(sim))
        find(concurrent->result, 9, "after the threads ended, the machine complains: %s",
             dxgkmem_sim_complaint(sim));
    else if (dxgkmem_sim_stale_iotlb(sim, &domain, &page))
        find(concurrent->result, 5,
             "after the threads ended the IOTLB holds a translation that the page table no longer has");
}

/* "  thread 1: close a0 -> done", or "  then: ..." */
static void say_line(struct concurrent *concurrent, unsigned thread, unsigned at)
{
    struct concurrent_result *result = concurrent->result;
    size_t length = strlen(result->message);
    char who[16] = "then", text[256];

    if (thread != SCHEDULED_NOBODY)
        snprintf(who, sizeof who, "thread %u", thread + 1);
    trace_print(concurrent->program, &concurrent->line[at].event, text, sizeof text);
    snprintf(result->message + length, sizeof result->message - length, "\n  %s: %s", who, text);
}

static void find_no_order(struct concurrent *concurrent)
{
    const struct section *section = &concurrent->section;
    unsigned lines = concurrent->program->lines;

    if (concurrent->linearize.sequential.invariant) {
        find(concurrent->result, concurrent->linearize.sequential.invariant, "one thread alone: %s",
             concurrent->linearize.sequential.message);
        return;
    }
    find(concurrent->result, 19, "no order of single calls gives these answers:");
    for (unsigned thread = 0; thread < section->threads; thread++)
        for (unsigned i = 0; i < section->count[thread]; i++)
            say_line(concurrent, thread, section->line[thread][i]);
    for (unsigned at = section->rest; at <= lines; at++)
        if (section_runs_alone(section, concurrent->program, at))
            say_line(concurrent, SCHEDULED_NOBODY, at);
}

/* -- a run ------------------------------------------------------------------------------------- */

static void run_alone(struct concurrent *concurrent, unsigned from, unsigned to)
{
    for (unsigned at = from; at < to; at++)
        if (section_runs_alone(&concurrent->section, concurrent->program, at))
            runner_line(concurrent->runner, at);
}

void concurrent_take_driver_pages(struct runner *runner, const struct section *section,
                                  const struct program *program)
{
    bool needed = false;
    uint64_t page;

    for (unsigned thread = 0; thread < section->threads; thread++)
        for (unsigned i = 0; i < section->count[thread]; i++)
            needed |= program->line[section->line[thread][i]].opcode == OP_MAP_MDL;
    if (needed)
        (void)dxgkmem_sim_driver_page(runner_sim(runner), 0, &page);
}

static void run_threads(struct concurrent *concurrent)
{
    const struct scheduled_run run = {
        .threads = concurrent->section.threads,
        .steps = STEPS_AT_MOST,
        .context = concurrent,
        .body = body,
        .choose = choose,
        .turn = turn,
    };
    struct scheduled_state final;

    for (unsigned thread = 0; thread < run.threads; thread++)
        runner_begin_turn(concurrent->runner, concurrent->turn[thread], thread + 1);
    concurrent_take_driver_pages(concurrent->runner, &concurrent->section, concurrent->program);
    concurrent->result->end = scheduled_run(&run, &final);
    concurrent->result->steps = final.step;
    if (concurrent->result->end == SCHEDULED_DEADLOCK)
        find_deadlock(concurrent->result, &final);
    else if (concurrent->result->end == SCHEDULED_ENDLESS)
        find_endless(concurrent->result, &final);
    else if (concurrent->result->end == SCHEDULED_NO_MEMORY)
        find(concurrent->result, 18, "no memory for the threads");
}

void concurrent_run(struct concurrent *concurrent, const struct program *program, unsigned run,
                    struct concurrent_result *result)
{
    struct runner_result alone;

    *result = (struct concurrent_result){.end = SCHEDULED_DONE};
    concurrent->program = program;
    concurrent->result = result;
    section_find(&concurrent->section, program);
    strategy_begin(&concurrent->strategy, &concurrent->section, run);
    memset(concurrent->line, 0, (program->lines + 1u) * sizeof concurrent->line[0]);
    if (concurrent->section.threads < 2)
        return;
    dxgkmem_user_seed(1); /* handles and trees are the same in every run */
    if (runner_begin(concurrent->runner, program)) {
        run_alone(concurrent, 0, concurrent->section.first);
        run_threads(concurrent);
        if (result->end != SCHEDULED_DONE)
            return;
        check_quiescent(concurrent);
        run_alone(concurrent, concurrent->section.rest, program->lines + 1u);
    }
    runner_finish(concurrent->runner, &alone);
    if (alone.finding.invariant)
        find(result, alone.finding.invariant, "%s", alone.finding.message);
    if (result->invariant)
        return;
    concurrent->linearize.program = program;
    concurrent->linearize.section = &concurrent->section;
    concurrent->linearize.line = concurrent->line;
    if (!linearize_find(&concurrent->linearize))
        find_no_order(concurrent);
    result->orders = concurrent->linearize.orders;
}

/* -- beginning and end ----------------------------------------------------------------------------- */

const struct section *concurrent_section(const struct concurrent *concurrent)
{
    return &concurrent->section;
}

const struct strategy *concurrent_strategy(const struct concurrent *concurrent)
{
    return &concurrent->strategy;
}

struct concurrent *concurrent_create(const struct concurrent_options *options)
{
    struct concurrent *concurrent = calloc(1, sizeof *concurrent);
    bool good;

    if (!concurrent)
        return NULL;
    concurrent->options = *options;
    struct runner_options many = {
        .no_model = true, .event = take_event, .event_context = concurrent, .gone = scheduled_gone};
    struct runner_options one = {.event = linearize_event,
                                 .event_context = &concurrent->linearize,
                                 .removal = linearize_removal,
                                 .removal_context = &concurrent->linearize};
    concurrent->runner = runner_create(&many);
    concurrent->linearize.runner = runner_create(&one);
    good = concurrent->runner && concurrent->linearize.runner;
    for (unsigned i = 0; i <= SCHEDULED_THREADS; i++)
        good &= (concurrent->turn[i] = calloc(1, runner_turn_bytes())) != NULL;
    concurrent->linearize.many = concurrent->runner;
    concurrent->linearize.turn = concurrent->turn[0]; /* the threads are gone by then */
    if (good)
        return concurrent;
    concurrent_destroy(concurrent);
    return NULL;
}

void concurrent_destroy(struct concurrent *concurrent)
{
    if (!concurrent)
        return;
    runner_destroy(concurrent->runner);
    runner_destroy(concurrent->linearize.runner);
    for (unsigned i = 0; i <= SCHEDULED_THREADS; i++)
        free(concurrent->turn[i]);
    free(concurrent);
}
