/* SPDX-License-Identifier: MIT */
/* dxgkmem faults: runs programs again and again, with every fallible call of the host failing. */
#include "tool/input.h"
#include "tool/options.h"
#include "tool/provider.h"
#include "tool/report.h"
#include "tool/tool.h"

#include "engine/faults.h"
#include "program/runner.h"

#include <dxgkmem/user.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: dxgkmem faults [OPTION]... FILE|FOLDER...\n\n"
    "Runs each program with the first fallible call of the host failing, with the\n"
    "second, and so on; then with every pair: a fault in what follows a fault. After\n"
    "each run every invariant holds: a call that failed changed nothing, nothing is\n"
    "left at the end. The programs' own fail lines are taken out.\n\n"
    "  --singles        no pairs\n"
    "  --quiet          findings and the last line only\n"
    "  --save FOLDER    write the program of each finding into this folder\n" TOOL_PROVIDER_HELP
    "  --help           this text\n\n"
    "A finding is printed as a program with a fail line, to be replayed with dxgkmem run.\n\n"
    "exit status: 0 clean, 1 a finding, 2 bad input, 130 interrupted\n";

struct faults {
    struct runner *runner;
    const char *path, *save;
    bool singles, quiet, progress, bad;
    struct program program, planned; /* without fail lines, and with the plan in front */
    /* of the run: in which lines of `planned` the faults fired; how many calls were made up to each line's end */
    unsigned fired_at[2], fired, lines;
    uint64_t calls_until[PROGRAM_OPERATIONS + 1];
    uint64_t points, passed_over, runs;
    size_t done, programs; /* how far */
    unsigned findings;
    time_t shown;
};

static void note_faults(void *context, const struct program *program, const struct runner_event *event)
{
    struct faults *faults = context;

    (void)program;
    for (unsigned i = 0; i < event->faults && faults->fired < 2; i++)
        faults->fired_at[faults->fired++] = event->line;
    if (faults->lines < PROGRAM_OPERATIONS + 1)
        faults->calls_until[faults->lines++] = event->fallible_calls;
}

/*
 * An operation over thousands of pages asks the machine for each of them, in a loop: of its calls the
 * first, the last and some in between are made to fail, of all other operations every one.
 */
#define EACH_OF 48
#define LAST 8

static bool looked_at(const uint64_t *until, unsigned lines, uint64_t call)
{
    uint64_t from = 0;

    for (unsigned i = 0; i < lines; i++) {
        uint64_t place = call - from, calls = until[i] - from; /* place: from 1 */

        if (call <= until[i])
            return place <= EACH_OF || calls - place < LAST || (place & (place - 1)) == 0;
        from = until[i];
    }
    return true;
}

static void show_progress(struct faults *faults)
{
    time_t now = time(NULL);

    if (!faults->progress || now == faults->shown)
        return;
    faults->shown = now;
    fprintf(stderr, "\r\033[K%zu/%zu programs  %" PRIu64 " points  %" PRIu64 " runs  %u findings",
            faults->done, faults->programs, faults->points, faults->runs, faults->findings);
}

static int tell(struct faults *faults, struct faults_plan plan, const struct runner_finding *finding)
{
    char line[512], *name;
    int status = 0;

    faults->findings++;
    printf("%s: with call %" PRIu64 " of the host failing", faults->path, plan.first);
    if (plan.second)
        printf(", and call %" PRIu64, plan.first + plan.second);
    printf("\n");
    for (unsigned i = 0; i < faults->fired; i++) {
        program_print_line(&faults->planned.line[faults->fired_at[i]], line, sizeof line);
        printf("  a fault in operation %u: %s\n", faults->fired_at[i] + 1, line);
    }
    report_finding(stdout, NULL, &faults->planned, NULL, finding);
    printf("program:\n");
    report_program(stdout, &faults->planned);
    printf("end of program\n");
    if (!faults->save)
        return 0;
    const char *file = strrchr(faults->path, '/');
    size_t room = program_print(&faults->planned, NULL, 0) + 1;
    char *text = tool_alloc(room);
    program_print(&faults->planned, text, room);
    file = file ? file + 1 : faults->path;
    name = tool_format("%s/%" PRIu64 "-%" PRIu64 "-%s", faults->save, plan.first, plan.second, file);
    status = tool_write_file(name, text, room - 1);
    if (status == 0)
        printf("replay: dxgkmem run %s\n", name);
    free(name);
    free(text);
    return status;
}

