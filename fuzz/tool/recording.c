/* SPDX-License-Identifier: MIT */
/* Implements recording.h. */
#include "tool/recording.h"

#include "tool/crash.h"
#include "tool/provider.h"
#include "tool/replay.h"
#include "tool/tool.h"

#include "program/operands.h"

#include <dxgkmem/user.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct taking {
    struct recording *recording;
    struct runner *runner;
    bool started;
    unsigned operations;
};

static void take_thing(struct taking *taking, unsigned number, const struct runner_view *view)
{
    struct recording *recording = taking->recording;
    struct recording_thing *thing = &recording->thing[number];

    *thing = (struct recording_thing){.view = *view, .life = 1, .ended = RECORDING_ALIVE};
    for (unsigned i = 0; i < number; i++)
        if (recording->thing[i].view.kind == view->kind &&
            recording->thing[i].view.variable == view->variable)
            thing->life++;
    if (view->kind == PROGRAM_ADL || view->kind == PROGRAM_MEMORY)
        thing->first_page = runner_view_page(taking->runner, number, 0);
    if (view->kind == PROGRAM_MAPPING || view->kind == PROGRAM_ADL)
        thing->held = runner_view_access(taking->runner, number, &thing->access, &thing->cache);
    recording->things = number + 1;
}

/* Which calls take a number of the library's: see struct dxgkmem_violation. */
static bool is_numbered(const struct runner_event *event)
{
    switch (program_operations[event->opcode].role) {
    case PROGRAM_ROLE_CALLBACK:
        return !event->skipped && event->opcode != OP_LEGACY && event->opcode != OP_UNRELATED;
    case PROGRAM_ROLE_SYSTEM:
        return !event->skipped;
    default:
        return false;
    }
}

static void take(void *context, const struct program *program, const struct runner_event *event)
{
    struct taking *taking = context;
    struct recording *recording = taking->recording;
    struct recording_line *line = &recording->line[event->line];
    struct runner_view view;

    (void)program;
    line->event = *event;
    for (unsigned i = 0; i < PROGRAM_OPERANDS; i++)
        line->passed[i] = i < program_operations[event->opcode].operands
                              ? *runner_passed(taking->runner, i)
                              : (struct runner_passed){.thing = -1};
    if (taking->started && is_numbered(event))
        line->operation = ++taking->operations;
    if (event->opcode == OP_STOP)
        taking->started = false;
    for (unsigned i = 0; runner_view(taking->runner, i, &view); i++) {
        if (i >= recording->things)
            take_thing(taking, i, &view);
        if (!view.live && recording->thing[i].ended == RECORDING_ALIVE)
            recording->thing[i].ended = event->line;
    }
    recording->lines = event->line + 1;
    runner_wanted(taking->runner, &recording->wanted);
}

/* -- in a child, which may not come to its end ------------------------------------------------ */

/* In memory that both share. */
struct shared {
    struct recording recording;
    unsigned line;      /* under way, or the last */
    bool ended, handed; /* handed: the block of this line's call was, so its operands are known */
};

struct job {
    const struct program *program;
    struct shared *shared;
    struct taking taking;
};

/* Right before a call: what it is about to pass. */
static void *note_passed(void *context, unsigned at, const void *block, size_t bytes,
                         const struct runner_lent lent[RUNNER_LENT])
{
    struct job *job = context;
    struct recording_line *line = &job->shared->recording.line[at];

    (void)bytes;
    (void)lent;
    for (unsigned i = 0; i < program_operations[job->program->line[at].opcode].operands; i++)
        line->passed[i] = *runner_passed(job->taking.runner, i);
    job->shared->handed = true;
    return (void *)(uintptr_t)block;
}

static void record(void *context)
{
    struct job *job = context;
    struct shared *shared = job->shared;
    const struct runner_options options = {.event = take,
                                           .event_context = &job->taking,
                                           .hand_over = note_passed,
                                           .arguments_context = job,
                                           .provider = tool_provider()};

    guard_off();
    crash_install();
    job->taking = (struct taking){.recording = &shared->recording, .started = true};
    job->taking.runner = runner_create(&options);
    if (!job->taking.runner)
        _exit(tool_error("no memory"));
    dxgkmem_user_seed(1);
    bool begun = runner_begin(job->taking.runner, job->program);
    for (unsigned at = 0; begun && at <= job->program->lines; at++) {
        shared->line = at;
        shared->handed = false;
        runner_line(job->taking.runner, at);
    }
    runner_finish(job->taking.runner, &shared->recording.result);
    shared->ended = true;
    _exit(0);
}

