/* SPDX-License-Identifier: MIT */
/*
 * What the profile of an implementation means: which answer a mistake gets, and whether the profile
 * contradicts itself or what Windows documents.
 */
#include "model_internal.h"

#include "profile.h"

#define RULE_NAMES_MISTAKE 2u
#define RULE_NAMES_CALL 1u

/* -- what each mistake may be answered with ---------------------------------------- */

bool profile_has_status(enum dxgkmem_call call)
{
    switch (call) {
    case DXGKMEM_CALL_DESTROY:
    case DXGKMEM_CALL_CLOSE:
    case DXGKMEM_CALL_UNMAP:
    case DXGKMEM_CALL_FREE_ADL:
    case DXGKMEM_CALL_PROCESS_EXIT:
    case DXGKMEM_CALL_STOP:
        return false;
    default:
        return true;
    }
}

/* Mistakes that a page of the documentation forbids by name. */
static bool is_documented(enum dxgkmem_violation_code mistake)
{
    switch (mistake) {
    case DXGKMEM_VIOLATION_SECOND_OPEN:
    case DXGKMEM_VIOLATION_OPEN_ON_OTHER_ADAPTER:
    case DXGKMEM_VIOLATION_INVALID_CACHE_TYPE:
    case DXGKMEM_VIOLATION_INVALID_PROTECTION:
    case DXGKMEM_VIOLATION_UNALIGNED_RANGE:
    case DXGKMEM_VIOLATION_IO_SPACE_TO_USER:
    case DXGKMEM_VIOLATION_CONTIGUOUS_OF_SCATTERED:
    case DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER:
    case DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE:
        return true;
    default:
        return false;
    }
}

static bool is_left_over(enum dxgkmem_violation_code mistake)
{
    return mistake == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL || mistake == DXGKMEM_VIOLATION_LEFT_AT_STOP ||
           mistake == DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT;
}

static bool can_be_ignored(enum dxgkmem_violation_code mistake)
{
    return mistake == DXGKMEM_VIOLATION_RESERVED_BITS || mistake == DXGKMEM_VIOLATION_IRQL_TOO_HIGH ||
           mistake == DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS || mistake == DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL;
}

static bool can_be_carried_out(enum dxgkmem_violation_code mistake)
{
    return mistake == DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL ||
           mistake == DXGKMEM_VIOLATION_DESTROY_WHILE_OPEN ||
           mistake == DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_MAPPING ||
           mistake == DXGKMEM_VIOLATION_ADL_SCRIBBLED || is_left_over(mistake);
}

/* As dxgkmem itself answers, whatever the call. */
static struct profile_answer own_answer(enum dxgkmem_violation_code mistake)
{
    bool refuses = mistake != DXGKMEM_VIOLATION_ADL_SCRIBBLED && !is_left_over(mistake);

    return (struct profile_answer){
        .answer = refuses ? DXGKMEM_ANSWER_REFUSE : DXGKMEM_ANSWER_CARRY_OUT,
        .status = model_violation_status(mistake),
    };
}

/* How closely a rule fits; 0: not at all, but for the one that names nothing it is 4. */
static unsigned fit(const struct dxgkmem_profile_rule *rule, enum dxgkmem_call call,
                    enum dxgkmem_violation_code mistake)
{
    if ((rule->call != DXGKMEM_CALL_NONE && rule->call != call) ||
        (rule->mistake != DXGKMEM_VIOLATION_NONE && rule->mistake != mistake))
        return 0;
    return 4 + (rule->mistake != DXGKMEM_VIOLATION_NONE ? RULE_NAMES_MISTAKE : 0) +
           (rule->call != DXGKMEM_CALL_NONE ? RULE_NAMES_CALL : 0);
}

struct profile_answer profile_answer(const struct dxgkmem_profile *profile, enum dxgkmem_call call,
                                     enum dxgkmem_violation_code mistake)
{
    struct profile_answer answer = own_answer(mistake);
    unsigned best = 0;

