/* SPDX-License-Identifier: MIT */
/*
 * The search for an order of single calls that explains a run of several threads: depth first, the
 * call that ended first tried first, each prefix run anew by one thread with the model.
 *
 * A call that failed because something ran out may have met a shortage that lasted only while another
 * call was under way (it gave back what it could not use). Such a call is taken for one that was not made.
 * And what there is room for depends on where others were put: an order in which one thread runs out where
 * many did not, or the other way round, says nothing, for or against. No more does an access that went where another
 * thing is or was, through an address that lasts longer than what it was given for.
 *
 * A removal has a step for taking the adapter out of its chain, one for each thing that it ended, and one for its
 * end. Steps of other threads between them are run by the one thread in the midst of its removal. What devices
 * and CPU see then is not compared, and a removal in the midst of another one is not tried: a call that met both says
 * nothing, for or against, nor do calls that met one of them before and after the other.
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

static bool is_access(const struct linearize *linearize, unsigned at)
{
    return at < linearize->program->lines &&
           program_operations[linearize->program->line[at].opcode].role == PROGRAM_ROLE_ACCESS;
}

/* Whether a line wrote to what may be somebody else's. Before the section everybody is where it always is. */
static bool strayed_to_write(const struct linearize *linearize, const struct runner *runner, unsigned at,
                             const struct runner_event *event)
{
    return at >= linearize->section->first && is_access(linearize, at) && event->values == 1 &&
           runner_strayed(runner, event);
}

/*
 * Whether all that is read may depend on where others were put: an address was not seen, a removal was met,
 * something was written to what may be somebody else's.
 */
static bool many_are_blind(const struct linearize *linearize)
{
    bool blind = linearize->removes;

    for (unsigned at = 0; at < linearize->program->lines && !blind; at++)
        blind = linearize->line[at].made &&
                (linearize->line[at].event.unseen ||
                 strayed_to_write(linearize, linearize->many, at, &linearize->line[at].event));
    return blind;
}

static bool one_is_blind(const struct linearize *linearize)
{
    bool blind = false;

    for (unsigned at = 0; at < linearize->flat.lines && !blind; at++)
        blind = strayed_to_write(linearize, linearize->runner, linearize->from[at], &linearize->event[at]);
    return blind;
}

static bool overlap(const struct concurrent_line *one, const struct concurrent_line *other)
{
    return one->begin < other->end && other->begin < one->end;
}

/*
 * Accesses that were made while another thread ended something: reach ends page by page, and who does not wait for
 * the end may still have one page and no other.
 */
static void find_overtaken(struct linearize *linearize)
{
    for (unsigned at = linearize->section->first; at < linearize->section->rest; at++) {
        const struct concurrent_line *end = &linearize->line[at];
        const struct program_operation *operation = &program_operations[linearize->program->line[at].opcode];

        if (!end->made || (operation->ends == PROGRAM_KINDS && operation->role != PROGRAM_ROLE_SYSTEM &&
                           linearize->program->line[at].opcode != OP_UNPIN))
            continue;
        for (unsigned i = linearize->section->first; i < linearize->section->rest; i++)
            if (is_access(linearize, i) && overlap(&linearize->line[i], end))
                linearize->overtaken[i] = true;
    }
}

/* Whether an access may have gone elsewhere than it would have. */
static bool is_blind(const struct linearize *linearize, const struct runner_event *many,
                     const struct runner_event *one)
{
    return is_access(linearize, many->line) &&
           (linearize->blind || linearize->overtaken[many->line] ||
            (many->line >= linearize->section->first &&
             (runner_strayed(linearize->many, many) || runner_strayed(linearize->runner, one))));
}

/* The same answer. */
static bool same(const struct linearize *linearize, const struct runner_event *many,
                 const struct runner_event *one)
{
    if (is_blind(linearize, many, one))
        return true;
    if (many->skipped || one->skipped) /* whether there is anything to act on may depend on what was added */
        return true;
    if (many->has_status != one->has_status || many->values != one->values || many->reports != one->reports)
        return false;
    if (many->status != one->status && many->reports == 0) /* else it follows from the violation */
        return false;
    if (!many->unseen && memcmp(many->value, one->value, many->values * sizeof many->value[0]) != 0)
        return false;
    if (many->opcode == OP_STOP)
        return same_leaks(linearize, many, one);
    for (unsigned i = 0; i < many->reports; i++)
        if (!same_report(linearize, many, i, one, i))
            return false;
    return true;
}

