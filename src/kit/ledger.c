/* SPDX-License-Identifier: MIT */
/* Telling findings, each once, and playing the plan. */
#include "ledger.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DIFFERENT 64

struct told {
    const char *name;
    uintptr_t top;
};

static struct told told[DIFFERENT];
static unsigned findings;
static unsigned long occurrences;
static const char *latest;
char kit_again[512];
bool kit_abort_on_finding;
void (*kit_leave)(void);
struct kit_plan kit_plan;

unsigned kit_findings(void)
{
    return findings;
}

const char *kit_latest(void)
{
    return latest;
}

unsigned long kit_occurrences(void)
{
    return occurrences;
}

static bool is_new(const struct kit_finding *finding)
{
    uintptr_t top = kit_stack_top(finding->stack);

    occurrences++;
    latest = finding->name;
    for (unsigned i = 0; i < findings; i++) {
        if (strcmp(told[i].name, finding->name) == 0 && told[i].top == top)
            return false;
    }
    if (findings == DIFFERENT)
        return false;
    told[findings++] = (struct told){finding->name, top};
    return true;
}

static void tell_again(void)
{
    if (kit_again[0] == '\0')
        return;
    (void)fprintf(stderr, "  again: %s", kit_again);
    for (unsigned i = 0; i < KIT_FAILURES; i++) {
        if (kit_plan.fail[i] != 0)
            (void)fprintf(stderr, "%s%u", i == 0 ? " --fail " : ",", kit_plan.fail[i]);
    }
    (void)fprintf(stderr, "\n");
}

static void tell(const struct kit_finding *finding, const char *format, va_list arguments)
{
    if (is_new(finding)) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "\nfinding %u: %s: %s%s%s: ", findings, kit_stack_place(finding->stack),
                      finding->name, finding->call != NULL ? ": " : "",
                      finding->call != NULL ? finding->call : "");
        (void)vfprintf(stderr, format, arguments);
        (void)fprintf(stderr, "\n");
        kit_stack_print(stderr, finding->stack, "    ");
        if (finding->earlier_call != NULL) {
            (void)fprintf(stderr, "  because of %s:\n", finding->earlier_call);
            kit_stack_print(stderr, finding->earlier, "    ");
        }
        for (unsigned i = 0; i < kit_plan.failed; i++) {
            (void)fprintf(stderr, "  after this call was made to fail:\n");
            kit_stack_print(stderr, kit_plan.failed_at[i], "    ");
        }
        tell_again();
    }
    if (kit_abort_on_finding)
        abort();
}

void kit_find(const struct kit_finding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(finding, format, arguments);
    va_end(arguments);
}

void kit_find_and_leave(const struct kit_finding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(finding, format, arguments);
    va_end(arguments);
    if (kit_leave != NULL)
        kit_leave();
    abort();
}

bool kit_fails(kit_stack stack)
{
    kit_plan.calls++;
    for (unsigned i = 0; i < KIT_FAILURES; i++) {
        if (kit_plan.fail[i] == kit_plan.calls) {
            if (kit_plan.failed < KIT_FAILURES)
                kit_plan.failed_at[kit_plan.failed++] = stack;
            return true;
        }
    }
    return false;
}

unsigned kit_choose(unsigned below)
{
    uint64_t x;

    if (below < 2)
        return 0;
    if (kit_plan.input != NULL) {
        if (kit_plan.input_left == 0)
            return 0;
        kit_plan.input_left--;
        return *kit_plan.input++ % below;
    }
    x = kit_plan.random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((x ^ x >> 31) >> 33) % below;
}
