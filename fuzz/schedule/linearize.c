/* SPDX-License-Identifier: MIT */
/*
 * The search for an order of single calls that explains a run of several threads: depth first, the
 * call that ended first tried first, each prefix run anew by one thread with the model.
 *
 * A call that failed because something ran out may have met a shortage that lasted only while another
 * call was under way (it gave back what it could not use). Such a call is taken for one that was not made.
 * And what there is room for depends on where others were put: an order in which one thread runs out where
 * many did not, or the other way round, says nothing, for or against.
 */
#include "schedule/concurrent.h"

#include <dxgkmem/user.h>

#include <string.h>

void linearize_event(void *context, const struct program *program, const struct runner_event *event)
{
    struct linearize *linearize = context;

    (void)program;
    linearize->event[event->line] = *event;
}

static bool ran_out(const struct runner_event *event)
{
    return event->has_status && event->reports == 0 &&
           (event->status == STATUS_NO_MEMORY || event->status == STATUS_INSUFFICIENT_RESOURCES ||
            event->status == STATUS_QUOTA_EXCEEDED);
}

/* The line of the section's program that a line of the flat one stands for, both plus one; 0 stays. */
static unsigned original(const struct linearize *linearize, unsigned flat_line)
{
    return flat_line == 0 ? 0 : linearize->from[flat_line - 1] + 1u;
}

/* Who ended a handle is known for two lives of its slot; which slots are used again depends on the thread. */
static bool forgotten(const struct runner_event *event, unsigned i)
{
    return event->report[i].code == DXGKMEM_VIOLATION_STALE_HANDLE && event->report[i].earlier_line == 0;
}

static bool of_an_ended_handle(const struct runner_event *event, unsigned i)
{
    return event->report[i].code == DXGKMEM_VIOLATION_STALE_HANDLE ||
           event->report[i].code == DXGKMEM_VIOLATION_CLOSE_AFTER_DESTROY ||
           event->report[i].code == DXGKMEM_VIOLATION_ADAPTER_REMOVED;
}

/* Report i of many threads and report j of one. */
static bool same_report(const struct linearize *linearize, const struct runner_event *many, unsigned i,
                        const struct runner_event *one, unsigned j)
{
    if ((forgotten(many, i) && of_an_ended_handle(one, j)) ||
        (forgotten(one, j) && of_an_ended_handle(many, i)))
        return true;
    return many->report[i].code == one->report[j].code &&
           many->report[i].earlier_call == one->report[j].earlier_call &&
           many->report[i].earlier_line == original(linearize, one->report[j].earlier_line);
}

/* In which order a stop reports is not promised; of very many things not all are kept. */
static bool same_leaks(const struct linearize *linearize, const struct runner_event *many,
                       const struct runner_event *one)
{
    uint32_t matched = 0;

    for (unsigned i = 0; i < many->reports && many->reports < RUNNER_REPORTS; i++) {
        unsigned j = 0;

        while (j < one->reports && (matched >> j & 1 || !same_report(linearize, many, i, one, j)))
            j++;
        if (j == one->reports)
            return false;
        matched |= 1u << j;
    }
    return true;
}

/* Another thread ended the ADL (by unpin) before its maker looked at it: it has no pages any more. */
static bool was_unseen(const struct runner_event *event)
{
    return event->opcode == OP_PIN && event->values && event->value[0] == 0;
}

/* Whether an access may go elsewhere than it would have: its address was not seen. */
static bool is_blind(const struct linearize *linearize, const struct runner_event *event)
{
    if (program_operations[event->opcode].role != PROGRAM_ROLE_ACCESS)
        return false;
    for (unsigned at = 0; at < linearize->program->lines; at++)
        if (linearize->line[at].made && was_unseen(&linearize->line[at].event))
            return true;
    return false;
}

/* The same answer. */
static bool same(const struct linearize *linearize, const struct runner_event *many,
                 const struct runner_event *one)
{
    if (is_blind(linearize, many))
        return true;
    if (many->skipped || one->skipped) /* whether there is anything to act on may depend on what was added */
        return true;
    if (many->has_status != one->has_status || many->values != one->values || many->reports != one->reports)
        return false;
    if (many->status != one->status && many->reports == 0) /* else it follows from the violation */
        return false;
    if (!was_unseen(many) && memcmp(many->value, one->value, many->values * sizeof many->value[0]) != 0)
        return false;
    if (many->opcode == OP_STOP)
        return same_leaks(linearize, many, one);
    for (unsigned i = 0; i < many->reports; i++)
        if (!same_report(linearize, many, i, one, i))
            return false;
    return true;
}