/* The thing that a variable names before this line, or last named; -1: none. */
static int named(const struct recording *recording, const struct program_operand *operand, uint64_t value)
{
    for (unsigned i = recording->things; i-- > 0;)
        if (recording->thing[i].view.kind == operand->kind &&
            recording->thing[i].view.variable == PROGRAM_VARIABLE_OF(value))
            return (int)i;
    return -1;
}

static bool returns_status(uint8_t opcode)
{
    switch (opcode) {
    case OP_ADD:
    case OP_REMOVE:
    case OP_CREATE:
    case OP_OPEN:
    case OP_MAP:
    case OP_ADL:
    case OP_PIN:
    case OP_UNPIN:
    case OP_LEGACY:
    case OP_UNRELATED:
    case OP_CONTIGUOUS:
    case OP_FREE_CONTIGUOUS:
    case OP_PAGES:
    case OP_FREE_PAGES:
    case OP_MAP_MDL:
    case OP_PIN_MDL:
    case OP_MAP_FB:
    case OP_UNMAP_FB:
        return true;
    default:
        return false;
    }
}

/* The line that was not come back from: an event without an answer. */
static void add_last_line(struct shared *shared)
{
    struct recording *recording = &shared->recording;
    struct recording_line *line = &recording->line[shared->line];
    static const struct program_line stop = {.opcode = OP_STOP}; /* behind the last line */
    const struct program_line *text =
        shared->line < recording->program->lines ? &recording->program->line[shared->line] : &stop;
    const struct program_operation *operation = &program_operations[text->opcode];

    line->event = (struct runner_event){
        .line = shared->line,
        .opcode = text->opcode,
        .has_status = returns_status(text->opcode),
    };
    for (unsigned i = 0; i < PROGRAM_OPERANDS && !shared->handed; i++) {
        line->passed[i] = (struct runner_passed){.thing = -1};
        if (i < operation->operands && operation->operand[i].type == PROGRAM_OPERAND_THING)
            line->passed[i].thing = named(recording, &operation->operand[i], text->operand[i]);
        if (operation->role == PROGRAM_ROLE_ACCESS && i < operation->operands &&
            operation->operand[i].type == PROGRAM_OPERAND_THING && line->passed[i].thing < 0)
            line->event.skipped = true; /* nobody knows what it would act on */
    }
    recording->wanted = line->event;
    recording->lines = shared->line + 1;
}

static int take_end(struct shared *shared, const struct child_end *end)
{
    struct recording *recording = &shared->recording;

    if (shared->ended && recording->result.unlike)
        return tool_error("%s has no world like %s", tool_provider()->name,
                          program_world_names[recording->program->world]);
    if (shared->ended) {
        finding_of_run(&recording->finding, recording->program, &recording->result);
        return 0;
    }
    if (WIFEXITED(end->status) && WEXITSTATUS(end->status) == TOOL_BAD)
        return tool_error("no memory");
    crash_read(&recording->finding, recording->program, end);
    if (recording->finding.kind == FINDING_NONE)
        crash_left(&recording->finding);
    finding_place(&recording->finding, recording->program, shared->line);
    add_last_line(shared);
    return 0;
}

int recording_make(struct recording **made, const struct program *program)
{
    static struct child_end end;
    const struct child_limits limits = REPLAY_LIMITS;
    struct job job = {.program = program};

    tool_provider(); /* one that cannot be loaded is said here, not in the child */
    job.shared = mmap(NULL, sizeof *job.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (job.shared == MAP_FAILED)
        return tool_error("no memory");
    job.shared->recording.program = program;
    int status = child_call(record, &job, &limits, &end);
    if (!status)
        status = take_end(job.shared, &end);
    *made = &job.shared->recording;
    return status;
}

const char *recording_name(const struct recording *recording, unsigned number, char *text, size_t room)
{
    const struct recording_thing *thing = &recording->thing[number];
    char letter = program_kind_letters[thing->view.kind];

    if (thing->life > 1)
        snprintf(text, room, "%c%u'%u", letter, thing->view.variable, thing->life);
    else
        snprintf(text, room, "%c%u", letter, thing->view.variable);
    return text;
}

const char *recording_outcome(const struct program *program, const struct runner_event *event, char *text,
                              size_t room)
{
    static const char arrow[] = " -> ";
    char whole[2048];
    const char *behind;

    trace_print(program, event, whole, sizeof whole);
    behind = strstr(whole, arrow);
    snprintf(text, room, "%s", behind ? behind + sizeof arrow - 1 : whole);
    return text;
}
