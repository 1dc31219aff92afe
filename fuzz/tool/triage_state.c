/* SPDX-License-Identifier: MIT */
/* What dxgkmem triage knows already: a file that only grows, so that an interrupt loses one input at most. */
#include "tool/tool.h"
#include "tool/triage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct triage_state {
    FILE *file;
    json_t *inputs, *groups; /* by key, by slug */
};

/* What replays, by content, and within which limits: another build finds other things. */
static char *identity(const struct replay *replay)
{
    uint64_t hash = tool_hash_file(TOOL_HASH, replay->binary ? replay->binary : "/proc/self/exe");

    hash = tool_hash_file(hash, getenv("DXGKMEM_PROVIDER"));
    hash = tool_hash(hash, &replay->limits.milliseconds, sizeof replay->limits.milliseconds);
    hash = tool_hash(hash, &replay->limits.mebibytes, sizeof replay->limits.mebibytes);
    return tool_format("%016" PRIx64, hash);
}

static void take_line(struct triage_state *state, const char *line)
{
    json_t *json = json_loads(line, 0, NULL);
    const char *key = json_string_value(json_object_get(json, "input"));
    const char *slug = json_string_value(json_object_get(json, "group"));

    if (key)
        json_object_set(state->inputs, key, json);
    else if (slug)
        json_object_set(state->groups, slug, json);
    json_decref(json); /* a line that was cut off is nothing */
}

static void load(struct triage_state *state, const char *path, const char *wanted)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    bool ours = false;

    while (file && getline(&line, &room, file) > 0) {
        json_t *json = ours ? NULL : json_loads(line, 0, NULL);
        const char *binary = json_string_value(json_object_get(json, "binary"));
        bool first = !ours;
        if (first)
            ours = binary && strcmp(binary, wanted) == 0;
        json_decref(json);
        if (!ours)
            break;
        if (!first)
            take_line(state, line);
    }
    free(line);
    if (file)
        fclose(file);
}

/* Writes what is known as the beginning of a new file. */
static void put(struct triage_state *state, json_t *json)
{
    json_dumpf(json, state->file, JSON_COMPACT);
    fputc('\n', state->file);
    fflush(state->file);
}

struct triage_state *triage_state_open(const char *out, const struct replay *replay, bool fresh)
{
    struct triage_state *state = tool_alloc(sizeof *state);
    char *path = tool_format("%s/progress", out), *name = identity(replay);
    const char *key;
    json_t *value;

    *state = (struct triage_state){.inputs = json_object(), .groups = json_object()};
    if (!fresh)
        load(state, path, name);
    state->file = fopen(path, "we");
    if (state->file) {
        json_t *head = json_pack("{s:s}", "binary", name);
        put(state, head);
        json_decref(head);
        json_object_foreach(state->inputs, key, value) put(state, value);
        json_object_foreach(state->groups, key, value) put(state, value);
    } else {
        tool_error("%s: cannot be written: %s", path, strerror(errno));
        triage_state_close(state);
        state = NULL;
    }
    free(path);
    free(name);
    return state;
}

void triage_state_close(struct triage_state *state)
{
    if (!state)
        return;
    json_decref(state->inputs);
    json_decref(state->groups);
    if (state->file)
        fclose(state->file);
    free(state);
}

static void key_text(const struct triage_input *input, char text[20])
{
    snprintf(text, 20, "%016" PRIx64, input->key);
}

bool triage_state_input(struct triage_state *state, struct triage_input *input)
{
    char key[20];

    key_text(input, key);
    const json_t *json = json_object_get(state->inputs, key);
    if (!json)
        return false;
    input->fate = (enum triage_fate)json_integer_value(json_object_get(json, "fate"));
    return triage_finding_read(json_object_get(json, "finding"), &input->finding);
}

void triage_state_put_input(struct triage_state *state, const struct triage_input *input)
{
    char key[20];

    key_text(input, key);
    json_t *json = json_pack("{s:s, s:i, s:o}", "input", key, "fate", (int)input->fate, "finding",
                             triage_finding_json(&input->finding));
    put(state, json);
    json_object_set_new(state->inputs, key, json);
}

bool triage_state_group(struct triage_state *state, struct triage_group *group)
{
    const json_t *json = json_object_get(state->groups, group->slug);
    const char *text = json_string_value(json_object_get(json, "program"));

    if (!text || !program_parse(&group->program, text, strlen(text), NULL))
        return false;
    group->minimal = json_is_true(json_object_get(json, "minimal"));
    group->flaky = json_is_true(json_object_get(json, "flaky"));
    return triage_finding_read(json_object_get(json, "finding"), &group->finding);
}

void triage_state_put_group(struct triage_state *state, const struct triage_group *group)
{
    size_t room = program_print(&group->program, NULL, 0) + 1;
    char *text = tool_alloc(room);

    program_print(&group->program, text, room);
    json_t *json =
        json_pack("{s:s, s:s, s:b, s:b, s:o}", "group", group->slug, "program", text, "minimal",
                  group->minimal, "flaky", group->flaky, "finding", triage_finding_json(&group->finding));
    put(state, json);
    json_object_set_new(state->groups, group->slug, json);
    free(text);
}
