/* SPDX-License-Identifier: MIT */
/* dxgkmem triage: from a folder of crashes to a short list of findings, one of each made small. */
#include "tool/triage.h"

#include "tool/input.h"
#include "tool/minimize.h"
#include "tool/options.h"
#include "tool/provider.h"
#include "tool/replay.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: dxgkmem triage [OPTION]... FILE|FOLDER...\n\n"
    "Replays findings of any engine (crashes, timeouts, out of memory) in child processes.\n"
    "Sorts out what is found no more and what is found sometimes, groups the rest by what\n"
    "went wrong, makes one program of each group small, and ranks the groups. Interrupted\n"
    "and started again, it goes on where it was; another build begins anew.\n\n"
    "  -o, --output OUT   folder for the results (triage): a program of each group, as text\n"
    "                     and as C; report.html, findings.json, findings.sarif\n"
    "  --binary TARGET    replay with this fuzz target, not with the tool itself\n"
    "  --time SECONDS     for making one program small, at most (20)\n"
    "  --timeout SECONDS  longer than that is a hang (2)\n"
    "  --memory MIB       more than that is too much (1024)\n"
    "  --fresh            begin anew\n"
    "  --provider FILE    run on the implementation in this shared object (fuzz/PROVIDER.md)\n"
    "  --help             this text\n\n"
    "exit status: 0 nothing is found, 1 there are findings, 2 bad input, 130 interrupted\n";

struct options {
    const char *out;
    uint64_t seconds;
    bool fresh;
};

/*
 * After a hang a run need not be waited for so long: this many times the slowest that ended otherwise, and
 * not less than SHORTEST. What hangs then, where nothing hung before, is run once more with the given limit.
 */
enum { PATIENCE = 20, SHORTEST = 100 };

static unsigned patience(const struct replay *replay, unsigned given)
{
    unsigned enough = PATIENCE * replay->slowest;

    enough = enough < SHORTEST ? SHORTEST : enough;
    return enough < given ? enough : given;
}

/* -- the inputs ------------------------------------------------------------------------------- */

/* Text that the campaign or the tool wrote beside an input, and what AFL++ explains. */
static bool is_companion(const struct input_list *list, size_t at)
{
    const char *path = list->path[at];
    size_t length = strlen(path);

    if (length >= 10 && strcmp(path + length - 10, "README.txt") == 0)
        return true;
    if (!list->folders || length < 4 || strcmp(path + length - 4, ".txt") != 0)
        return false;
    char *without = tool_format("%.*s", (int)length - 4, path);
    bool companion = access(without, F_OK) == 0;
    free(without);
    return companion;
}

static void add_input(struct triage *triage, const char *path)
{
    static struct input input;
    static uint8_t bytes[PROGRAM_BYTES];

    if ((triage->inputs & (triage->inputs + 1)) == 0) {
        size_t room = 2 * triage->inputs + 2;
        struct triage_input *inputs = tool_alloc(room * sizeof *inputs);
        if (triage->inputs)
            memcpy(inputs, triage->input, triage->inputs * sizeof *inputs);
        free(triage->input);
        triage->input = inputs;
    }
    struct triage_input *added = &triage->input[triage->inputs++];
    *added = (struct triage_input){.path = tool_format("%s", path), .fate = TRIAGE_BAD};
    if (input_read(&input, path, true))
        return;
    added->fate = TRIAGE_FIXED;
    added->lines = input.program.lines;
    added->world = input.program.world;
    added->raw = input.raw;
    added->empty = input.empty;
    added->key = tool_hash(TOOL_HASH, bytes, program_encode(&input.program, bytes, sizeof bytes));
}

/* Each argument by itself: one that has gone does not take the others along. */
static int gather(struct triage *triage, int count, char **arguments)
{
    int status = count ? 0 : tool_error("no file is named");

    for (int i = 0; i < count; i++) {
        struct input_list list;
        if (input_list_make(&list, 1, &arguments[i])) {
            status = TOOL_BAD;
            continue;
        }
        for (size_t k = 0; k < list.count; k++)
            if (!is_companion(&list, k))
                add_input(triage, list.path[k]);
        input_list_free(&list);
    }
    return status;
}