    for (unsigned i = 0; i < profile->rules; i++) {
        const struct dxgkmem_profile_rule *rule = &profile->rule[i];
        unsigned fits = fit(rule, call, mistake);

        if (fits <= best)
            continue;
        /* what is said of mistakes in general is not meant of what is none, nor of what has an answer of its own */
        if (rule->mistake == DXGKMEM_VIOLATION_NONE &&
            (own_answer(mistake).answer == DXGKMEM_ANSWER_CARRY_OUT ||
             (rule->answer != DXGKMEM_ANSWER_REFUSE && is_documented(mistake))))
            continue;
        best = fits;
        answer = (struct profile_answer){
            .answer = rule->answer,
            .status = rule->status,
            .any_error = rule->answer == DXGKMEM_ANSWER_REFUSE && rule->status == 0,
        };
    }
    return answer;
}

/* -- contradictions ------------------------------------------------------------------- */

static const char *wrong_answer(const struct dxgkmem_profile_rule *rule)
{
    bool named = rule->mistake != DXGKMEM_VIOLATION_NONE;

    if ((unsigned)rule->answer > DXGKMEM_ANSWER_CARRY_OUT)
        return "the answer is none of enum dxgkmem_answer";
    if (rule->answer != DXGKMEM_ANSWER_REFUSE && rule->status != 0)
        return "it has a status, and only a refusal has one";
    if (rule->answer == DXGKMEM_ANSWER_REFUSE && rule->status != 0 && NT_SUCCESS(rule->status))
        return "it refuses with a status that means success";
    if (rule->answer == DXGKMEM_ANSWER_REFUSE && rule->status != 0 && rule->call != DXGKMEM_CALL_NONE &&
        !profile_has_status(rule->call))
        return "it refuses with a status, and that call returns none";
    if (rule->answer == DXGKMEM_ANSWER_IGNORE && !can_be_ignored(rule->mistake))
        return "that cannot be ignored";
    if (rule->answer == DXGKMEM_ANSWER_CARRY_OUT && !can_be_carried_out(rule->mistake))
        return "that cannot be carried out";
    if (named && is_documented(rule->mistake) && rule->answer != DXGKMEM_ANSWER_REFUSE)
        return "that is documented: it must be refused";
    if (rule->mistake == DXGKMEM_VIOLATION_ADL_SCRIBBLED && rule->answer == DXGKMEM_ANSWER_REFUSE)
        return "a free is carried out from the record, or the driver's word is taken: it cannot be refused";
    if (rule->mistake == DXGKMEM_VIOLATION_LEFT_AT_STOP && rule->answer != DXGKMEM_ANSWER_CARRY_OUT)
        return "a stop ends everything";
    if (rule->mistake == DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT && rule->answer == DXGKMEM_ANSWER_REFUSE)
        return "the end of a process cannot be refused";
    return NULL;
}

const char *profile_wrong_rule(const struct dxgkmem_profile *profile, unsigned at)
{
    const struct dxgkmem_profile_rule *rule = &profile->rule[at];

    if ((unsigned)rule->call >= DXGKMEM_CALL_COUNT)
        return "the call is none of enum dxgkmem_call";
    if ((unsigned)rule->mistake >= DXGKMEM_VIOLATION_COUNT)
        return "the mistake is none of enum dxgkmem_violation_code";
    for (unsigned i = 0; i < at; i++)
        if (profile->rule[i].call == rule->call && profile->rule[i].mistake == rule->mistake)
            return "an earlier rule is about the same";
    return wrong_answer(rule);
}

const char *profile_wrong_choice(const struct dxgkmem_profile *profile)
{
    if (profile->rules != 0 && profile->rule == NULL)
        return "rules are counted and there are none";
    if ((unsigned)profile->reports > DXGKMEM_REPORTS_NONE)
        return "reports is none of enum dxgkmem_profile_reports";
    if ((unsigned)profile->outputs > DXGKMEM_OUTPUTS_ANYTHING)
        return "outputs is none of enum dxgkmem_profile_outputs";
    if ((unsigned)profile->map > DXGKMEM_MAP_OBJECT)
        return "map is none of enum dxgkmem_profile_map";
    if (profile->any_order && profile->reports != DXGKMEM_REPORTS_NONE)
        return "any_order and reports: a report says which mistake it was, so their order is that of the "
               "contract";
    for (unsigned i = 0; i < DXGKMEM_PROFILE_STATUSES; i++)
        if (profile->exhausted[i] != 0 && NT_SUCCESS(profile->exhausted[i]))
            return "exhausted has a status that means success";
    return NULL;
}
