/* SPDX-License-Identifier: MIT */
/* Runs the lines of one state. Lines that leave it as it is are run one after the other, each other one by itself. */
#include "tool/explore_work.h"
#include "tool/explore_order.h"
#include "tool/provider.h"

#include "program/operands.h"

#include <dxgkmem/user.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST (PROGRAM_OPERATIONS - 4) /* then a run begins anew */

/* Two adapters, the second linked to the first; the device of the one sees physical addresses, that of the other not. */
static void put_beginning(struct program *program, unsigned beginning)
{
    memset(program, 0, sizeof *program);
    program->world = WORLD_SMALL;
    program->lines = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct program_line *line = &program->line[i];

        line->opcode = OP_ADD;
        for (unsigned operand = 0; operand < program_operations[OP_ADD].operands; operand++)
            line->operand[operand] = program_operations[OP_ADD].operand[operand].preset;
        line->operand[ADD_ADAPTER] = i;
        line->operand[ADD_REMAP] = beginning == 0 ? PROGRAM_REMAP_AUTO : PROGRAM_REMAP_ALWAYS;
        if (i > 0)
            line->operand[ADD_LINK] = PROGRAM_THING(PROGRAM_EXACT, 0);
    }
}

unsigned explore_program(const struct explore_lines *lines, const struct explore_states *states, uint32_t at,
                         struct program *program, uint16_t led[EXPLORE_DEEPEST])
{
    const struct explore_state *state = &states->state[at];
    unsigned count = state->depth;

    for (unsigned i = count; i-- > 0; state = &states->state[state->parent])
        led[i] = state->line;
    put_beginning(program, state->line);
    for (unsigned i = 0; i < count; i++)
        program->line[program->lines++] = lines->line[led[i]];
    return count;
}

uint64_t explore_begin(struct runner *runner, unsigned beginning, struct program *program,
                       struct runner_result *result)
{
    uint64_t number = 0;

    put_beginning(program, beginning);
    if (runner_begin(runner, program)) {
        for (unsigned at = 0; at < program->lines; at++)
            runner_line(runner, at);
        number = runner_state(runner);
        runner_line(runner, program->lines);
    }
    runner_finish(runner, result);
    return result->finding.invariant == 0 ? number : 0;
}

/* -- a finding, without what it does not need ------------------------------------------------- */

#define FOUND 64 /* and the invariant: the status of a process whose run had a finding */

/* How a run of the program ends, in a process of its own: it may be the end of that. A wait status. */
static int ending(struct explore_shared *shared, const struct program *program)
{
    struct runner_options options = {0};
    int ended = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct runner_result result;
        struct runner *runner;

        guard_watch(&options);
        runner = runner_create(&options);

        if (runner == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(0);
        dxgkmem_user_seed(1);
        runner_run(runner, program, &result);
        shared->finding = result.finding;
        _exit(result.finding.invariant == 0 ? 0 : FOUND + (int)result.finding.invariant);
    }
    if (pid > 0)
        waitpid(pid, &ended, 0);
    return ended;
}

static void take_out(struct program *program, unsigned at)
{
    memmove(&program->line[at], &program->line[at + 1], (program->lines - at - 1u) * sizeof program->line[0]);
    program->lines--;
}

/* Puts a plain value where another is, if the run ends the same way. */
static void make_plain(struct explore_shared *shared, struct program *program, unsigned at, unsigned operand,
                       int wanted)
{
    const struct program_line *line = &program->line[at];
    const struct program_operand *kind = &program_operations[line->opcode].operand[operand];
    struct program plainer = *program;
    uint64_t value = line->operand[operand];

    if (kind->type == PROGRAM_OPERAND_BIND)
        return;
    if (kind->type == PROGRAM_OPERAND_THING && PROGRAM_CLASS_OF(value) > PROGRAM_NULL)
        plainer.line[at].operand[operand] = PROGRAM_THING(PROGRAM_EXACT, PROGRAM_VARIABLE_OF(value));
    else if (kind->type != PROGRAM_OPERAND_THING)
        plainer.line[at].operand[operand] = kind->preset;
    if (plainer.line[at].operand[operand] != value && ending(shared, &plainer) == wanted)
        *program = plainer;
}

bool explore_reduce(struct explore_shared *shared, struct program *program, int *ended)
{
    int wanted = ending(shared, program);

    *ended = wanted;
    if (wanted == 0)
        return false; /* only where more was run before it in the same process */
    for (unsigned at = program->lines; at-- > 0;) {
        struct program shorter = *program;

        take_out(&shorter, at);
        if (ending(shared, &shorter) == wanted)
            *program = shorter;
    }
    for (unsigned at = 0; at < program->lines; at++)
        for (unsigned operand = 0; operand < program_operations[program->line[at].opcode].operands; operand++)
            make_plain(shared, program, at, operand, wanted);
    *ended = ending(shared, program);
    return WIFEXITED(*ended) && WEXITSTATUS(*ended) > FOUND;
}

/* -- lines -------------------------------------------------------------------------------------- */

/* Puts a line behind the others and runs it. */
static void run_next(struct explore_work *work, const struct program_line *line)
{
    struct program *program = &work->shared->program;

    program->line[program->lines++] = *line;
    runner_line(work->runner, program->lines - 1u);
    work->shared->programs++;
}

static void answer(uint64_t *sum, uint64_t value)
{
    uint64_t mixed = (*sum ^ value) * 0x9e3779b97f4a7c15u;

    *sum = mixed ^ mixed >> 29;
}

