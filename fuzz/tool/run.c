/* SPDX-License-Identifier: MIT */
/* dxgkmem run: runs programs, prints what happened and what was found. */
#include "tool/golden.h"
#include "tool/in_turns.h"
#include "tool/input.h"
#include "tool/options.h"
#include "tool/provider.h"
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
    "  --schedule       the lines of threads in turns, as the program's own schedule says; the\n"
    "                   trace names the thread. More schedules: dxgkmem-schedule\n"
    "  --lenient        take every byte string as a program, as a fuzz target does\n" TOOL_PROVIDER_HELP
    "  --help           this text\n\n"
    "exit status: 0 clean, 1 a finding or another hash, 2 bad input, 130 interrupted\n";

struct run {
    struct runner *runner;
    struct golden *golden;     /* NULL: no hash is compared */
    const struct input *input; /* the present one */
    const char *path;
    struct runner_result *result; /* of the present one */
    bool trace, quiet, lenient;
    unsigned findings, differences, unlike;
};

static void print_reports(const struct run *run, const struct runner_event *event)
{
    unsigned kept = event->reports < RUNNER_REPORTS ? event->reports : RUNNER_REPORTS;

    for (unsigned i = 0; i < kept; i++) {
        enum dxgkmem_violation_code code = event->report[i].code;
        unsigned earlier = event->report[i].earlier_line;

        printf("       violation %s: %s\n", dxgkmem_violation_name(code), dxgkmem_violation_sentence(code));
        if (event->line < run->input->program.lines)
            printf("         at %s:%u\n", run->path, run->input->line[event->line]);
        if (earlier)
            printf("         because of %s at %s:%u\n", dxgkmem_call_name(event->report[i].earlier_call),
                   run->path, run->input->line[earlier - 1]);
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
        printf("%5u  %s\n", run->input->line[event->line], text);
    else
        printf("  end  %s\n", text);
    print_reports(run, event);
}

struct run_options {
    const char *golden, *windows;
    bool update, trace, schedule;
};

static int parse(int count, char **arguments, struct run *run, struct run_options *options)
{
    const struct tool_option table[] = {
        {.name = "trace", .flag = &options->trace},
        {.name = "quiet", .flag = &run->quiet},
        {.name = "golden", .text = &options->golden},
        {.name = "update", .flag = &options->update},
        {.name = "windows", .text = &options->windows},
        {.name = "schedule", .flag = &options->schedule},
        {.name = "lenient", .flag = &run->lenient},
        TOOL_PROVIDER_OPTION,
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status;
    if (strcmp(options->windows, "real") != 0 && strcmp(options->windows, "fast") != 0)
        return tool_error("--windows takes fast or real, not '%s'", options->windows);
    if (options->update && !options->golden)
        return tool_error("--update needs --golden FILE");
    if (options->schedule &&
        (options->golden || strcmp(options->windows, "fast") != 0 || tool_provider() != NULL))
        return tool_error("--schedule goes with --trace, --quiet and --lenient only");
    return 0;
}

/* In a child, when the implementation is not ours. */
static void run_program(void *context)
{
    struct run *run = context;

    dxgkmem_user_seed(1);
    runner_run(run->runner, &run->input->program, run->result);
}

static void run_one(void *context, const struct input *input, const struct input_list *list, size_t at)
{
    struct run *run = context;
    const struct runner_result *result = run->result;

    run->input = input;
    run->path = list->path[at];
    if (guard_call(run_program, run)) {
        run->findings++;
        return;
    }
    if (result->unlike) {
        report_unlike(stdout, tool_provider()->name, input->program.world);
        printf(": %s\n", run->path);
        run->unlike++;
        return;
    }
    if (result->finding.invariant) {
        run->findings++;
        if (!run->trace)
            printf("%s:\n", run->path);
        report_finding(stdout, run->path, &input->program, input->line, &result->finding);
        return;
    }
    if (!run->quiet && !run->trace)
        printf("%016" PRIx64 "  %s\n", result->trace_hash, run->path);
    if (run->golden && !golden_check(run->golden, list->name[at], result->trace_hash))
        run->differences++;
}

static void print_end(const struct run *run, size_t programs)
{
    if (run->findings)
        printf("%u of %zu programs: findings\n", run->findings, programs);
    if (run->differences)
        printf("%u of %zu programs: another trace than the golden one\n", run->differences, programs);
    if (run->findings || run->differences)
        return;
    programs -= run->unlike;
    printf("clean: %zu program%s", programs, programs == 1 ? "" : "s");
    if (run->unlike)
        printf("; %u not run", run->unlike);
    printf("\n");
}

static int run_all(struct run *run, const struct input_list *list)
{
    int status = input_each(list, run->lenient, run_one, run);

    if (status)
        return status;
    /* A golden hash that no program has any more is a difference too, when whole folders were run. */
    if (run->golden && list->folders)
        run->differences += golden_unused(run->golden);
    print_end(run, list->count);
    return run->findings || run->differences ? TOOL_FINDING : TOOL_CLEAN;
}

static int open_and_run(struct run *run, const struct input_list *list, const struct run_options *options)
{
    struct runner_options how = {.event = run->trace ? print_event : NULL, .event_context = run};
    struct tool_windows *windows = NULL;
    int status = TOOL_BAD;

    guard_watch(&how);
    run->result = guard_memory(sizeof *run->result);
    if (options->golden && !(run->golden = golden_open(options->golden, options->update)))
        return TOOL_BAD;
    if (strcmp(options->windows, "real") != 0 || (windows = tool_windows_open(&how))) {
        run->runner = runner_create(&how);
        status = run->runner ? run_all(run, list) : tool_error("no memory");
    }
    if (options->update && status != TOOL_BAD && !run->findings)
        status = golden_save(run->golden);
    runner_destroy(run->runner);
    tool_windows_close(windows);
    golden_close(run->golden);
    return status;
}

int verb_run(int count, char **arguments)
{
    static struct run run;
    struct run_options options = {.windows = "fast"};
    struct input_list list;
    int status = parse(count, arguments, &run, &options);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (options.schedule)
        return tool_run_in_turns(run.quiet, run.lenient, count - optind, arguments + optind);
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    run.trace = options.trace || (!run.quiet && list.count == 1 && !list.folders);
    status = open_and_run(&run, &list, &options);
    input_list_free(&list);
    return status;
}
