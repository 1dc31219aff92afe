/* SPDX-License-Identifier: MIT */
/* dxgkmem run: runs programs, prints what happened and what was found. */
#include "tool/golden.h"
#include "tool/input.h"
#include "tool/report.h"
#include "tool/tool.h"
#include "tool/windows.h"

#include "program/runner.h"

#include <dxgkmem/user.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: dxgkmem run [OPTION]... FILE|FOLDER...\n\n"
    "Runs each program from a fresh world and checks every invariant after every\n"
    "operation. One program prints its trace; several print a line each.\n\n"
    "  --trace          print the trace, however many programs\n"
    "  --quiet          print findings and the last line only\n"
    "  --golden FILE    compare the hash of each trace with the one in FILE\n"
    "  --update         write the hashes to the golden file instead\n"
    "  --windows KIND   CPU mappings: fast (the default) or real\n"
    "  --lenient        take every byte string as a program, as a fuzz target does\n"
    "  --help           this text\n\n"
    "exit status: 0 clean, 1 a finding or another hash, 2 bad input, 130 interrupted\n";

struct run {
    struct input input;
    const char *path;
    bool trace, quiet, lenient;
    unsigned findings, differences;
};

static void print_reports(const struct run *run, const struct runner_event *event)
{
    unsigned kept = event->reports < RUNNER_REPORTS ? event->reports : RUNNER_REPORTS;

    for (unsigned i = 0; i < kept; i++) {
        enum dxgkmem_violation_code code = event->report[i].code;
        unsigned earlier = event->report[i].earlier_line;

        printf("       violation %s: %s\n", dxgkmem_violation_name(code), dxgkmem_violation_sentence(code));
        if (event->line < run->input.program.lines)
            printf("         at %s:%u\n", run->path, run->input.line[event->line]);
        if (earlier)
            printf("         because of %s at %s:%u\n", dxgkmem_call_name(event->report[i].earlier_call),
                   run->path, run->input.line[earlier - 1]);
    }
}

static void print_event(void *context, const struct program *program, const struct runner_event *event)
{
    const struct run *run = context;
    char text[2048]; /* a removal may report many things */

    if (!run->trace)
        return;
    trace_print(program, event, text, sizeof text);
    if (event->line < program->lines)
        printf("%5u  %s\n", run->input.line[event->line], text);
    else
        printf("  end  %s\n", text);
    print_reports(run, event);
}

static int parse(int count, char **arguments, struct run *run, const char **golden, bool *update, bool *real,
                 bool *trace)
{
    enum { TRACE = 256, QUIET, GOLDEN, UPDATE, WINDOWS, LENIENT, HELP };
    static const struct option options[] = {
        {"trace", no_argument, NULL, TRACE},
        {"quiet", no_argument, NULL, QUIET},
        {"golden", required_argument, NULL, GOLDEN},
        {"update", no_argument, NULL, UPDATE},
        {"windows", required_argument, NULL, WINDOWS},
        {"lenient", no_argument, NULL, LENIENT},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case TRACE:
            *trace = true;
            break;
        case QUIET:
            run->quiet = true;
            break;
        case GOLDEN:
            *golden = optarg;
            break;
        case UPDATE:
            *update = true;
            break;
        case WINDOWS:
            *real = strcmp(optarg, "real") == 0;
            if (!*real && strcmp(optarg, "fast") != 0)
                return tool_error("--windows takes fast or real, not '%s'", optarg);
            break;
        case LENIENT:
            run->lenient = true;
            break;
        case HELP:
            fputs(help, stdout);
            return -1;
        default:
            return TOOL_BAD;
        }
    }
    if (*update && !*golden)
        return tool_error("--update needs --golden FILE");
    return 0;
}

static int run_one(struct run *run, struct runner *runner, const char *name, struct golden *golden)
{
    struct runner_result result;
    int status = input_read(&run->input, run->path, run->lenient);

    if (status)
        return status;
    dxgkmem_user_seed(1);
    runner_run(runner, &run->input.program, &result);
    if (result.finding.invariant) {
        run->findings++;
        if (!run->trace)
            printf("%s:\n", run->path);
        report_finding(stdout, run->path, &run->input.program, run->input.line, &result.finding);
        return 0;
    }
    if (!run->quiet && !run->trace)
        printf("%016" PRIx64 "  %s\n", result.trace_hash, run->path);
    if (golden && !golden_check(golden, name, result.trace_hash))
        run->differences++;
    return 0;
}

static void print_end(const struct run *run, size_t programs)
{
    if (run->findings)
        printf("%u of %zu programs: findings\n", run->findings, programs);
    if (run->differences)
        printf("%u of %zu programs: another trace than the golden one\n", run->differences, programs);
    if (!run->findings && !run->differences)
        printf("clean: %zu program%s\n", programs, programs == 1 ? "" : "s");
}

static int run_all(struct run *run, struct runner *runner, const struct input_list *list,
                   struct golden *golden)
{
    int status = 0;

    for (size_t i = 0; i < list->count; i++) {
        run->path = list->path[i];
        if (run_one(run, runner, list->name[i], golden))
            status = TOOL_BAD; /* said already; the other files are still worth running */
    }
    if (status)
        return status;
    /* A golden hash that no program has any more is a difference too, when whole folders were run. */
    if (golden && list->folders)
        run->differences += golden_unused(golden);
    print_end(run, list->count);
    return run->findings || run->differences ? TOOL_FINDING : TOOL_CLEAN;
}

int verb_run(int count, char **arguments)
{
    static struct run run;
    const char *golden_path = NULL;
    bool update = false, real = false, trace = false;
    int status = parse(count, arguments, &run, &golden_path, &update, &real, &trace);
    struct input_list list;
    struct golden *golden = NULL;

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    run.trace = trace || (!run.quiet && list.count == 1 && !list.folders);
    if (golden_path) {
        golden = golden_open(golden_path, update);
        if (!golden) {
            input_list_free(&list);
            return TOOL_BAD;
        }
    }

    struct runner_options options = {.event = run.trace ? print_event : NULL, .event_context = &run};
    struct tool_windows *windows = NULL;
    if (real && !(windows = tool_windows_open(&options)))
        status = TOOL_BAD;
    struct runner *runner = status ? NULL : runner_create(&options);
    if (runner)
        status = run_all(&run, runner, &list, golden);
    else if (!status)
        status = tool_error("no memory");
    if (update && status != TOOL_BAD && !run.findings)
        status = golden_save(golden);
    if (runner)
        runner_destroy(runner);
    tool_windows_close(windows);
    golden_close(golden);
    input_list_free(&list);
    return status;
}