/* -- steps ---------------------------------------------------------------------------------- */

/* How many steps a line takes. Of a removal with more reports than are kept it is not known. */
static unsigned parts_of(struct linearize *linearize, unsigned at)
{
    const struct runner_event *event = &linearize->line[at].event;

    if (event->opcode != OP_REMOVE || event->skipped || !NT_SUCCESS(event->status))
        return 1;
    linearize->removes = true;
    if (event->reports < RUNNER_REPORTS)
        return event->reports + 2;
    linearize->undecided = true;
    return 1;
}

/* Whether two calls were under way at once. */
static bool met(const struct linearize *linearize, unsigned a, unsigned b)
{
    return linearize->line[a].end >= linearize->line[b].begin &&
           linearize->line[b].end >= linearize->line[a].begin;
}

/* Whether some call was under way with both of two removals, which were so at once. */
static bool meets_both(const struct linearize *linearize, unsigned a, unsigned b)
{
    const struct section *section = linearize->section;

    for (unsigned thread = 0; thread < section->threads; thread++)
        for (unsigned i = 0; i < section->count[thread]; i++) {
            unsigned at = section->line[thread][i];

            if (at != a && at != b && linearize->line[at].made && !is_access(linearize, at) &&
                met(linearize, at, a) && met(linearize, at, b))
                return true;
        }
    return false;
}

/* Whether calls that met a removal were made before another one began and after it ended: that one lies in its midst. */
static bool is_framed(const struct linearize *linearize, unsigned removal, unsigned other)
{
    const struct section *section = linearize->section;
    bool before = false, after = false;

    for (unsigned thread = 0; thread < section->threads; thread++)
        for (unsigned i = 0; i < section->count[thread]; i++) {
            unsigned at = section->line[thread][i];

            if (at == removal || !linearize->line[at].made || !met(linearize, at, removal))
                continue;
            before |= linearize->line[at].end < linearize->line[other].begin;
            after |= linearize->line[at].begin > linearize->line[other].end;
        }
    return before && after;
}

/*
 * Two removals that are under way at once come to the same as one behind the other, where nobody saw both half done:
 * which of them ends what is left is settled by their first steps. Only for those who did see it such orders are missing.
 */
static bool is_seen_between(const struct linearize *linearize)
{
    const struct section *section = linearize->section;
    unsigned removal[PROGRAM_OPERATIONS], removals = 0;

    for (unsigned thread = 0; thread < section->threads; thread++)
        for (unsigned i = 0; i < section->count[thread]; i++)
            if (linearize->parts[section->line[thread][i]] > 1)
                removal[removals++] = section->line[thread][i];
    for (unsigned a = 0; a < removals; a++)
        for (unsigned b = a + 1; b < removals; b++)
            if (met(linearize, removal[a], removal[b]) && (meets_both(linearize, removal[a], removal[b]) ||
                                                           is_framed(linearize, removal[a], removal[b]) ||
                                                           is_framed(linearize, removal[b], removal[a])))
                return true;
    return false;
}

static void count_steps(struct linearize *linearize)
{
    const struct section *section = linearize->section;

    linearize->steps = 0;
    linearize->removes = false;
    for (unsigned thread = 0; thread < section->threads; thread++) {
        unsigned *count = &linearize->count[thread];

        *count = 0;
        for (unsigned i = 0; i < section->count[thread]; i++) {
            unsigned parts = parts_of(linearize, section->line[thread][i]);

            if (linearize->steps + parts + section->lines >
                LINEARIZE_STEPS) { /* there is no room for so many */
                linearize->undecided = true;
                parts = 1;
            }
            linearize->steps += parts;
            linearize->parts[section->line[thread][i]] = (uint8_t)parts;
            while (parts-- > 0)
                linearize->step[thread][(*count)++] = section->line[thread][i];
        }
    }
    linearize->seen_between = is_seen_between(linearize);
}

/* The line of a thread's next step. */
static unsigned next_line(const struct linearize *linearize, unsigned thread)
{
    return linearize->step[thread][linearize->next[thread]];
}

