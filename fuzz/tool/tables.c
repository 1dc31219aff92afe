/* SPDX-License-Identifier: MIT */
/* dxgkmem operations and violations: the tables, in Markdown, as the documentation has them. */
#include "tool/options.h"
#include "tool/tool.h"

#include "program/runner.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

/* True when there is nothing to print: help was asked for, or the command line is wrong. */
static bool only_help(int count, char **arguments, const char *help, int *status)
{
    const struct tool_option none = {0};
    int taken = tool_options(count, arguments, &none, help);

    *status = taken < 0 ? TOOL_CLEAN : taken;
    if (!taken && optind < count)
        *status = tool_error("no file is taken here: '%s'", arguments[optind]);
    else if (!taken)
        return false;
    return true;
}

static void print_operand(const struct program_operand *operand)
{
    if (operand->type == PROGRAM_OPERAND_BIND || (operand->type == PROGRAM_OPERAND_THING && !operand->name)) {
        printf(" %c", program_kind_letters[operand->kind]);
        return;
    }
    printf(" %s=", operand->name ? operand->name : "");
    if (operand->type == PROGRAM_OPERAND_THING) {
        printf("%c", program_kind_letters[operand->kind]);
    } else if (operand->type == PROGRAM_OPERAND_CHOICE) {
        for (unsigned i = 0; operand->choices[i]; i++)
            printf("%s%s", i ? "\\|" : "", operand->choices[i]);
    } else {
        printf(operand->preset > 9 ? "0x%" PRIx64 : "%" PRIu64, operand->preset);
    }
}

int verb_operations(int count, char **arguments)
{
    static const char *const roles[] = {"callback", "system", "access", "world"};
    int status;

    if (only_help(count, arguments,
                  "usage: dxgkmem operations\n\n"
                  "Prints the operations of the language as a Markdown table. Numbers are shown with\n"
                  "the value they have when they are left out.\n",
                  &status))
        return status;
    printf("| operation | role | what it does |\n|---|---|---|\n");
    for (unsigned i = 0; i < PROGRAM_OPCODES; i++) {
        const struct program_operation *operation = &program_operations[i];
        printf("| `%s", operation->name);
        for (unsigned k = 0; k < operation->operands; k++)
            print_operand(&operation->operand[k]);
        printf("` | %s | %s |\n", roles[operation->role], operation->summary);
    }
    return TOOL_CLEAN;
}

int verb_violations(int count, char **arguments)
{
    int status;

    if (only_help(count, arguments,
                  "usage: dxgkmem violations\n\n"
                  "Prints the violations as a Markdown table: name, status, meaning.\n",
                  &status))
        return status;
    printf("| violation | status | meaning |\n|---|---|---|\n");
    for (unsigned code = 1; code < DXGKMEM_VIOLATION_COUNT; code++)
        printf("| `%s` | %s | %s |\n", dxgkmem_violation_name((enum dxgkmem_violation_code)code),
               trace_status_name(dxgkmem_violation_status((enum dxgkmem_violation_code)code)),
               dxgkmem_violation_sentence((enum dxgkmem_violation_code)code));
    return TOOL_CLEAN;
}
