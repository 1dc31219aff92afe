/* SPDX-License-Identifier: MIT */
/* Implements report.h. The sentences come from fuzz/model/INVARIANTS.md when the build is configured. */
#include "tool/report.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    unsigned number;
    const char *sentence;
} sentences[] = {
#define X(number, sentence) {number, sentence},
#include "invariant_sentences.h"
#undef X
};

const char *report_invariant(unsigned number)
{
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (sentences[i].number == number)
            return sentences[i].sentence;
    return "an invariant that has no sentence";
}

static const char *const facts[RUNNER_FACTS] = {
    [RUNNER_FACT_OTHER] = "other",           [RUNNER_FACT_ANSWER] = "answer",
    [RUNNER_FACT_IOTLB] = "iotlb",           [RUNNER_FACT_NOT_ZERO] = "not-zero",
    [RUNNER_FACT_ONE_TO_ONE] = "one-to-one",
};

const char *report_fact(enum runner_fact fact)
{
    return facts[fact];
}

enum runner_fact report_fact_named(const char *word)
{
    size_t length = strcspn(word, "\n");

    for (unsigned fact = 0; fact < RUNNER_FACTS; fact++)
        if (strlen(facts[fact]) == length && strncmp(facts[fact], word, length) == 0)
            return (enum runner_fact)fact;
    return RUNNER_FACT_OTHER;
}

void report_finding(FILE *to, const char *file, const struct program *program, const unsigned *source_line,
                    const struct runner_finding *finding)
{
    char line[512];

    fprintf(to, "finding: invariant %u: %s\n", finding->invariant, report_invariant(finding->invariant));
    fprintf(to, "  %s\n", finding->message);
    if (finding->line >= program->lines) {
        fprintf(to, "  %s%sat the end, when everything is stopped\n", file ? file : "", file ? ": " : "");
        return;
    }
    program_print_line(&program->line[finding->line], line, sizeof line);
    if (file && source_line)
        fprintf(to, "  %s:%u: %s\n", file, source_line[finding->line], line);
    else
        fprintf(to, "  operation %u: %s\n", finding->line + 1, line);
}

static const char unlike[] = "not run, for ";

void report_unlike(FILE *to, const char *name, unsigned world)
{
    fprintf(to, "%s%s has no world like %s", unlike, name, program_world_names[world]);
}

bool report_says_unlike(const char *text)
{
    const char *at = strstr(text, unlike);

    return at && (at == text || at[-1] == '\n');
}

void report_program(FILE *to, const struct program *program)
{
    size_t room = program_print(program, NULL, 0) + 1;
    char *text = malloc(room);

    if (!text) {
        fprintf(to, "(no memory to print the program)\n");
        return;
    }
    program_print(program, text, room);
    fputs(text, to);
    free(text);
}