static int read_program(const struct triage_input *input, struct program *program)
{
    static struct input again;
    int status = input_read(&again, input->path, true);

    *program = again.program;
    return status;
}

/* -- replaying --------------------------------------------------------------------------------- */

/* Twice: what is found once only, or differently, is flaky. A process of its own has other addresses. */
static int judge(struct replay *replay, const struct program *program, struct triage_input *input)
{
    struct finding second;
    int status = replay_program(replay, program, NULL, &input->finding);

    input->fate = TRIAGE_FOUND;
    if (status || input->finding.kind == FINDING_TIMEOUT)
        return status;
    if (replay->unlike) {
        input->fate = TRIAGE_UNLIKE;
        return 0;
    }
    if (input->finding.kind != FINDING_NONE) {
        status = replay_program(replay, program, NULL, &second);
        if (!finding_same(&input->finding, &second))
            input->fate = TRIAGE_FLAKY;
        return status;
    }
    status = replay_afresh(replay, program, &second);
    input->fate = second.kind == FINDING_NONE ? TRIAGE_FIXED : TRIAGE_FLAKY;
    input->finding = second;
    return status;
}

static void progress(const char *what, size_t at, size_t all)
{
    if (isatty(STDERR_FILENO) && (at % 16 == 0 || at == all))
        fprintf(stderr, at == all ? "\r\033[K" : "\r\033[K%s: %zu of %zu", what, at, all);
}

static bool hangs(const struct triage_input *input)
{
    return input->fate == TRIAGE_FOUND && input->finding.kind == FINDING_TIMEOUT;
}

/* Whether one of the inputs before this one hangs in the same operation. */
static bool hung_before(const struct triage *triage, const struct triage_input *input)
{
    const struct triage_input *earlier = triage->input;

    while (earlier < input && !(hangs(earlier) && finding_same(&earlier->finding, &input->finding)))
        earlier++;
    return earlier < input;
}

static int judge_patiently(const struct triage *triage, struct replay *replay, const struct program *program,
                           struct triage_input *input, unsigned given)
{
    int status = judge(replay, program, input);

    if (!status && hangs(input) && replay->limits.milliseconds < given && !hung_before(triage, input)) {
        replay->limits.milliseconds = given;
        status = judge(replay, program, input);
    }
    return status;
}

/*
 * libFuzzer begins with the empty input, and saves that one when every program is a finding. If it is none,
 * an empty file is no program.
 */
static void refuse_empty(struct triage_input *input)
{
    if (!input->empty || input->fate != TRIAGE_FIXED)
        return;
    input->fate = TRIAGE_BAD;
    tool_error("%s: empty: no program", input->path);
}

static int replay_all(struct triage *triage, struct replay *replay, struct triage_state *state)
{
    static struct program program;
    unsigned given = replay->limits.milliseconds;
    bool hung = false;
    int status = 0;

    for (size_t i = 0; i < triage->inputs && !status; i++) {
        struct triage_input *input = &triage->input[i];
        progress("replay", i, triage->inputs);
        if (input->fate == TRIAGE_BAD)
            continue;
        if (!triage_state_input(state, input)) {
            if (read_program(input, &program)) { /* it was there a moment ago */
                input->fate = TRIAGE_BAD;
                continue;
            }
            replay->limits.milliseconds = hung ? patience(replay, given) : given;
            status = judge_patiently(triage, replay, &program, input, given);
            if (!status)
                triage_state_put_input(state, input);
        }
        refuse_empty(input);
        hung |= hangs(input);
    }
    replay->limits.milliseconds = given;
    progress("replay", triage->inputs, triage->inputs);
    return status;
}

/* -- groups ------------------------------------------------------------------------------------- */

static void count_variant(struct triage_group *group, const struct finding *finding)
{
    for (unsigned i = 0; i < group->variants; i++)
        if (finding_same(group->variant[i].finding, finding)) {
            group->variant[i].count++;
            return;
        }
    if (group->variants < TRIAGE_VARIANTS) {
        group->variant[group->variants].finding = finding;
        group->variant[group->variants++].count = 1;
    }
}

