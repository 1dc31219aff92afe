/* SPDX-License-Identifier: MIT */
/* dxgkmem show, pack and generate: programs from one form into the other, and from nothing. */
#include "tool/input.h"
#include "tool/options.h"
#include "tool/provider.h"
#include "tool/report.h"
#include "tool/timeline.h"
#include "tool/tool.h"

#include "engine/engine.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct input input;

/* -- show ------------------------------------------------------------------------ */

static const char show_help[] =
    "usage: dxgkmem show [--lenient] FILE|FOLDER...\n"
    "       dxgkmem show --html [--lenient] [-o OUT] FILE\n\n"
    "Prints programs in the canonical text form, or one as a page for a browser: the\n"
    "life of every thing over time, and what devices reach. The page needs no network.\n\n"
    "  --html     run the program and draw what happened\n"
    "  -o, --output OUT  where the page goes; standard output otherwise\n"
    "  --lenient  take every byte string as a program, as a fuzz target does\n" TOOL_PROVIDER_HELP
    "  --help     this text\n";

struct page {
    const struct recording *recording;
    const char *name;
};

static void write_page(FILE *to, const void *context)
{
    const struct page *page = context;

    timeline_page(to, page->recording, page->name, input.line);
}

static int show_page(const char *path, const char *out, bool lenient)
{
    struct recording *recording;
    int status = input_read(&input, path, lenient);

    if (!status)
        status = recording_make(&recording, &input.program);
    if (status)
        return status;
    struct page page = {recording, input_name(path)};
    return tool_write_page(out, write_page, &page);
}

static void show_text(void *context, const struct input *shown, const struct input_list *list, size_t at)
{
    (void)context;
    if (list->count > 1)
        printf("%s# %s\n", at ? "\n" : "", list->path[at]);
    report_program(stdout, &shown->program);
}

int verb_show(int count, char **arguments)
{
    bool lenient = false, html = false;
    const char *out = NULL;
    struct input_list list;
    const struct tool_option table[] = {
        {.name = "lenient", .flag = &lenient},
        {.name = "html", .flag = &html},
        {.name = "output", .letter = 'o', .text = &out},
        TOOL_PROVIDER_OPTION,
        {0},
    };
    int status = tool_options(count, arguments, table, show_help);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (out && !html)
        return tool_error("show: -o goes with --html");
    if (html && optind + 1 != count)
        return tool_error(optind == count ? "no file is named" : "show --html takes one file");
    if (html)
        return show_page(arguments[optind], out, lenient);
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    status = input_each(&list, lenient, show_text, NULL);
    input_list_free(&list);
    return status;
}

/* -- pack ------------------------------------------------------------------------ */

static const char pack_help[] =
    "usage: dxgkmem pack -o OUT FILE|FOLDER...\n\n"
    "Writes programs in the canonical binary form: one program to the file OUT, or\n"
    "each under its own name (without .txt) into the folder OUT, which is made when\n"
    "it is not there and several are given.\n\n"
    "  -o, --output OUT  where to\n"
    "  --help            this text\n";

static char *packed_name(const char *folder, const char *path)
{
    const char *name = strrchr(path, '/');
    size_t length;

    name = name ? name + 1 : path;
    length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, ".txt") == 0)
        length -= 4;
    return tool_format("%s/%.*s", folder, (int)length, name);
}

struct pack {
    const char *out;
    bool folder; /* that is what out is */
    int status;
};

static void pack_one(void *context, const struct input *packed, const struct input_list *list, size_t at)
{
    static uint8_t bytes[PROGRAM_BYTES];
    struct pack *pack = context;
    char *to = pack->folder ? packed_name(pack->out, list->path[at]) : tool_format("%s", pack->out);
    size_t size = program_encode(&packed->program, bytes, sizeof bytes);

    if (size ? tool_write_file(to, bytes, size)
             : tool_error("%s: does not fit into a binary program", list->path[at]))
        pack->status = TOOL_BAD;
    free(to);
}

static int pack_all(const struct input_list *list, const char *out)
{
    struct stat about;
    struct pack pack = {.out = out, .folder = stat(out, &about) == 0 && S_ISDIR(about.st_mode)};

    if (!pack.folder && (list->count > 1 || list->folders)) {
        if (mkdir(out, 0777) != 0)
            return tool_error("%s: cannot be made: %s", out, strerror(errno));
        pack.folder = true;
    }
    int status = input_each(list, false, pack_one, &pack);
    return status ? status : pack.status;
}

int verb_pack(int count, char **arguments)
{
    const char *out = NULL;
    struct input_list list;
    const struct tool_option table[] = {{.name = "output", .letter = 'o', .text = &out}, {0}};
    int status = tool_options(count, arguments, table, pack_help);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (!out)
        return tool_error("pack: -o OUT says where to");
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    status = pack_all(&list, out);
    input_list_free(&list);
    return status;
}

/* -- generate ---------------------------------------------------------------------- */

static const char generate_help[] =
    "usage: dxgkmem generate [--seed N] [--lines N]\n\n"
    "Prints a program made up by the fuzzer's generator; the same seed gives the\n"
    "same program.\n\n"
    "  --seed N   which one (1)\n"
    "  --lines N  how many operations (16)\n"
    "  --help     this text\n";

int verb_generate(int count, char **arguments)
{
    uint64_t seed = 1, lines = 16;
    const struct tool_option table[] = {
        {.name = "seed", .number = &seed},
        {.name = "lines", .number = &lines, .most = PROGRAM_OPERATIONS},
        {0},
    };
    int status = tool_options(count, arguments, table, generate_help);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (optind < count)
        return tool_error("generate takes no file: '%s'", arguments[optind]);
    engine_generate(&input.program, seed, (unsigned)lines);
    report_program(stdout, &input.program);
    return TOOL_CLEAN;
}