/* Runs the order so far by one thread; whether every line of it answers as it did. */
static bool try(struct linearize *linearize, bool all)
{
    struct runner_result result;

    linearize->orders++;
    section_flatten(linearize->section, linearize->program, linearize->order, linearize->ordered, all,
                    &linearize->flat, linearize->from);
    linearize->from[linearize->flat.lines] = linearize->program->lines;
    dxgkmem_user_seed(1);
    runner_run(linearize->runner, &linearize->flat, &result);
    if (result.finding.invariant) {
        linearize->sequential = result.finding;
        return false;
    }
    for (unsigned at = 0; at < linearize->flat.lines + (all ? 1u : 0u); at++) {
        const struct runner_event *many = &linearize->line[linearize->from[at]].event;

        if (same(linearize, many, &linearize->event[at]))
            continue;
        linearize->short_of_room |= ran_out(&linearize->event[at]) != ran_out(many);
        return false;
    }
    return true;
}

/* Whether another thread's line that is still to come had ended before this one began. */
static bool comes_too_early(const struct linearize *linearize, unsigned thread)
{
    const struct section *section = linearize->section;
    uint64_t begin = linearize->line[section->line[thread][linearize->next[thread]]].begin;

    for (unsigned other = 0; other < section->threads; other++)
        if (other != thread && linearize->next[other] < section->count[other] &&
            linearize->line[section->line[other][linearize->next[other]]].end < begin)
            return true;
    return false;
}

/* The threads whose next line may come now, that which ended first in front. */
static unsigned candidates(const struct linearize *linearize, unsigned thread[SECTION_THREADS])
{
    const struct section *section = linearize->section;
    unsigned count = 0;

    for (unsigned i = 0; i < section->threads; i++) {
        unsigned to = count;

        if (linearize->next[i] == section->count[i] || comes_too_early(linearize, i))
            continue;
        uint64_t end = linearize->line[section->line[i][linearize->next[i]]].end;
        for (; to > 0; to--) {
            unsigned before = thread[to - 1];

            if (linearize->line[section->line[before][linearize->next[before]]].end <= end)
                break;
            thread[to] = before;
        }
        thread[to] = i;
        count++;
    }
    return count;
}

/* One level of the search. */
struct level {
    unsigned thread[SECTION_THREADS], count, tried;
    bool left_out; /* the line that was put in here was left out, as one that ran out */
};

static void open_level(const struct linearize *linearize, struct level *level)
{
    level->count = candidates(linearize, level->thread);
    level->tried = 0;
}

/* Takes the next candidate of the level into the order; false: it does not answer as it did. */
static bool put_in(struct linearize *linearize, struct level *level)
{
    unsigned thread = level->thread[level->tried++];
    unsigned at = linearize->section->line[thread][linearize->next[thread]++];

    linearize->order[linearize->ordered++] = (uint16_t)at;
    level->left_out = false;
    if (try(linearize, false))
        return true;
    if (!ran_out(&linearize->line[at].event))
        return false;
    linearize->ordered--;
    level->left_out = true;
    return true;
}

static void take_out(struct linearize *linearize, const struct level *level)
{
    linearize->next[level->thread[level->tried - 1]]--;
    if (!level->left_out)
        linearize->ordered--;
}

static void begin(struct linearize *linearize)
{
    linearize->ordered = 0;
    linearize->sequential.invariant = 0;
    memset(linearize->next, 0, sizeof linearize->next);
}

/* The order in which the calls ended explains nearly every run: one try for all of it. */
static bool try_by_ends(struct linearize *linearize)
{
    struct level level;

    begin(linearize);
    for (open_level(linearize, &level); level.count; open_level(linearize, &level)) {
        unsigned thread = level.thread[0];

        linearize->order[linearize->ordered++] = linearize->section->line[thread][linearize->next[thread]++];
    }
    return try(linearize, true);
}

bool linearize_find(struct linearize *linearize)
{
    struct level level[PROGRAM_OPERATIONS + 1];
    unsigned depth = 0;

    linearize->orders = 0;
    linearize->short_of_room = false;
    if (try_by_ends(linearize))
        return true;
    begin(linearize);
    open_level(linearize, &level[0]);
    while (linearize->sequential.invariant == 0) {
        if (depth == linearize->section->lines && try(linearize, true))
            return true;
        if (depth == linearize->section->lines || level[depth].tried == level[depth].count) {
            if (depth-- == 0)
                return linearize->short_of_room;
            take_out(linearize, &level[depth]);
        } else if (put_in(linearize, &level[depth])) {
            open_level(linearize, &level[++depth]);
        } else {
            take_out(linearize, &level[depth]);
        }
    }
    return false;
}