static struct triage_group *group_of(struct triage *triage, const struct finding *finding)
{
    for (size_t i = 0; i < triage->groups; i++)
        if (finding_same_cause(&triage->group[i].finding, finding))
            return &triage->group[i];
    triage->group[triage->groups].number = triage->groups;
    return &triage->group[triage->groups++];
}

static void make_groups(struct triage *triage)
{
    triage->group = tool_alloc((triage->inputs + 1) * sizeof *triage->group);
    for (size_t i = 0; i < triage->inputs; i++) {
        struct triage_input *input = &triage->input[i];
        if (input->fate != TRIAGE_FOUND)
            continue;
        struct triage_group *group = group_of(triage, &input->finding);
        if (!group->shortest || input->lines < group->shortest->lines) {
            group->shortest = input;
            group->finding = input->finding;
        }
        group->count++;
        input->group = group->number;
        count_variant(group, &input->finding);
    }
}

static int worst_first(const void *a, const void *b)
{
    const struct triage_group *one = a, *other = b;
    int by = (int)finding_severity(&one->finding) - (int)finding_severity(&other->finding);

    if (!by)
        by = (int)(other->count > one->count) - (int)(other->count < one->count);
    return by ? by : strcmp(one->slug, other->slug);
}

/* Makes the group's shortest program small, once. */
static int shrink_group(struct triage_group *group, struct replay *replay, struct triage_state *state,
                        unsigned seconds)
{
    struct minimized minimized;
    int status = 0;

    finding_slug(&group->finding, group->slug, sizeof group->slug);
    if (!triage_state_group(state, group)) {
        unsigned given = replay->limits.milliseconds;
        status = read_program(group->shortest, &group->program);
        if (group->finding.kind == FINDING_TIMEOUT)
            replay->limits.milliseconds = patience(replay, given); /* it takes many runs */
        if (!status)
            status = minimize(replay, &group->program, &group->finding, seconds, group->slug, &minimized);
        replay->limits.milliseconds = given;
        if (status)
            return status;
        group->minimal = minimized.minimal;
        triage_state_put_group(state, group);
    }
    return status;
}

static int write_program(const struct triage *triage, const struct triage_group *group)
{
    char *path = tool_format("%s/%s.txt", triage->out, group->slug);
    char *text = minimize_text(&group->program, &group->finding);
    int status = tool_write_file(path, text, strlen(text));
    free(text);
    free(path);
    return status;
}

/* -- the table ------------------------------------------------------------------------------------ */

unsigned triage_count(const struct triage *triage, enum triage_fate fate)
{
    unsigned count = 0;

    for (size_t i = 0; i < triage->inputs; i++)
        count += triage->input[i].fate == fate;
    return count;
}

/* The innermost one of a crash, as far as it is known. A place without a function is in the message. */
static void print_frame(const struct finding_frame *frame)
{
    if (frame->function[0] && frame->file[0])
        printf("     in %s, %s:%u\n", frame->function, frame->file, frame->line);
    else if (frame->function[0])
        printf("     in %s\n", frame->function);
}

/* Files in which no tool of the project would have written what was replayed: only their bytes are a program. */
static void print_raw(const struct triage *triage)
{
    const char *first = NULL;
    unsigned count = 0;

    for (size_t i = triage->inputs; i-- > 0;)
        if (triage->input[i].raw) {
            first = triage->input[i].path;
            count++;
        }
    if (count)
        printf("raw bytes of an engine, of another version or cut off: %u inputs, the first %s\n", count,
               first);
}

/* A line for each world that the provider cannot have. */
static void print_unlike(const struct triage *triage, const struct replay *replay)
{
    for (unsigned world = 0; world < PROGRAM_WORLDS; world++) {
        unsigned count = 0;
        for (size_t i = 0; i < triage->inputs; i++)
            count += triage->input[i].fate == TRIAGE_UNLIKE && triage->input[i].world == world;
        if (!count)
            continue;
        report_unlike(stdout, replay_name(replay), world);
        printf(": %u inputs\n", count);
    }
}

