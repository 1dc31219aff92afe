/* SPDX-License-Identifier: MIT */
/* Implements recording.h. */
#include "tool/recording.h"

#include "tool/provider.h"
#include "tool/tool.h"

#include <dxgkmem/user.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    if (view->kind == PROGRAM_ADL)
        thing->first_page = runner_view_page(taking->runner, number, 0);
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

static void run(void *context)
{
    struct taking *taking = context;

    dxgkmem_user_seed(1);
    runner_run(taking->runner, taking->recording->program, &taking->recording->result);
}

int recording_make(struct recording **made, const struct program *program)
{
    struct recording *recording = guard_memory(sizeof *recording);
    struct taking taking = {.recording = recording, .started = true};
    struct runner_options options = {.event = take, .event_context = &taking};
    int status;

    guard_watch(&options);
    taking.runner = runner_create(&options);
    if (!taking.runner)
        return tool_error("no memory");
    recording->program = program;
    status = guard_call(run, &taking);
    runner_destroy(taking.runner);
    *made = recording;
    if (!status && recording->result.unlike)
        return tool_error("%s has no world like %s", tool_provider()->name,
                          program_world_names[program->world]);
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