/* Whether a thread's removal has begun, and has not come to its end. */
static bool is_within(const struct linearize *linearize, unsigned thread)
{
    unsigned next = linearize->next[thread];

    return next > 0 && next < linearize->count[thread] &&
           linearize->step[thread][next - 1] == linearize->step[thread][next];
}

/* Whether a thread would begin a removal while that of another one is under way. */
static bool would_nest(const struct linearize *linearize, unsigned thread)
{
    unsigned next = linearize->next[thread];
    bool others = false;

    for (unsigned other = 0; other < linearize->section->threads; other++)
        others |= other != thread && is_within(linearize, other);
    return others && next + 1 < linearize->count[thread] &&
           linearize->step[thread][next] == linearize->step[thread][next + 1];
}

/* -- trying an order ---------------------------------------------------------------------------- */

/* The order as lines, each once, and which of them are run within which removal. Returns how many lines. */
static unsigned lay_out(struct linearize *linearize, uint16_t line[PROGRAM_OPERATIONS],
                        uint16_t within[PROGRAM_OPERATIONS], uint16_t ended[PROGRAM_OPERATIONS])
{
    unsigned lines = 0, removal = 0, parts = 0, left = 0;

    for (unsigned i = 0; i < linearize->ordered; i++) {
        unsigned at = linearize->order[i];

        if (left > 0 && at == line[removal]) {
            left--;
            continue;
        }
        line[lines] = (uint16_t)at;
        within[lines] = (uint16_t)(left > 0 ? removal + 1 : 0);
        ended[lines] = (uint16_t)(parts - 1 - left);
        lines++;
        if (left == 0) {
            parts = linearize->parts[at];
            removal = lines - 1;
            left = parts - 1;
        }
    }
    linearize->unfinished = left > 0 ? line[removal] : linearize->program->lines + 1u;
    return lines;
}

/* A line that is to be run within a removal: its answer is no answer until it was. */
static void await(struct linearize *linearize, unsigned at)
{
    linearize->event[at] = (struct runner_event){.line = at,
                                                 .opcode = linearize->flat.line[at].opcode,
                                                 .skipped = is_access(linearize, linearize->from[at]),
                                                 .reports = RUNNER_REPORTS + 1};
}

static void flatten(struct linearize *linearize, bool all)
{
    uint16_t line[PROGRAM_OPERATIONS], within[PROGRAM_OPERATIONS], ended[PROGRAM_OPERATIONS];
    unsigned lines = lay_out(linearize, line, within, ended);

    section_flatten(linearize->section, linearize->program, line, lines, all, &linearize->flat,
                    linearize->from);
    linearize->from[linearize->flat.lines] = linearize->program->lines;
    linearize->before = 0;
    while (linearize->before < linearize->flat.lines &&
           linearize->from[linearize->before] < linearize->section->first)
        linearize->before++;
    memset(linearize->within, 0, sizeof linearize->within);
    for (unsigned i = 0; i < lines; i++) {
        linearize->within[linearize->before + i] =
            (uint16_t)(within[i] == 0 ? 0 : linearize->before + within[i]);
        linearize->ended[linearize->before + i] = ended[i];
        if (within[i] != 0)
            await(linearize, linearize->before + i);
    }
}

void linearize_removal(void *context, unsigned line, unsigned ended)
{
    struct linearize *linearize = context;

    for (unsigned at = line + 1; at < linearize->flat.lines; at++)
        if (linearize->within[at] == line + 1 && linearize->ended[at] == ended &&
            !is_access(linearize, linearize->from[at]))
            runner_line_within(linearize->runner, linearize->turn, at);
}

static void nothing_is_locked(void *context)
{
    struct linearize *linearize = context;

    runner_removal_point(linearize->runner);
}

static void run_flat(struct linearize *linearize, struct runner_result *result)
{
    dxgkmem_user_seed(1);
    scheduled_watch(nothing_is_locked, linearize);
    if (runner_begin(linearize->runner, &linearize->flat)) {
        for (unsigned at = 0; at <= linearize->flat.lines; at++) {
            if (at == linearize->before)
                concurrent_take_driver_pages(linearize->runner, linearize->section, linearize->program);
            if (at == linearize->flat.lines || linearize->within[at] == 0)
                runner_line(linearize->runner, at);
        }
    }
    runner_finish(linearize->runner, result);
    scheduled_watch(NULL, NULL);
}

