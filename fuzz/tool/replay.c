/* SPDX-License-Identifier: MIT */
/* Implements replay.h. */
#include "tool/replay.h"

#include "tool/crash.h"
#include "tool/provider.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* In memory that the child shares with its parent, so that it outlives a crash. */
struct replay_shared {
    const struct program *program;
    const struct finding *wanted;
    unsigned violation;
    unsigned line; /* the operation under way */
    bool ended, violated, unlike;
    unsigned violation_line;
    struct runner_finding found;
};

static bool at_wanted(const struct replay_shared *at, const struct program *program, unsigned line)
{
    struct finding here;

    finding_place(&here, program, line);
    return !at->wanted || !at->wanted->placed ||
           (at->wanted->opcode == here.opcode && at->wanted->operand_class == here.operand_class);
}

static void take_event(void *context, const struct program *program, const struct runner_event *event)
{
    struct replay_shared *at = ((struct replay *)context)->at;

    at->line = event->line + 1;
    for (unsigned i = 0; at->violation && !at->violated && i < event->reports; i++)
        if (event->report[i].code == (enum dxgkmem_violation_code)at->violation &&
            at_wanted(at, program, event->line)) {
            at->violated = true;
            at->violation_line = event->line;
        }
}

int replay_open(struct replay *replay)
{
    static struct program empty;
    struct runner_options options = {
        .provider = tool_provider(), .event = take_event, .event_context = replay};
    struct runner_result result;

    guard_off(); /* of processes started from here: how they end is looked at here */
    replay->at = mmap(NULL, sizeof *replay->at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (replay->at == MAP_FAILED) {
        replay->at = NULL;
        return tool_error("no memory");
    }
    if (replay->binary && access(replay->binary, X_OK) != 0)
        return tool_error("%s: cannot be run: %s", replay->binary, strerror(errno));

    const char *folder = getenv("TMPDIR");
    replay->file = tool_format("%s/dxgkmem-XXXXXX", folder ? folder : "/tmp");
    int file = mkstemp(replay->file);
    if (file < 0) {
        int status = tool_error("%s: cannot be written: %s", replay->file, strerror(errno));
        free(replay->file);
        replay->file = NULL;
        return status;
    }
    close(file);
    if (replay->binary)
        return 0;
    replay->runner = runner_create(&options);
    if (!replay->runner)
        return tool_error("no memory");
    /* children inherit the machines; what is not ours runs in children only */
    for (uint8_t world = 0; world < PROGRAM_WORLDS && !options.provider; world++) {
        empty.world = world;
        runner_run(replay->runner, &empty, &result);
    }
    return 0;
}

void replay_close(struct replay *replay)
{
    if (replay->runner)
        runner_destroy(replay->runner);
    if (replay->at)
        munmap(replay->at, sizeof *replay->at);
    if (replay->file)
        unlink(replay->file);
    free(replay->file);
}

/* -- in a child ------------------------------------------------------------------------------ */

static void body(void *context)
{
    struct replay *replay = context;
    struct runner_result result;

    crash_install();
    runner_run(replay->runner, replay->at->program, &result);
    replay->at->found = result.finding;
    replay->at->unlike = result.unlike;
    replay->at->ended = true;
    _exit(0);
}

static void note_time(struct replay *replay, const struct child_end *end)
{
    if (!end->timeout && end->milliseconds > replay->slowest)
        replay->slowest = end->milliseconds;
}

static int in_child(struct replay *replay, const struct program *program, const struct finding *wanted,
                    struct finding *finding)
{
    static struct child_end end;
    struct replay_shared *at = replay->at;

    *at = (struct replay_shared){.program = program, .wanted = wanted, .violation = replay->violation};
    *finding = (struct finding){.kind = FINDING_NONE};
    if (child_call(body, replay, &replay->limits, &end))
        return TOOL_BAD;
    note_time(replay, &end);
    replay->unlike = at->ended && at->unlike;
    if (replay->violation) {
        if (at->ended && at->violated) {
            finding->kind = FINDING_VIOLATION;
            finding->number = replay->violation;
            finding_place(finding, program, at->violation_line);
        }
    } else if (at->ended) {
        if (at->found.invariant)
            finding_of_invariant(finding, program, &at->found);
    } else {
        crash_read(finding, program, &end);
        if (finding->kind == FINDING_NONE)
            crash_left(finding);
        finding_place(finding, program, at->line);
    }
    return 0;
}

/* -- in another program ------------------------------------------------------------------------- */

static int in_program(struct replay *replay, const char *const *arguments, const struct program *program,
                      struct finding *finding)
{
    static struct child_end end;
    static uint8_t bytes[PROGRAM_BYTES];
    size_t size = program_encode(program, bytes, sizeof bytes);

    *finding = (struct finding){.kind = FINDING_NONE};
    if (tool_write_file(replay->file, bytes, size) || child_exec(arguments, &replay->limits, &end))
        return TOOL_BAD;
    note_time(replay, &end);
    if (WIFEXITED(end.status) && WEXITSTATUS(end.status) == 127)
        return tool_error("%s: cannot be run", arguments[0]);
    replay->unlike = report_says_unlike(end.text);
    crash_read(finding, program, &end);
    return 0;
}

int replay_program(struct replay *replay, const struct program *program, const struct finding *wanted,
                   struct finding *finding)
{
    const char *const arguments[] = {replay->binary, replay->file, NULL};

    return replay->binary ? in_program(replay, arguments, program, finding)
                          : in_child(replay, program, wanted, finding);
}

int replay_afresh(struct replay *replay, const struct program *program, struct finding *finding)
{
    const char *const itself[] = {"/proc/self/exe", "run", "--quiet", "--lenient", replay->file, NULL};
    const char *const binary[] = {replay->binary, replay->file, NULL};

    return in_program(replay, replay->binary ? binary : itself, program, finding);
}

const char *replay_name(const struct replay *replay)
{
    const struct dxgkmem_provider *provider = tool_provider();

    return provider ? provider->name : replay->binary;
}

/* -- options ---------------------------------------------------------------------------------------- */

bool replay_timeout(void *context, const char *text)
{
    struct replay *replay = context;
    uint64_t seconds;

    if (!tool_number(text, 3600, &seconds) || seconds == 0) {
        tool_error("--timeout takes a number of seconds from 1 to 3600, not '%s'", text);
        return false;
    }
    replay->limits.milliseconds = (unsigned)seconds * 1000;
    return true;
}

bool replay_memory(void *context, const char *text)
{
    struct replay *replay = context;
    uint64_t mebibytes;

    if (!tool_number(text, 1 << 20, &mebibytes) || mebibytes < 16) {
        tool_error("--memory takes a number of MiB from 16, not '%s'", text);
        return false;
    }
    replay->limits.mebibytes = (unsigned)mebibytes;
    return true;
}