/* One run. *calls: the fallible calls of it; 0 when there was a finding, which ends this program. */
static int run(struct faults *faults, struct faults_plan plan, uint64_t *calls)
{
    struct runner_result result;

    faults_put_in(&faults->planned, &faults->program, plan);
    faults->fired = faults->lines = 0;
    faults->runs++;
    dxgkmem_user_seed(1);
    runner_run(faults->runner, &faults->planned, &result);
    *calls = result.fallible_calls;
    if (!result.finding.invariant)
        return 0;
    *calls = 0;
    return tell(faults, plan, &result.finding);
}

/* The call `first` fails, alone and with every later one. *found: a finding ended this program. */
static int run_first(struct faults *faults, uint64_t first, bool *found)
{
    uint64_t until[PROGRAM_OPERATIONS + 1], calls, made;
    int status = run(faults, (struct faults_plan){first, 0}, &calls);
    unsigned lines = faults->lines;

    memcpy(until, faults->calls_until, sizeof until);
    *found = calls == 0;
    for (uint64_t second = 1; !faults->singles && first + second <= calls && !status && !*found; second++) {
        if (!looked_at(until, lines, first + second))
            continue;
        status = run(faults, (struct faults_plan){first, second}, &made);
        *found = made == 0;
        show_progress(faults);
    }
    return status;
}

static void run_program(void *context)
{
    struct faults *faults = context;
    uint64_t until[PROGRAM_OPERATIONS + 1], points, passed_over = 0;
    bool found = false;
    unsigned lines;

    faults_take_out(&faults->program);
    int status = run(faults, (struct faults_plan){0, 0}, &points);
    lines = faults->lines;
    memcpy(until, faults->calls_until, sizeof until);
    for (uint64_t first = 1; first <= points && !status && !found; first++) {
        if (looked_at(until, lines, first))
            status = run_first(faults, first, &found);
        else
            passed_over++;
        show_progress(faults);
    }
    faults->points += points - passed_over;
    faults->passed_over += passed_over;
    faults->bad = faults->bad || status;
    if (!faults->quiet && !status)
        printf("%6" PRIu64 " points  %s\n", points - passed_over, faults->path);
}

static void run_one(void *context, const struct input *input, const struct input_list *list, size_t at)
{
    struct faults *faults = context;

    faults->program = input->program;
    faults->path = list->path[at];
    faults->done = at;
    if (guard_call(run_program, faults))
        faults->findings++;
}

static int run_all(struct faults *faults, const struct input_list *list)
{
    faults->programs = list->count;
    int status = input_each(list, false, run_one, faults);
    if (faults->progress)
        fputs("\r\033[K", stderr);
    if (status || faults->bad)
        return TOOL_BAD;
    if (faults->findings)
        printf("%u of %zu programs: findings; ", faults->findings, list->count);
    else
        printf("clean: ");
    printf("%zu program%s, %" PRIu64 " points of failure, %" PRIu64 " runs", list->count,
           list->count == 1 ? "" : "s", faults->points, faults->runs);
    if (faults->passed_over)
        printf("; %" PRIu64 " points passed over in long loops", faults->passed_over);
    printf("\n");
    return faults->findings ? TOOL_FINDING : TOOL_CLEAN;
}

int verb_faults(int count, char **arguments)
{
    struct faults *const faults = guard_memory(sizeof *faults);
    struct runner_options how = {.event = note_faults, .event_context = faults};
    struct input_list list;
    const struct tool_option table[] = {
        {.name = "singles", .flag = &faults->singles},
        {.name = "quiet", .flag = &faults->quiet},
        {.name = "save", .text = &faults->save},
        TOOL_PROVIDER_OPTION,
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (faults->save && access(faults->save, W_OK) != 0)
        return tool_error("%s: no folder that can be written to", faults->save);
    guard_watch(&how);
    if (how.provider && !how.provider->fail_at)
        return tool_error("%s lets no call of its host fail: its table has no fail_at", how.provider->name);
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    faults->progress = isatty(STDERR_FILENO);
    faults->runner = runner_create(&how);
    status = faults->runner ? run_all(faults, &list) : tool_error("no memory");
    runner_destroy(faults->runner);
    input_list_free(&list);
    return status;
}
