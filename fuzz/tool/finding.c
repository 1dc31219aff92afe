/* SPDX-License-Identifier: MIT */
/* Implements finding.h. */
#include "tool/finding.h"

#include "tool/report.h"
#include "tool/tool.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* -- what a finding is ------------------------------------------------------------- */

enum program_class finding_class_of(const struct program_line *line)
{
    const struct program_operation *operation = &program_operations[line->opcode];

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        uint64_t value = line->operand[i];
        if (operand->type == PROGRAM_OPERAND_THING && PROGRAM_CLASS_OF(value) != PROGRAM_EXACT &&
            !(operand->name && value == operand->preset))
            return PROGRAM_CLASS_OF(value);
    }
    return PROGRAM_EXACT;
}

void finding_place(struct finding *finding, const struct program *program, unsigned line)
{
    bool stop = line >= program->lines;

    finding->placed = true;
    finding->line = stop ? program->lines : line;
    finding->opcode = stop ? OP_STOP : program->line[line].opcode;
    finding->operand_class = stop ? PROGRAM_EXACT : (uint8_t)finding_class_of(&program->line[line]);
}

/*
 * The message without what differs between two findings of one bug: the operation's text before it,
 * numbers, what stands in parentheses.
 */
static void put_name(struct finding *finding, const struct program *program)
{
    static const char stop[] = "the final stop";
    const char *at = finding->message;
    unsigned depth = 0;
    size_t length = 0;

    if (finding->line < program->lines) {
        char line[sizeof finding->message];
        size_t printed = program_print_line(&program->line[finding->line], line, sizeof line / 2);
        if (printed >= sizeof line / 2)
            printed = sizeof line / 2 - 1;
        if (strncmp(at, line, printed) == 0)
            at += printed;
    } else if (strncmp(at, stop, strlen(stop)) == 0) {
        at += strlen(stop);
    }
    const char *expected = strstr(at, "expected ");
    if (expected && isalpha((unsigned char)expected[9]))
        at = expected; /* which rule it is about says more than what came in its place */
    for (; *at && length + 1 < sizeof finding->name; at++) {
        bool number = isdigit((unsigned char)*at) || (at[0] == 'x' && at > finding->message && at[-1] == '0');
        depth += *at == '(';
        if (number)
            at += strspn(at + 1, "0123456789abcdefx");
        else if (depth == 0 && !(*at == ' ' && (length == 0 || finding->name[length - 1] == ' ')) &&
                 !(*at == ':' && length == 0))
            finding->name[length++] = *at;
        depth -= *at == ')' && depth > 0;
    }
}

void finding_of_invariant(struct finding *finding, const struct program *program,
                          const struct runner_finding *found)
{
    *finding = (struct finding){.kind = FINDING_INVARIANT, .number = found->invariant, .fact = found->fact};
    snprintf(finding->message, sizeof finding->message, "%s", found->message);
    finding_place(finding, program, found->line);
    put_name(finding, program);
}

bool finding_of_run(struct finding *finding, const struct program *program,
                    const struct runner_result *result)
{
    *finding = (struct finding){.kind = FINDING_NONE};
    if (result->finding.invariant == 0)
        return false;
    finding_of_invariant(finding, program, &result->finding);
    return true;
}

/* Whether the innermost `count` frames are in the same functions. */
static bool same_frames(const struct finding *one, const struct finding *other, unsigned count)
{
    if (one->frames != other->frames && (one->frames < count || other->frames < count))
        return false;
    for (unsigned i = 0; i < one->frames && i < count; i++)
        if (strcmp(one->frame[i].function, other->frame[i].function) != 0)
            return false;
    return true;
}

bool finding_same(const struct finding *one, const struct finding *other)
{
    if (one->placed && other->placed &&
        (one->opcode != other->opcode || one->operand_class != other->operand_class))
        return false;
    return finding_same_cause(one, other) && same_frames(one, other, FINDING_FRAMES);
}

bool finding_same_cause(const struct finding *one, const struct finding *other)
{
    return one->kind == other->kind && one->number == other->number && strcmp(one->name, other->name) == 0 &&
           same_frames(one, other, 1);
}

/* -- severity ----------------------------------------------------------------------- */

/* What it would mean in a system if this no longer held. */
static enum finding_severity severity_of_invariant(unsigned invariant)
{
    switch (invariant) {
    case 5:
    case 9:
        return SEVERITY_DEVICE;
    case 4:
        return SEVERITY_OWNERS;
    case 8:
    case 12:
    case 22:
        return SEVERITY_LEAK;
    case 14:
    case 21:
        return SEVERITY_DENIAL;
    case 20:
        return SEVERITY_HARNESS;
    default:
        return SEVERITY_CORRUPTION;
    }
}

static bool in_harness(const struct finding *finding)
{
    for (unsigned i = 0; i < finding->frames; i++)
        if (strncmp(finding->frame[i].file, "src/", 4) == 0)
            return false;
    return finding->frames > 0 && strncmp(finding->frame[0].file, "fuzz/", 5) == 0;
}

