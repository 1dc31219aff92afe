/* SPDX-License-Identifier: MIT */
/* Findings as JSON: findings.json, SARIF 2.1.0, and what is kept between two runs. */
#include "tool/triage.h"

#include "tool/report.h"
#include "tool/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- a finding ------------------------------------------------------------------------------ */

json_t *triage_finding_json(const struct finding *finding)
{
    json_t *frames = json_array();

    for (unsigned i = 0; i < finding->frames; i++)
        json_array_append_new(frames,
                              json_pack("{s:s, s:s, s:i}", "function", finding->frame[i].function, "file",
                                        finding->frame[i].file, "line", (int)finding->frame[i].line));
    json_t *json =
        json_pack("{s:s, s:i, s:s, s:s, s:o}", "kind", finding_kind_name(finding->kind), "number",
                  (int)finding->number, "name", finding->name, "message", finding->message, "frames", frames);
    if (finding->fact != RUNNER_FACT_OTHER)
        json_object_set_new(json, "fact", json_string(report_fact(finding->fact)));
    if (finding->placed) {
        json_object_set_new(json, "line", json_integer((int)finding->line));
        json_object_set_new(json, "operation", json_string(program_operations[finding->opcode].name));
        json_object_set_new(
            json, "class",
            json_string(finding->operand_class ? program_class_names[finding->operand_class] : "exact"));
    }
    return json;
}

static void take_text(const json_t *json, const char *key, char *to, size_t room)
{
    const char *text = json_string_value(json_object_get(json, key));

    snprintf(to, room, "%s", text ? text : "");
}

static void take_place(const json_t *json, struct finding *finding)
{
    const char *operation = json_string_value(json_object_get(json, "operation"));
    const char *class = json_string_value(json_object_get(json, "class"));

    for (unsigned i = 0; operation && i < PROGRAM_OPCODES; i++)
        if (strcmp(operation, program_operations[i].name) == 0) {
            finding->placed = true;
            finding->opcode = (uint8_t)i;
        }
    for (unsigned i = 0; class && i < PROGRAM_CLASSES; i++)
        if (strcmp(class, program_class_names[i]) == 0)
            finding->operand_class = (uint8_t)i;
    finding->line = (unsigned)json_integer_value(json_object_get(json, "line"));
}

bool triage_finding_read(const json_t *json, struct finding *finding)
{
    const char *kind = json_string_value(json_object_get(json, "kind"));
    size_t i;
    json_t *frame;

    *finding = (struct finding){.kind = FINDING_NONE};
    for (unsigned k = 0; kind && k < FINDING_KINDS; k++)
        if (strcmp(kind, finding_kind_name((enum finding_kind)k)) == 0)
            finding->kind = (enum finding_kind)k;
    finding->number = (unsigned)json_integer_value(json_object_get(json, "number"));
    take_text(json, "name", finding->name, sizeof finding->name);
    take_text(json, "message", finding->message, sizeof finding->message);
    take_place(json, finding);
    const char *fact = json_string_value(json_object_get(json, "fact"));
    finding->fact = fact ? report_fact_named(fact) : RUNNER_FACT_OTHER;
    json_array_foreach(json_object_get(json, "frames"), i, frame)
    {
        if (i >= FINDING_FRAMES)
            break;
        struct finding_frame *to = &finding->frame[finding->frames++];
        take_text(frame, "function", to->function, sizeof to->function);
        take_text(frame, "file", to->file, sizeof to->file);
        to->line = (unsigned)json_integer_value(json_object_get(frame, "line"));
    }
    return kind != NULL;
}

/* -- findings.json -------------------------------------------------------------------------- */

static json_t *inputs_json(const struct triage *triage, const struct triage_group *group,
                           enum triage_fate fate)
{
    json_t *paths = json_array();

    for (size_t i = 0; i < triage->inputs; i++) {
        const struct triage_input *input = &triage->input[i];
        if (input->fate == fate && (!group || input->group == group->number))
            json_array_append_new(paths, json_string(input->path));
    }
    return paths;
}

static json_t *variants_json(const struct triage_group *group)
{
    json_t *variants = json_array();
    char where[FINDING_TEXT];

    for (unsigned i = 0; i < group->variants; i++)
        json_array_append_new(variants,
                              json_pack("{s:s, s:i}", "where",
                                        finding_where(group->variant[i].finding, where, sizeof where),
                                        "inputs", (int)group->variant[i].count));
    return variants;
}

static json_t *group_json(const struct triage *triage, const struct triage_group *group)
{
    char *file = tool_format("%s.txt", group->slug);
    enum finding_severity severity = finding_severity(&group->finding);
    json_t *json = json_pack(
        "{s:s, s:s, s:i, s:s, s:o, s:s, s:i, s:b, s:i, s:o, s:o}", "id", group->slug, "severity",
        finding_severity_name(severity), "rank", (int)severity + 1, "meaning",
        finding_meaning(&group->finding), "finding", triage_finding_json(&group->finding), "program", file,
        "operations", (int)group->program.lines, "minimal", group->minimal, "count", (int)group->count,
        "variants", variants_json(group), "inputs", inputs_json(triage, group, TRIAGE_FOUND));

    free(file);
    return json;
}

/* -- SARIF ------------------------------------------------------------------------------------ */