/* Runs the order so far by one thread; whether every line of it answers as it did. */
static bool try(struct linearize *linearize, bool all)
{
    struct runner_result result;

    linearize->orders++;
    flatten(linearize, all);
    linearize->lines += linearize->flat.lines;
    run_flat(linearize, &result);
    if (result.finding.invariant) {
        linearize->sequential = result.finding;
        return false;
    }
    linearize->blind = linearize->blind_many || one_is_blind(linearize);
    for (unsigned at = 0; at < linearize->flat.lines + (all ? 1u : 0u); at++) {
        const struct runner_event *many = &linearize->line[linearize->from[at]].event;

        if (linearize->from[at] == linearize->unfinished || same(linearize, many, &linearize->event[at]))
            continue;
        linearize->undecided |= ran_out(&linearize->event[at]) != ran_out(many);
        return false;
    }
    return true;
}

/* -- the search --------------------------------------------------------------------------------- */

/* A search gives up when it has run so many, which take a second: the run is undecided, and no finding. */
#define LINES_AT_MOST 250000

/* Whether another thread's line that is still to come had ended before this one began. */
static bool comes_too_early(const struct linearize *linearize, unsigned thread)
{
    uint64_t begin = linearize->line[next_line(linearize, thread)].begin;

    for (unsigned other = 0; other < linearize->section->threads; other++)
        if (other != thread && linearize->next[other] < linearize->count[other] &&
            linearize->line[next_line(linearize, other)].end < begin)
            return true;
    return false;
}

/* The threads whose next line may come now, that which ended first in front. */
static unsigned candidates(struct linearize *linearize, unsigned thread[SECTION_THREADS])
{
    unsigned count = 0;

    for (unsigned i = 0; i < linearize->section->threads; i++) {
        unsigned to = count;

        if (linearize->next[i] == linearize->count[i] || comes_too_early(linearize, i))
            continue;
        if (would_nest(linearize, i)) {
            linearize->undecided |= linearize->seen_between;
            continue;
        }
        uint64_t end = linearize->line[next_line(linearize, i)].end;
        for (; to > 0; to--) {
            if (linearize->line[next_line(linearize, thread[to - 1])].end <= end)
                break;
            thread[to] = thread[to - 1];
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

static void open_level(struct linearize *linearize, struct level *level)
{
    level->count = candidates(linearize, level->thread);
    level->tried = 0;
}

/* Takes the next candidate of the level into the order; false: it does not answer as it did. */
static bool put_in(struct linearize *linearize, struct level *level)
{
    unsigned thread = level->thread[level->tried++];
    unsigned at = linearize->step[thread][linearize->next[thread]++];

    linearize->order[linearize->ordered++] = (uint16_t)at;
    level->left_out = false;
    if (is_within(linearize, thread) || try(linearize, false)) /* of a removal its end tells */
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

        linearize->order[linearize->ordered++] = linearize->step[thread][linearize->next[thread]++];
    }
    return try(linearize, true);
}

bool linearize_find(struct linearize *linearize)
{
    struct level level[LINEARIZE_STEPS + 1];
    unsigned depth = 0;

    linearize->orders = linearize->lines = 0;
    linearize->undecided = false;
    memset(linearize->overtaken, 0, sizeof linearize->overtaken);
    find_overtaken(linearize);
    count_steps(linearize);
    linearize->blind_many = many_are_blind(linearize);
    if (try_by_ends(linearize))
        return true;
    begin(linearize);
    open_level(linearize, &level[0]);
    while (linearize->sequential.invariant == 0) {
        linearize->undecided |= linearize->lines >= LINES_AT_MOST;
        if (linearize->undecided) /* no order could make it a finding any more */
            return true;
        if (depth == linearize->steps && try(linearize, true))
            return true;
        if (depth == linearize->steps || level[depth].tried == level[depth].count) {
            if (depth-- == 0)
                return false;
            take_out(linearize, &level[depth]);
        } else if (put_in(linearize, &level[depth])) {
            open_level(linearize, &level[++depth]);
        } else {
            take_out(linearize, &level[depth]);
        }
    }
    return false;
}
