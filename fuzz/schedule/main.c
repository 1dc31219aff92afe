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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: dxgkmem-schedule [OPTION]... FILE|FOLDER...\n\n"
    "Runs the lines that `thread 1` to `thread 4` give to threads in turns, and checks that each call\n"
    "answers as in some order of single calls, that no thread waits for ever, and that nothing is\n"
    "broken when they are gone.\n\n"
    "  --runs N         schedules a program, from its own seed on (100); listed ones run once. A finding\n"
    "                   of fuzz_schedule may be of any of the first four; its .txt has it listed\n"
    "  --all            every schedule with at most --bound switches that are not forced\n"
    "  --bound N        for --all (2)\n"
    "  --limit N        schedules a program at most, for --all (200000)\n"
    "  --trace          print what each thread did, of one run\n"
    "  --minimize       print the shortest program and schedule with the same finding\n"
    "  --lenient        take every byte string as a program, as a fuzz target does\n"
    "  --help           this text\n\n"
    "exit status: 0 clean, 1 a finding, 2 bad usage or input\n";

struct job {
    struct input input;
    struct concurrent *concurrent, *searched; /* searched: the search decides, not the program's schedule */
    struct explore *explore;
    uint64_t runs, bound, limit;
    bool all, trace, minimize, lenient;
};

static struct job job;

static const char *under_way; /* the file */

/* An assertion of the implementation or its host ended a run; it has said which. */
static void on_abort(int number)
{
    static const char words[] = ": the finding is the assertion above; the process ends with it\n";

    (void)number;
    if (write(STDERR_FILENO, under_way, strlen(under_way)) < 0 ||
        write(STDERR_FILENO, words, sizeof words - 1) < 0)
        _exit(TOOL_BAD);
    _exit(TOOL_FINDING);
}

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
        return explore_run(job.explore, job.searched, program, (unsigned)job.bound, job.limit, result,
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

/* What came of a file; shared with a child that runs it. */
static struct outcome {
    bool found, stopped; /* stopped: at the limit of --all */
    uint64_t schedules;
    unsigned threads;
    struct concurrent_result result;
    struct program shown; /* with the schedule of the finding spelled out */
} * outcome;

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

        signal(SIGABRT, SIG_DFL);
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

/*
 * Looks for the finding under other schedules of the program, those with the fewest switches first. True:
 * outcome->shown is the program with one.
 */
#define SHORTEN_BOUND 3
#define SHORTEN_LIMIT 20000

static void search_for(const struct program *program, const struct verdict *wanted)
{
    static struct program spelled;
    struct concurrent_result result;
    struct verdict found;
    uint64_t schedules;
    const struct section_switch *switched;
    unsigned bound = 1, switches;

    while (bound <= SHORTEN_BOUND &&
           !explore_run(job.explore, job.searched, program, bound, SHORTEN_LIMIT, &result, &schedules))
        bound++;
    if (bound > SHORTEN_BOUND)
        _exit(0);
    found = verdict_of(&result);
    switches = explore_switches(job.explore, &switched);
    if (found.invariant != wanted->invariant || strcmp(found.words, wanted->words) != 0 ||
        !section_spell_out(program, switched, switches, &spelled))
        _exit(0);
    outcome->shown = spelled;
    _exit(1);
}

static bool finds_again(const struct program *program, const struct verdict *wanted)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        alarm(30);
        search_for(program, wanted);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* Takes out line after line until none can go; when `search`, each time with a new schedule. */
static void take_lines_out(struct program *program, const struct verdict *verdict, bool search)
{
    static struct program less;
    bool again = true;

    while (again) {
        again = false;
        for (unsigned at = program->lines; at-- > 0;) {
            bool schedule = program->line[at].opcode == OP_SWITCH || program->line[at].opcode == OP_SCHEDULE;

            if (search && schedule)
                continue;
            without(program, at, &less);
            if (search ? !finds_again(&less, verdict) : !has_finding(&less, verdict))
                continue;
            *program = search ? outcome->shown : less;
            at = at < program->lines ? at : program->lines;
            again = true;
        }
    }
}

/* The shortest program, and the fewest switches. Lines that go change the steps of all later ones, hence the search. */
static void minimize(const struct verdict *verdict)
{
    static struct program program;

    program = outcome->shown;
    if (finds_again(&program, verdict)) {
        program = outcome->shown;
        take_lines_out(&program, verdict, true);
    }
    take_lines_out(&program, verdict, false);
    outcome->shown = program;
}

/* -- a file ----------------------------------------------------------------------------------------- */

static void look(void)
{
    static struct program spelled;

    outcome->found = run(&job.input.program, &outcome->result, &outcome->schedules);
    outcome->stopped = job.all && !outcome->found && explore_stopped(job.explore);
    outcome->threads = concurrent_section(job.all ? job.searched : job.concurrent)->threads;
    if (outcome->found)
        outcome->shown = *spell_out(&job.input.program, &spelled);
}

/* In a process of its own, which a deadlock spoils: this one is needed to make the program shorter. False: it died. */
static bool look_apart(void)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        look();
        fflush(stdout); /* of --trace */
        _exit(TOOL_CLEAN);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == TOOL_CLEAN;
}

/* 0 clean, 1 a finding, 2 bad input. */
static int run_file(const char *path, uint64_t *programs)
{
    struct verdict verdict;
    int status = input_read(&job.input, path, job.lenient);

    if (status)
        return status;
    under_way = path;
    outcome->schedules = 0;
    if (!job.minimize)
        look();
    else if (!look_apart())
        return TOOL_FINDING;
    if (!outcome->found) {
        if (outcome->stopped)
            printf("%s: not every schedule: stopped at %" PRIu64 "; --limit takes more\n", path, job.limit);
        *programs += outcome->threads >= 2;
        return TOOL_CLEAN;
    }
    print_finding(path, &outcome->result);
    verdict = verdict_of(&outcome->result);
    if (job.minimize && has_finding(&outcome->shown, &verdict))
        minimize(&verdict);
    fputs("program:\n", stdout);
    report_program(stdout, &outcome->shown);
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
        {.name = "lenient", .flag = &job.lenient},
        TOOL_NO_PROVIDER_OPTION,
        {0},
    };
    static char name[] = "dxgkmem schedule"; /* what getopt's complaints begin with */
    int status;

    arguments[0] = name;
    status = tool_options(count, arguments, table, help);
    if (job.trace)
        job.runs = 1;
    return status;
}

int main(int count, char **arguments)
{
    struct concurrent_options options = {.event = print_event}, searched = options;
    uint64_t schedules = 0, programs = 0;
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
    explore_options(job.explore, &searched);
    job.concurrent = concurrent_create(&options);
    job.searched = concurrent_create(&searched);
    outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!job.concurrent || !job.searched || outcome == MAP_FAILED)
        return tool_error("no memory");
    signal(SIGABRT, on_abort);
    /* After a finding the process may be good for nothing; the other files wait until it is mended. */
    for (size_t i = 0; i < list.count && worst != TOOL_FINDING; i++) {
        status = run_file(list.path[i], &programs);
        worst = status > worst || status == TOOL_FINDING ? status : worst;
        schedules += outcome->schedules;
    }
    if (worst == TOOL_CLEAN)
        printf("clean: %zu program%s, %" PRIu64 " with threads, %" PRIu64 " schedules\n", list.count,
               list.count == 1 ? "" : "s", programs, schedules);
    input_list_free(&list);
    concurrent_destroy(job.concurrent);
    concurrent_destroy(job.searched);
    explore_destroy(job.explore);
    return worst;
}