static enum finding_severity severity_of_report(const char *name)
{
    static const char *const corrupting[] = {"use-after-free",  "double-free", "overflow", "use-after-return",
                                             "use-after-scope", "bad-free",    "data-race"};

    if (strstr(name, "uninitialized") || strstr(name, "leak"))
        return SEVERITY_LEAK;
    for (size_t i = 0; i < sizeof corrupting / sizeof corrupting[0]; i++)
        if (strstr(name, corrupting[i]) && !strstr(name, "integer") && !strstr(name, "stack-overflow"))
            return SEVERITY_CORRUPTION;
    return SEVERITY_DENIAL;
}

enum finding_severity finding_severity(const struct finding *finding)
{
    if (in_harness(finding))
        return SEVERITY_HARNESS;
    switch (finding->kind) {
    case FINDING_INVARIANT:
        return severity_of_invariant(finding->number);
    case FINDING_SANITIZER:
        return severity_of_report(finding->name);
    case FINDING_EXIT: /* in the midst of an operation, or for a reason that nobody told */
        return finding->placed ? SEVERITY_DENIAL : SEVERITY_HARNESS;
    case FINDING_NONE:
    case FINDING_VIOLATION:
        return SEVERITY_HARNESS;
    default:
        return SEVERITY_DENIAL;
    }
}

static const struct {
    const char *name, *sentence;
} severities[SEVERITIES] = {
    [SEVERITY_DEVICE] = {"device", "a device reaches memory that was freed or is not its own"},
    [SEVERITY_OWNERS] = {"two owners", "memory has two owners"},
    [SEVERITY_LEAK] = {"leak", "something of another owner is seen"},
    [SEVERITY_CORRUPTION] = {"corruption", "the state is wrong"},
    [SEVERITY_DENIAL] = {"denial", "it stops, hangs, or takes what it should not"},
    [SEVERITY_HARNESS] = {"harness", "a mistake of the fuzzer's own"},
};

const char *finding_severity_name(enum finding_severity severity)
{
    return severities[severity].name;
}

const char *finding_severity_sentence(enum finding_severity severity)
{
    return severities[severity].sentence;
}

/* -- words -------------------------------------------------------------------------- */

const char *finding_kind_name(enum finding_kind kind)
{
    static const char *const names[FINDING_KINDS] = {
        [FINDING_NONE] = "nothing",    [FINDING_INVARIANT] = "invariant",  [FINDING_VIOLATION] = "violation",
        [FINDING_PANIC] = "panic",     [FINDING_SANITIZER] = "sanitizer",  [FINDING_SIGNAL] = "signal",
        [FINDING_TIMEOUT] = "timeout", [FINDING_MEMORY] = "out-of-memory", [FINDING_EXIT] = "exit",
    };

    return names[kind];
}

const char *finding_what(const struct finding *finding, char *text, size_t room)
{
    switch (finding->kind) {
    case FINDING_INVARIANT:
    case FINDING_EXIT:
        snprintf(text, room, "%s %u", finding_kind_name(finding->kind), finding->number);
        break;
    case FINDING_VIOLATION:
        snprintf(text, room, "violation %s",
                 dxgkmem_violation_name((enum dxgkmem_violation_code)finding->number));
        break;
    case FINDING_SANITIZER:
    case FINDING_SIGNAL:
        snprintf(text, room, "%s", finding->name);
        break;
    default:
        snprintf(text, room, "%s", finding_kind_name(finding->kind));
    }
    return text;
}

const char *finding_meaning(const struct finding *finding)
{
    switch (finding->kind) {
    case FINDING_INVARIANT:
        return report_invariant(finding->number);
    case FINDING_VIOLATION:
        return dxgkmem_violation_sentence((enum dxgkmem_violation_code)finding->number);
    case FINDING_PANIC:
        return finding->name;
    default:
        return finding->message;
    }
}

const char *finding_where(const struct finding *finding, char *text, size_t room)
{
    const char *class = program_class_names[finding->operand_class];

    if (!finding->placed)
        snprintf(text, room, "?");
    else
        snprintf(text, room, "%s%s%s", program_operations[finding->opcode].name, *class ? " " : "", class);
    return text;
}

static uint64_t rest_hash(const struct finding *finding)
{
    uint64_t hash = tool_hash(TOOL_HASH, finding->name, strlen(finding->name));

    for (unsigned i = 0; i < finding->frames; i++)
        hash = tool_hash(hash, finding->frame[i].function, strlen(finding->frame[i].function));
    return hash;
}

const char *finding_slug(const struct finding *finding, char *text, size_t room)
{
    char what[FINDING_TEXT], where[FINDING_TEXT];

    finding_what(finding, what, sizeof what);
    finding_where(finding, where, sizeof where);
    int length =
        snprintf(text, room, "%s%s%s", what, finding->placed ? "-" : "", finding->placed ? where : "");
    if (length >= 0 && (size_t)length < room && (finding->name[0] || finding->frames))
        snprintf(text + length, room - (size_t)length, "-%04" PRIx64, rest_hash(finding) & 0xffff);
    for (char *at = text; *at; at++)
        *at = isalnum((unsigned char)*at) || *at == '_' ? (char)tolower((unsigned char)*at) : '-';
    return text;
}