/* Files outside of the project's folder, which other implementations have, are named in full. */
static json_t *location(const char *base, const char *file, unsigned line)
{
    bool outside = file[0] == '/';
    char *uri = tool_format("%s%s", outside ? "file://" : "", file);
    json_t *json = json_pack("{s:{s:{s:s}, s:{s:i}}}", "physicalLocation", "artifactLocation", "uri", uri,
                             "region", "startLine", (int)(line ? line : 1));

    free(uri);
    if (!outside)
        json_object_set_new(json_object_get(json_object_get(json, "physicalLocation"), "artifactLocation"),
                            "uriBaseId", json_string(base));
    return json;
}

/* "invariant-5", "panic", "heap-use-after-free" */
static const char *rule_id(const struct finding *finding, char *text, size_t room)
{
    finding_what(finding, text, room);
    for (char *at = text; *at; at++)
        if (*at == ' ')
            *at = '-';
    return text;
}

/* Where the operation stands in the file of the program: comments and the world come first. */
static unsigned line_in_file(const struct triage_group *group)
{
    unsigned comments = group->finding.message[0] ? 2 : 1;

    if (strcmp(group->finding.message, finding_meaning(&group->finding)) == 0)
        comments = 1;
    unsigned line = group->finding.placed ? group->finding.line : 0;
    if (line >= group->program.lines)
        line = group->program.lines ? group->program.lines - 1u : 0;
    return comments + 2 + line;
}

static json_t *result_json(const struct triage_group *group, int rule)
{
    static const char *const levels[SEVERITIES] = {"error", "error", "error", "error", "warning", "note"};
    enum finding_severity severity = finding_severity(&group->finding);
    char id[FINDING_TEXT], where[FINDING_TEXT];
    char *file = tool_format("%s.txt", group->slug);
    json_t *locations = json_array(), *stack = json_array();

    json_array_append_new(locations, location("FINDINGS", file, line_in_file(group)));
    for (unsigned i = 0; i < group->finding.frames; i++) {
        const struct finding_frame *frame = &group->finding.frame[i];
        if (!frame->file[0])
            continue;
        if (i == 0) /* of a crash: where in the source */
            json_array_insert_new(locations, 0, location("SRCROOT", frame->file, frame->line));
        json_t *at = location("SRCROOT", frame->file, frame->line);
        json_object_set_new(at, "message", json_pack("{s:s}", "text", frame->function));
        json_array_append_new(stack, json_pack("{s:o}", "location", at));
    }
    finding_where(&group->finding, where, sizeof where);
    char *text = tool_format("%s (%s): %s", finding_meaning(&group->finding), where, group->finding.message);
    json_t *json = json_pack("{s:s, s:i, s:s, s:{s:s}, s:o, s:i, s:{s:s}, s:{s:s}}", "ruleId",
                             rule_id(&group->finding, id, sizeof id), "ruleIndex", rule, "level",
                             levels[severity], "message", "text", text, "locations", locations,
                             "occurrenceCount", (int)group->count, "partialFingerprints", "signature/v1",
                             group->slug, "properties", "severity", finding_severity_name(severity));
    if (json_array_size(stack))
        json_object_set_new(json, "stacks", json_pack("[{s:O}]", "frames", stack));
    json_decref(stack);
    free(text);
    free(file);
    return json;
}

/* The place of a rule in the list, where it is put when it is new. */
static int rule_of(json_t *rules, const struct finding *finding)
{
    char id[FINDING_TEXT];
    size_t i;
    json_t *rule;

    rule_id(finding, id, sizeof id);
    json_array_foreach(rules, i, rule) if (strcmp(json_string_value(json_object_get(rule, "id")), id) ==
                                           0) return (int)i;
    const char *text = finding->kind == FINDING_INVARIANT ? report_invariant(finding->number) : id;
    json_array_append_new(rules, json_pack("{s:s, s:{s:s}}", "id", id, "shortDescription", "text", text));
    return (int)json_array_size(rules) - 1;
}

static json_t *sarif(const struct triage *triage)
{
    json_t *rules = json_array(), *results = json_array();

    for (size_t i = 0; i < triage->groups; i++)
        json_array_append_new(results,
                              result_json(&triage->group[i], rule_of(rules, &triage->group[i].finding)));
    return json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:{s:{s:{s:s}}, s:{s:{s:s}}}, s:o}]}", "$schema",
                     "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
                     "version", "2.1.0", "runs", "tool", "driver", "name", "dxgkmem", "version",
                     DXGKMEM_VERSION, "rules", rules, "originalUriBaseIds", "SRCROOT", "description", "text",
                     "The project's folder.", "FINDINGS", "description", "text", "The folder of this file.",
                     "results", results);
}

static int write_json(const char *out, const char *name, json_t *json)
{
    char *path = tool_format("%s/%s", out, name), *text = json_dumps(json, JSON_INDENT(1));
    int status = text ? tool_write_file(path, text, strlen(text)) : tool_error("no memory");

    free(text);
    free(path);
    json_decref(json);
    return status;
}

int triage_write_reports(const struct triage *triage)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < triage->groups; i++)
        json_array_append_new(groups, group_json(triage, &triage->group[i]));
    json_t *json =
        json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "version", 1, "inputs", (int)triage->inputs,
                  "findings", groups, "fixed", inputs_json(triage, NULL, TRIAGE_FIXED), "flaky",
                  inputs_json(triage, NULL, TRIAGE_FLAKY), "unreadable",
                  inputs_json(triage, NULL, TRIAGE_BAD), "not_run", inputs_json(triage, NULL, TRIAGE_UNLIKE));
    int status = write_json(triage->out, "findings.json", json);
    return status ? status : write_json(triage->out, "findings.sarif", sarif(triage));
}
