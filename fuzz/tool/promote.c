/* SPDX-License-Identifier: MIT */
/* dxgkmem promote: from a finding to a regression of the corpus. */
#include "tool/golden.h"
#include "tool/input.h"
#include "tool/minimize.h"
#include "tool/options.h"
#include "tool/tool.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: dxgkmem promote [OPTION]... FILE\n\n"
    "Makes the program of a finding a regression: CORPUS/regressions/NAME.txt, with a comment\n"
    "that says what went wrong, and the hash of its trace in CORPUS/golden.txt. As long as\n"
    "the finding is there, the program is made small first, and its hash has to wait for the\n"
    "fix (dev replay --update). Nothing is overwritten.\n\n"
    "  --name NAME        letters, digits and '-' (otherwise made from the finding)\n"
    "  --comment TEXT     what went wrong (otherwise the finding, or the file's comment)\n"
    "  --corpus FOLDER    (corpus)\n"
    "  --lenient          take every byte string as a program, as a fuzz target does\n"
    "  --timeout SECONDS  longer than that is a hang (2)\n"
    "  --help             this text\n\n"
    "exit status: 0 done, 2 bad input, 130 interrupted\n";

struct promotion {
    const char *name, *comment, *corpus, *path;
    bool lenient;
    struct input input;
    struct finding finding;
};

static bool good_name(const char *name)
{
    for (const char *at = name; *at; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '-' && *at != '_')
            return false;
    return *name && *name != '-';
}

static int parse(int count, char **arguments, struct replay *replay, struct promotion *promotion)
{
    const struct tool_option table[] = {
        {.name = "name", .text = &promotion->name},
        {.name = "comment", .text = &promotion->comment},
        {.name = "corpus", .text = &promotion->corpus},
        {.name = "lenient", .flag = &promotion->lenient},
        REPLAY_TIMEOUT(replay),
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status;
    if (promotion->name && !good_name(promotion->name))
        return tool_error("--name takes small letters, digits and '-', not '%s'", promotion->name);
    if (promotion->comment && strchr(promotion->comment, '\n'))
        return tool_error("--comment takes one line");
    if (optind + 1 != count)
        return tool_error(optind == count ? "no file is named" : "promote takes one file");
    promotion->path = arguments[optind];
    return 0;
}

/* The comment that a text begins with, as it stands there; "" when there is none. The caller frees it. */
static char *comment_of(const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL, *comment = tool_format("%s", "");
    size_t room = 0;

    while (file && getline(&line, &room, file) > 0 && line[0] == '#') {
        char *longer = tool_format("%s%s", comment, line);
        free(comment);
        comment = longer;
    }
    free(line);
    if (file)
        fclose(file);
    return comment;
}

/* The regression's text; NULL after saying that nobody knows what went wrong. */
static char *make_text(const struct promotion *promotion)
{
    bool found = promotion->finding.kind != FINDING_NONE;
    char *shown = minimize_text(&promotion->input.program, &promotion->finding);
    const char *body = shown;
    char *comment, *text;

    while (*body == '#') /* what minimize_text says of a finding that may be gone */
        body += strcspn(body, "\n") + 1;
    if (promotion->comment)
        comment = tool_format("# %s\n", promotion->comment);
    else if (found)
        comment = tool_format("%.*s", (int)(body - shown), shown);
    else
        comment = promotion->input.text ? comment_of(promotion->path) : tool_format("%s", "");
    if (*comment)
        text = tool_format("%s%s", comment, body);
    else
        text = NULL;
    if (!text)
        tool_error("%s: nothing is found and no comment says what went wrong: --comment TEXT does",
                   promotion->path);
    free(comment);
    free(shown);
    return text;
}

static int put_golden(const char *corpus, const char *name, uint64_t hash)
{
    char *path = tool_format("%s/golden.txt", corpus), *entry = tool_format("regressions/%s.txt", name);
    struct golden *golden = golden_open(path, true);
    int status = golden ? 0 : TOOL_BAD;

    if (golden) {
        golden_check(golden, entry, hash);
        status = golden_save(golden);
    }
    golden_close(golden);
    free(entry);
    free(path);
    return status;
}

static int write_regression(const struct promotion *promotion, struct replay *replay, const char *name)
{
    char *path = tool_format("%s/regressions/%s.txt", promotion->corpus, name);
    struct runner_result result;
    char *text = NULL;
    int status = access(path, F_OK) == 0 ? tool_error("%s: is there already", path) : 0;

    if (!status && !(text = make_text(promotion)))
        status = TOOL_BAD;
    if (!status)
        status = tool_write_file(path, text, strlen(text));
    if (!status && promotion->finding.kind != FINDING_NONE) {
        printf("%s: %u operations; the finding is still there: after the fix, ./dev replay --update\n", path,
               promotion->input.program.lines);
    } else if (!status) { /* it came to its end in a child: it does so here */
        runner_run(replay->runner, &promotion->input.program, &result);
        status = put_golden(promotion->corpus, name, result.trace_hash);
        if (!status)
            printf("%s: %u operations\n", path, promotion->input.program.lines);
    }
    free(text);
    free(path);
    return status;
}

static int promote(struct promotion *promotion, struct replay *replay)
{
    struct minimized minimized;
    char slug[FINDING_TEXT];
    int status = input_read(&promotion->input, promotion->path, promotion->lenient);

    if (!status)
        status = replay_program(replay, &promotion->input.program, NULL, &promotion->finding);
    if (status)
        return status;
    if (promotion->finding.kind != FINDING_NONE)
        status = minimize(replay, &promotion->input.program, &promotion->finding, 0, "promote", &minimized);
    else if (!promotion->name)
        status =
            tool_error("%s: nothing is found any more to name it after: --name NAME does", promotion->path);
    if (status)
        return status;
    finding_slug(&promotion->finding, slug, sizeof slug);
    return write_regression(promotion, replay, promotion->name ? promotion->name : slug);
}

int verb_promote(int count, char **arguments)
{
    static struct replay replay;
    static struct promotion promotion = {.corpus = "corpus"};

    replay = (struct replay){.limits = REPLAY_LIMITS};
    int status = parse(count, arguments, &replay, &promotion);
    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    status = replay_open(&replay);
    if (!status)
        status = promote(&promotion, &replay);
    replay_close(&replay);
    return status;
}
