/* SPDX-License-Identifier: MIT */
/*
 * The dxgkmem-schedule command: runs programs of several threads, under their own schedules, under many,
 * or under all with few switches; makes a finding shorter.
 */
#include "schedule/concurrent.h"
#include "schedule/explore.h"
#include "program/operands.h"
#include "tool/input.h"
#include "tool/options.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: dxgkmem-schedule [OPTION]... FILE|FOLDER...\n\n"
    "Runs the lines that `thread 1` to `thread 4` give to threads in turns, and checks that each call\n"
    "answers as in some order of single calls, that no thread waits for ever, and that nothing is\n"
    "broken when they are gone.\n\n"
    "  --runs N         schedules a program, from its own seed on (100); listed ones run once\n"
    "  --all            every schedule with at most --bound switches that are not forced\n"
    "  --bound N        for --all (2)\n"
    "  --limit N        schedules a program at most, for --all (200000)\n"
    "  --trace          print what each thread did, of one run\n"
    "  --minimize       print the shortest program and schedule with the same finding\n"
    "  --help           this text\n\n"
    "exit status: 0 clean, 1 a finding, 2 bad usage or input\n";

struct job {
    struct input input;
    struct program shown;
    struct concurrent *concurrent;
    struct explore *explore;
    uint64_t runs, bound, limit;
    bool all, trace, minimize;
};

static struct job job;

/* -- running -------------------------------------------------------------------------------- */

static void print_event(void *context, unsigned thread, const struct program *program,
                        const struct runner_event *event)
{
    char who[4] = " ", text[1024];

    (void)context;
    if (!job.trace)
        return;
    if (thread != SCHEDULED_NOBODY)
        snprintf(who, sizeof who, "%u", thread + 1);
    trace_print(program, event, text, sizeof text);
    if (event->line < program->lines)
        printf("%5u  %s  %s\n", job.input.line[event->line], who, text);
    else
        printf("  end  %s  %s\n", who, text);
}

/* Runs a program as the options say; true: a finding, and the run that has it is the last one. */
static bool run(const struct program *program, struct concurrent_result *result, uint64_t *schedules)
{
    if (job.all)
        return explore_run(job.explore, job.concurrent, program, (unsigned)job.bound, job.limit, result,
                           schedules);
    for (*schedules = 0; *schedules < job.runs;) {
        concurrent_run(job.concurrent, program, (unsigned)(*schedules)++, result);
        if (result->invariant)
            return true;
        if (concurrent_section(job.concurrent)->threads < 2 ||
            concurrent_strategy(job.concurrent)->kind == PROGRAM_STRATEGY_LISTED)
            return false;
    }
    return false;
}

/* The program with the schedule of the last run, as far as there is room for it. */
static const struct program *spell_out(const struct program *program, struct program *spelled)
{
    const struct section_switch *switched;
    unsigned switches;
    bool lost = false;

    if (job.all) {
        switches = explore_switches(job.explore, &switched);
    } else {
        const struct strategy *strategy = concurrent_strategy(job.concurrent);

        switches = strategy->switches;
        switched = strategy->switched;
        lost = strategy->lost != 0;
    }
    return !lost && section_spell_out(program, switched, switches, spelled) ? spelled : program;
}

static void print_finding(const char *path, const struct concurrent_result *result)
{
    printf("%s:\nfinding: invariant %u: %s\n  %s\n", path, result->invariant,
           report_invariant(result->invariant), result->message);
}

/* -- making it shorter -------------------------------------------------------------------------- */

/* What must stay the same: the invariant and the first words of what is said. */
struct verdict {
    unsigned invariant;
    char words[32];
};

static struct verdict verdict_of(const struct concurrent_result *result)
{
    struct verdict verdict = {.invariant = result->invariant};

    snprintf(verdict.words, sizeof verdict.words, "%.31s", result->message);
    return verdict;
}

/* In a process of its own: it may hang, crash or leave locks held. */
static bool has_finding(const struct program *program, const struct verdict *wanted)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct concurrent_result result;

        alarm(10);
        concurrent_run(job.concurrent, program, 0, &result);
        struct verdict found = verdict_of(&result);
        _exit(found.invariant == wanted->invariant && strcmp(found.words, wanted->words) == 0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void without(const struct program *program, unsigned at, struct program *less)
{
    *less = *program;
    for (unsigned i = at + 1; i < program->lines; i++)
        less->line[i - 1] = less->line[i];
    less->lines--;
}

/* Takes out line after line, switches too, until none can go. */
static void minimize(struct program *program, const struct verdict *verdict)
{
    static struct program less;
    bool again = true;

    while (again) {
        again = false;
        for (unsigned at = program->lines; at-- > 0;) {
            without(program, at, &less);
            if (has_finding(&less, verdict)) {
                *program = less;
                again = true;
            }
        }
    }
}

/* -- a file ----------------------------------------------------------------------------------------- */

/* 0 clean, 1 a finding, 2 bad input. */
static int run_file(const char *path, uint64_t *schedules, uint64_t *programs)
{
    struct concurrent_result result;
    struct verdict verdict;
    int status = input_read(&job.input, path, true);

    if (status)
        return status;
    if (!run(&job.input.program, &result, schedules)) {
        *programs += concurrent_section(job.concurrent)->threads >= 2;
        return TOOL_CLEAN;
    }
    print_finding(path, &result);
    job.shown = *spell_out(&job.input.program, &job.shown);
    if (job.minimize) {
        verdict = verdict_of(&result);
        if (has_finding(&job.shown, &verdict))
            minimize(&job.shown, &verdict);
    }
    fputs("program:\n", stdout);
    report_program(stdout, &job.shown);
    fputs("end of program\n", stdout);
    return TOOL_FINDING;
}

static int parse(int count, char **arguments)
{
    const struct tool_option table[] = {
        {.name = "runs", .number = &job.runs, .least = 1, .most = UINT32_MAX},
        {.name = "all", .flag = &job.all},
        {.name = "bound", .number = &job.bound, .least = 1, .most = UINT32_MAX},
        {.name = "limit", .number = &job.limit, .least = 1, .most = UINT32_MAX},
        {.name = "trace", .flag = &job.trace},
        {.name = "minimize", .flag = &job.minimize},
        TOOL_NO_PROVIDER_OPTION,
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (job.trace)
        job.runs = 1;
    return status;
}

int main(int count, char **arguments)
{
    struct concurrent_options options = {.event = print_event};
    uint64_t schedules = 0, all_schedules = 0, programs = 0;
    struct input_list list;
    int status, worst = TOOL_CLEAN;

    job.runs = 100;
    job.bound = 2;
    job.limit = 200000;
    status = parse(count, arguments);
    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    job.explore = explore_create();
    if (job.all)
        explore_options(job.explore, &options);
    job.concurrent = concurrent_create(&options);
    if (!job.concurrent)
        return tool_error("no memory");
    /* After a finding the process may be good for nothing; the other files wait until it is mended. */
    for (size_t i = 0; i < list.count && worst != TOOL_FINDING; i++) {
        status = run_file(list.path[i], &schedules, &programs);
        worst = status > worst || status == TOOL_FINDING ? status : worst;
        all_schedules += schedules;
    }
    if (worst == TOOL_CLEAN)
        printf("clean: %zu program%s, %" PRIu64 " with threads, %" PRIu64 " schedules\n", list.count,
               list.count == 1 ? "" : "s", programs, all_schedules);
    input_list_free(&list);
    concurrent_destroy(job.concurrent);
    explore_destroy(job.explore);
    return worst;
}
