/* SPDX-License-Identifier: MIT */
/*
 * What the files of dxgkmem triage share: the inputs, the groups they fall
 * into, what is kept between two runs, and the reports.
 *
 * A group is what looks like one bug: findings that agree in everything but the operation, the
 * class of its operand, and who called the function that crashed, and those that show the same by
 * other words (triage_merge.c). Its variants are its signatures.
 */
#ifndef DXGKMEM_TOOL_TRIAGE_H
#define DXGKMEM_TOOL_TRIAGE_H

#include "tool/finding.h"
#include "tool/replay.h"

#include <jansson.h>

enum triage_fate {
    TRIAGE_FOUND,
    TRIAGE_FIXED,
    TRIAGE_FLAKY,
    TRIAGE_BAD,
    TRIAGE_UNLIKE /* not run: the provider has no world like the program's */
};

struct triage_input {
    char *path;
    uint64_t key; /* hash of the program: inputs with one program are replayed once */
    unsigned lines;
    uint8_t world;
    bool raw, empty; /* as input.h has it */
    enum triage_fate fate;
    struct finding finding; /* when it was found, or sometimes found */
    size_t group;           /* when it was found: the number of its group */
};

#define TRIAGE_VARIANTS 64

struct triage_group {
    struct finding finding; /* of the shortest program */
    unsigned count;
    struct triage_input *shortest;
    unsigned variants;
    struct {
        const struct finding *finding;
        unsigned count;
    } variant[TRIAGE_VARIANTS]; /* further ones are counted in the group only */
    size_t number;              /* which stays when groups are sorted */
    bool minimal, flaky;
    bool class_taken; /* triage_merge.c: a class of handles is taken for good, whatever the operation */
    char slug[FINDING_TEXT];
    struct program program;
};

struct triage {
    const char *out;
    size_t inputs, groups;
    struct triage_input *input;
    struct triage_group *group; /* the worst first */
};

/* How many inputs had this fate. */
unsigned triage_count(const struct triage *triage, enum triage_fate fate);

/* triage_merge.c: of groups that show one bug, each made small before, one is left. */
void triage_merge(struct triage *triage, struct replay *replay);

/* triage_json.c */
json_t *triage_finding_json(const struct finding *finding);
bool triage_finding_read(const json_t *json, struct finding *finding);
/* findings.json and findings.sarif in the folder. 0, or TOOL_BAD after saying what is wrong. */
int triage_write_reports(const struct triage *triage);

/* triage_page.c: report.html, and the C form of each group's program. The same. */
int triage_write_page(const struct triage *triage);

/* triage_state.c: what an interrupted run leaves behind, one JSON object a line. */
struct triage_state;
/* NULL after saying what is wrong. What something else found, another build or provider, counts for nothing. */
struct triage_state *triage_state_open(const char *out, const struct replay *replay, bool fresh);
void triage_state_close(struct triage_state *state);
/* Whether the input's fate is known; fills it in. */
bool triage_state_input(struct triage_state *state, struct triage_input *input);
void triage_state_put_input(struct triage_state *state, const struct triage_input *input);
/* The same for the small program of a group. */
bool triage_state_group(struct triage_state *state, struct triage_group *group);
void triage_state_put_group(struct triage_state *state, const struct triage_group *group);

#endif