/* As it is in a trace, but for the numbers of lines. */
void explore_take_event(void *context, const struct program *program, const struct runner_event *event)
{
    struct explore_work *work = context;
    uint64_t *sum = &work->event, reports = 0;

    (void)program;
    if (work->last && !work->orders)
        return;
    *sum = 0;
    answer(sum, (uint64_t)event->opcode << 2 | (uint64_t)event->skipped << 1 | event->has_status);
    answer(sum, (uint64_t)(uint32_t)event->status << 16 | (uint64_t)event->values << 8 | event->reports);
    for (unsigned i = 0; i < event->values; i++)
        answer(sum, event->value[i]);
    for (unsigned i = 0; i < event->reports; i++) { /* what is left is told in the order of its making */
        uint64_t report = 0;

        answer(&report, (uint64_t)event->report[i].code << 32 | (uint64_t)event->report[i].earlier_call);
        reports += report;
    }
    answer(sum, reports);
}

static void take_answer(struct explore_work *work, unsigned line)
{
    const struct program_line *call = &work->lines->line[line];
    uint64_t nameless;

    answer(&work->answers, line);
    answer(&work->answers, work->event);
    if (!work->orders || explore_tells_places(call))
        return;
    nameless = explore_nameless(call, work->made);
    answer(&nameless, work->event);
    work->nameless += nameless;
}

static void take_step(struct explore_work *work, uint32_t from, unsigned line, uint64_t state)
{
    const struct explore_state *before = &work->states->state[from];
    unsigned deviations = before->deviations + (work->bounded && work->lines->deviates[line] ? 1u : 0u);
    bool reordered = before->reordered && !explore_tells_places(&work->lines->line[line]);

    reordered = reordered || explore_is_reordered(work->lines, work->led, work->led_count, line);
    if (!explore_known(work->states, state, deviations, reordered))
        work->step[work->steps++] = (struct explore_step){.state = state,
                                                          .from = from,
                                                          .line = (uint16_t)line,
                                                          .deviations = (uint8_t)deviations,
                                                          .reordered = reordered};
}

/* The lines of the state that the run is in. Those of the state before are often the same. */
static void choose_lines(struct explore_work *work, bool few)
{
    struct explore_bindings bindings;

    explore_bindings_of(&bindings, work->runner);
    if (work->applying_count != 0 && work->few == few &&
        memcmp(&bindings, &work->bindings, sizeof bindings) == 0)
        return;
    work->bindings = bindings;
    work->few = few;
    work->applying_count = 0;
    for (unsigned line = 0; line < work->lines->count; line++)
        if (explore_line_applies(&work->lines->line[line], &bindings) &&
            (!few || explore_tells_places(&work->lines->line[line])))
            work->applying[work->applying_count++] = (uint16_t)line;
}

/*
 * Whether the line that led to this state leads here again, from the one before: args, after a callback that took
 * its argument block.
 */
static bool leads_back(struct explore_work *work, const struct explore_state *here, uint64_t now)
{
    const struct explore_state *before;

    if (work->led_count == 0)
        return false;
    before = &work->states->state[here->parent];
    if (now != explore_plain_number(before))
        return false;
    run_next(work, &work->lines->line[here->line]);
    work->shared->programs--; /* it was run before */
    return runner_state(work->runner) == explore_plain_number(here);
}

/* From *next on of those that apply, until one changes the state. */
static void run_lines(struct explore_work *work, uint32_t at, unsigned *next)
{
    const struct explore_state *here = &work->states->state[at];

    while (*next < work->applying_count && work->shared->program.lines < LONGEST) {
        unsigned line = work->applying[(*next)++];
        uint64_t now;

        run_next(work, &work->lines->line[line]);
        take_answer(work, line);
        if (runner_left_as_it_was(work->runner))
            continue;
        now = runner_state(work->runner);
        if (now == explore_plain_number(here))
            continue;
        if (!work->last) {
            take_step(work, at, line, now);
            answer(&work->answers, runner_sight(work->runner));
        }
        if (!leads_back(work, here, now))
            return;
    }
}

/* One run. False: a finding. */
static bool run_once(struct explore_work *work, uint32_t at, unsigned *next)
{
    struct program *program = &work->shared->program;
    const struct explore_state *here = &work->states->state[at];
    struct runner_result result;

    program->lines = work->begun;
    dxgkmem_user_seed(1); /* the same handles in every run, so that a forged one means the same everywhere */
    if (runner_begin_after(work->runner, program, program->lines, &work->noted)) {
        if (*next == 0) {
            choose_lines(work, work->last && !work->orders && here->reordered);
            work->answers = runner_sight(work->runner) + program->line[0].operand[ADD_REMAP];
            work->nameless = program->line[0].operand[ADD_REMAP];
            explore_made_by(work->made, work->runner, program);
        }
        run_lines(work, at, next);
        runner_line(work->runner, program->lines);
    }
    runner_finish(work->runner, &result);
    if (result.finding.invariant == 0)
        return true;
    work->shared->finding = result.finding;
    work->shared->found = true;
    if (result.finding.line < program->lines)
        program->lines = (uint16_t)(result.finding.line + 1);
    return false;
}

bool explore_state(struct explore_work *work, uint32_t at)
{
    struct explore_done done = {.from = at};

    work->shared->at = at;
    work->steps = 0;
    work->noted.known = false;
    work->led_count = explore_program(work->lines, work->states, at, &work->shared->program, work->led);
    work->begun = work->shared->program.lines;
    for (unsigned next = 0; next == 0 || next < work->applying_count;)
        if (!run_once(work, at, &next))
            return false;
    done.answers = work->orders ? work->nameless : work->answers;
    done.answers += done.answers == 0;
    done.steps = work->steps;
    return (work->last && !work->orders) ||
           (fwrite(&done, sizeof done, 1, work->out) == 1 &&
            fwrite(work->step, sizeof work->step[0], work->steps, work->out) == work->steps);
}