static void print_table(const struct triage *triage, const struct replay *replay)
{
    char what[FINDING_TEXT], where[FINDING_TEXT];

    if (triage->groups)
        printf("%3s  %-11s %-26s %-22s %6s  %s\n", "", "severity", "finding", "operation", "inputs",
               "operations");
    for (size_t i = 0; i < triage->groups; i++) {
        const struct triage_group *group = &triage->group[i];
        const struct finding *finding = &group->finding;
        printf("%3zu  %-11s %-26s %-22s %6u  %u%s\n", i + 1, finding_severity_name(finding_severity(finding)),
               finding_what(finding, what, sizeof what), finding_where(finding, where, sizeof where),
               group->count, group->program.lines, group->minimal ? "" : " or fewer");
        printf("     %s\n", finding->message[0] ? finding->message : finding_meaning(finding));
        print_frame(&finding->frame[0]);
        printf("     %s/%s.txt, .c\n", triage->out, group->slug);
    }
    printf("%zu inputs: %zu findings", triage->inputs, triage->groups);
    printf("; of the inputs %u are fixed, %u flaky, %u unreadable", triage_count(triage, TRIAGE_FIXED),
           triage_count(triage, TRIAGE_FLAKY), triage_count(triage, TRIAGE_BAD));
    if (triage_count(triage, TRIAGE_UNLIKE))
        printf(", %u not run", triage_count(triage, TRIAGE_UNLIKE));
    printf("\n");
    print_unlike(triage, replay);
    print_raw(triage);
}

/* -- the verb -------------------------------------------------------------------------------------- */

static int parse(int count, char **arguments, struct replay *replay, struct options *options)
{
    const struct tool_option table[] = {
        {.name = "output", .letter = 'o', .text = &options->out},
        {.name = "time", .number = &options->seconds, .least = 1, .most = 1u << 20, .unit = "seconds"},
        {.name = "binary", .text = &replay->binary},
        {.name = "fresh", .flag = &options->fresh},
        REPLAY_TIMEOUT(replay),
        REPLAY_MEMORY(replay),
        TOOL_PROVIDER_OPTION,
        {0},
    };

    return tool_options(count, arguments, table, help);
}

static int make_folder(const char *out)
{
    struct stat about;

    if (mkdir(out, 0777) == 0)
        return 0;
    if (errno != EEXIST)
        return tool_error("%s: cannot be made: %s", out, strerror(errno));
    return stat(out, &about) == 0 && S_ISDIR(about.st_mode) ? 0 : tool_error("%s: not a folder", out);
}

static int triage_inputs(struct triage *triage, struct replay *replay, const struct options *options)
{
    struct triage_state *state = triage_state_open(triage->out, replay, options->fresh);
    int status = state ? replay_all(triage, replay, state) : TOOL_BAD;

    if (!status) {
        make_groups(triage);
        for (size_t i = 0; i < triage->groups && !status; i++)
            status = shrink_group(&triage->group[i], replay, state, (unsigned)options->seconds);
    }
    triage_state_close(state);
    if (status)
        return status;
    triage_merge(triage, replay);
    qsort(triage->group, triage->groups, sizeof *triage->group, worst_first);
    for (size_t i = 0; i < triage->groups && !status; i++)
        status = write_program(triage, &triage->group[i]);
    if (status)
        return status;
    print_table(triage, replay);
    status = triage_write_reports(triage);
    if (!status)
        status = triage_write_page(triage);
    if (!status)
        printf("report: %s/report.html\n", triage->out);
    return status;
}

int verb_triage(int count, char **arguments)
{
    static struct replay replay;
    struct options options = {.out = "triage", .seconds = 20};
    struct triage triage = {0};

    replay = (struct replay){.limits = REPLAY_LIMITS};
    int status = parse(count, arguments, &replay, &options);
    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    triage.out = options.out;
    int bad = gather(&triage, count - optind, arguments + optind);
    status = triage.inputs ? make_folder(options.out) : TOOL_BAD;
    if (!status)
        status = replay_open(&replay);
    if (!status)
        status = triage_inputs(&triage, &replay, &options);
    if (!status)
        status = bad || triage_count(&triage, TRIAGE_BAD) ? TOOL_BAD
                 : triage.groups                          ? TOOL_FINDING
                                                          : TOOL_CLEAN;
    replay_close(&replay);
    for (size_t i = 0; i < triage.inputs; i++)
        free(triage.input[i].path);
    free(triage.input);
    free(triage.group);
    return status;
}
