/* SPDX-License-Identifier: MIT */
/* Implements minimize.h, and dxgkmem minimize. */
#include "tool/minimize.h"

#include "tool/input.h"
#include "tool/options.h"
#include "tool/provider.h"
#include "tool/tool.h"

#include "engine/shrink.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * What stands before the first operation in minimize_text(): what went wrong, the message, the world. So the lines
 * that a message names are those of the file.
 */
#define HEAD_LINES 3

/* -- shrinking with children as the judge ------------------------------------------------ */

struct judge {
    struct replay *replay;
    const struct finding *wanted;
    time_t end;   /* 0: never */
    time_t shown; /* when progress was shown last */
    const char *label;
    bool broken; /* it cannot judge any more, and has said why */
};

static time_t seconds_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void show(struct judge *judge, const struct shrink *shrink)
{
    time_t now = seconds_now();

    if (!isatty(STDERR_FILENO) || now == judge->shown)
        return;
    judge->shown = now;
    fprintf(stderr, "\r\033[K%s: %u operations, %u tries", judge->label, shrink->lines, shrink->tries);
}

static bool keeps(struct shrink *shrink, const struct program *candidate)
{
    struct judge *judge = shrink->context;
    struct finding found;

    show(judge, shrink);
    if (judge->end && seconds_now() >= judge->end)
        shrink->stop = true;
    else if (replay_program(judge->replay, candidate, judge->wanted, &found))
        shrink->stop = judge->broken = true;
    return !shrink->stop && finding_same(judge->wanted, &found);
}

int minimize(struct replay *replay, struct program *program, struct finding *finding, unsigned seconds,
             const char *label, struct minimized *minimized)
{
    static struct shrink shrink;
    const struct finding wanted = *finding;
    struct judge judge = {.replay = replay, .wanted = &wanted, .label = label, .shown = seconds_now()};

    judge.end = seconds ? seconds_now() + (time_t)seconds : 0;
    shrink.keeps = keeps;
    shrink.context = &judge;
    shrink.stop = false;
    minimized->lines_before = program->lines;
    minimized->minimal = engine_shrink(&shrink, program);
    minimized->tries = shrink.tries;
    for (unsigned i = 0; i < program->lines; i++)
        program->line[i].source = (uint16_t)(HEAD_LINES + i + 1);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    return judge.broken ? TOOL_BAD : replay_program(replay, program, &wanted, finding);
}

/* -- as text -------------------------------------------------------------------------------- */

char *minimize_text(const struct program *program, const struct finding *finding)
{
    char what[FINDING_TEXT];
    char *head =
        tool_format("# %s: %s\n", finding_what(finding, what, sizeof what), finding_meaning(finding));
    char *message = finding->message[0] && strcmp(finding->message, finding_meaning(finding)) != 0
                        ? tool_format("# %s\n", finding->message)
                        : tool_format("%s", "");
    size_t room = program_print(program, NULL, 0) + 1;
    char *body = tool_alloc(room);

    program_print(program, body, room);
    char *text = tool_format("%s%s%s", head, message, body);
    free(head);
    free(message);
    free(body);
    return text;
}

/* -- the verb --------------------------------------------------------------------------------- */

static const char help[] =
    "usage: dxgkmem minimize [OPTION]... FILE\n\n"
    "Makes the program of a finding as small and as plain as it can be while it still shows\n"
    "the same finding: the same invariant (assertion, report) at the same operation with\n"
    "the same class of operand. None of the operations that are left can go. Candidates\n"
    "run in child processes, so that crashes and hangs can be made small too.\n\n"
    "  -o, --output OUT   write it to OUT as text (otherwise it is printed)\n"
    "  --time SECONDS     stop after so long, with the smallest until then\n"
    "  --violation NAME   keep this violation instead: any program that provokes it will do\n"
    "  --binary TARGET    run candidates with this fuzz target, not with the tool itself\n"
    "  --timeout SECONDS  longer than that is a hang (2)\n"
    "  --memory MIB       more than that is too much (1024)\n"
    "  --lenient          take every byte string as a program, as a fuzz target does\n"
    "  --provider FILE    run on the implementation in this shared object (fuzz/PROVIDER.md)\n"
    "  --help             this text\n\n"
    "exit status: 0 done, 2 nothing is found or bad input, 130 interrupted\n";

static bool take_violation(void *context, const char *name)
{
    struct replay *replay = context;

    for (unsigned code = 1; code < DXGKMEM_VIOLATION_COUNT; code++)
        if (strcmp(name, dxgkmem_violation_name((enum dxgkmem_violation_code)code)) == 0) {
            replay->violation = code;
            return true;
        }
    tool_error("unknown violation '%s'; dxgkmem violations lists them", name);
    return false;
}

struct minimize_options {
    const char *out;
    uint64_t seconds;
    bool lenient;
};

static int parse(int count, char **arguments, struct replay *replay, struct minimize_options *options)
{
    const struct tool_option table[] = {
        {.name = "output", .letter = 'o', .text = &options->out},
        {.name = "time", .number = &options->seconds, .least = 1, .most = 1u << 20, .unit = "seconds"},
        {.name = "violation", .take = take_violation, .context = replay},
        {.name = "binary", .text = &replay->binary},
        {.name = "lenient", .flag = &options->lenient},
        REPLAY_TIMEOUT(replay),
        REPLAY_MEMORY(replay),
        TOOL_PROVIDER_OPTION,
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status;
    if (replay->violation && replay->binary)
        return tool_error("--violation and --binary exclude each other: fuzz targets do not tell violations");
    if (optind + 1 != count)
        return tool_error(optind == count ? "no file is named" : "minimize takes one file");
    return 0;
}

static int put(const char *out, const char *text)
{
    if (out)
        return tool_write_file(out, text, strlen(text));
    fputs(text, stdout);
    return 0;
}

static int minimize_file(struct replay *replay, const char *path, const struct minimize_options *options)
{
    static struct input input;
    struct finding finding;
    struct minimized minimized;
    char what[FINDING_TEXT], where[FINDING_TEXT];
    int status = input_read(&input, path, options->lenient);

    if (!status)
        status = replay_program(replay, &input.program, NULL, &finding);
    if (status)
        return status;
    if (replay->unlike)
        return tool_error("%s: %s has no world like %s", path, replay_name(replay),
                          program_world_names[input.program.world]);
    if (finding.kind == FINDING_NONE)
        return tool_error(replay->violation ? "%s: does not provoke this violation"
                                            : "%s: nothing is found, so there is nothing to keep",
                          path);
    status = minimize(replay, &input.program, &finding, (unsigned)options->seconds, "minimize", &minimized);
    if (status)
        return status;
    char *text = minimize_text(&input.program, &finding);
    status = put(options->out, text);
    free(text);
    if (status)
        return status;
    fflush(stdout);
    fprintf(stderr, "%s at %s: %u operations, of %u; %u tries%s\n", finding_what(&finding, what, sizeof what),
            finding_where(&finding, where, sizeof where), input.program.lines, minimized.lines_before,
            minimized.tries, minimized.minimal ? "" : "; the time was up");
    return 0;
}

int verb_minimize(int count, char **arguments)
{
    static struct replay replay;
    struct minimize_options options = {0};

    replay = (struct replay){.limits = REPLAY_LIMITS};
    int status = parse(count, arguments, &replay, &options);
    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    status = replay_open(&replay);
    if (!status)
        status = minimize_file(&replay, arguments[optind], &options);
    replay_close(&replay);
    return status;
}
