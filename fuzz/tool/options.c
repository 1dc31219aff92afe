/* SPDX-License-Identifier: MIT */
/* Implements options.h. */
#include "tool/options.h"

#include "tool/tool.h"

#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#define OPTIONS 16 /* more than any verb has */

enum { HELP = 256, FIRST }; /* what getopt_long gives for an option */

static bool take_number(const struct tool_option *option, const char *text)
{
    uint64_t most = option->most ? option->most : UINT64_MAX, value;
    char unit[64] = "", range[64] = "";

    if (tool_number(text, most, &value) && value >= option->least) {
        *option->number = value;
        return true;
    }
    if (option->unit)
        snprintf(unit, sizeof unit, " of %s", option->unit);
    if (option->least && option->most)
        snprintf(range, sizeof range, " from %" PRIu64 " to %" PRIu64, option->least, option->most);
    else if (option->most)
        snprintf(range, sizeof range, " up to %" PRIu64, option->most);
    tool_error("--%s takes a number%s%s, not '%s'", option->name, unit, range, text);
    return false;
}

static bool take(const struct tool_option *option, const char *text)
{
    if (option->flag)
        *option->flag = true;
    else if (option->text)
        *option->text = text;
    else if (option->number)
        return take_number(option, text);
    else
        return option->take(option->context, text);
    return true;
}

bool tool_refuse_provider(void *context, const char *path)
{
    (void)context;
    (void)path;
    tool_error("this looks into our own implementation, so there is no --provider; run, faults and explore "
               "take one");
    return false;
}

int tool_options(int count, char **arguments, const struct tool_option *options, const char *help)
{
    struct option table[OPTIONS + 2] = {{"help", no_argument, NULL, HELP}};
    char letters[2 * OPTIONS + 1] = "";
    size_t length = 0, known = 0;
    int found;

    for (; options[known].name; known++) {
        const struct tool_option *option = &options[known];
        assert(known < OPTIONS);
        table[known + 1] = (struct option){
            .name = option->name,
            .has_arg = option->flag ? no_argument : required_argument,
            .val = FIRST + (int)known,
        };
        if (option->letter) {
            letters[length++] = option->letter;
            if (!option->flag)
                letters[length++] = ':';
        }
    }
    while ((found = getopt_long(count, arguments, letters, table, NULL)) != -1) {
        if (found == HELP) {
            fputs(help, stdout);
            return -1;
        }
        for (size_t i = 0; i < known; i++)
            if (options[i].letter && found == options[i].letter)
                found = FIRST + (int)i;
        if (found < FIRST || !take(&options[found - FIRST], optarg))
            return TOOL_BAD;
    }
    return 0;
}
