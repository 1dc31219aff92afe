/* SPDX-License-Identifier: MIT */
/* dxgkmem show, pack and generate: programs from one form into the other, and from nothing. */
#include "tool/input.h"
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
    "  --lenient  take every byte string as a program, as a fuzz target does\n"
    "  --help     this text\n";

static int show_page(const char *path, const char *out, bool lenient)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    struct recording *recording;
    char *text = NULL;
    size_t size = 0;
    int status = input_read(&input, path, lenient);

    if (!status)
        status = recording_make(&recording, &input.program);
    if (status)
        return status;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return tool_error("no memory");
    timeline_page(to, recording, name, input.line);
    fclose(to);
    free(recording);
    status = tool_write_page(out, text, size);
    free(text);
    return status;
}

int verb_show(int count, char **arguments)
{
    static const struct option options[] = {{"lenient", no_argument, NULL, 'l'},
                                            {"html", no_argument, NULL, 'w'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bool lenient = false, html = false;
    const char *out = NULL;
    struct input_list list;
    int option, status;

    while ((option = getopt_long(count, arguments, "o:", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            lenient = true;
            break;
        case 'w':
            html = true;
            break;
        case 'o':
            out = optarg;
            break;
        case 'h':
            fputs(show_help, stdout);
            return TOOL_CLEAN;
        default:
            return TOOL_BAD;
        }
    }
    if (out && !html)
        return tool_error("show: -o goes with --html");
    if (html && optind + 1 != count)
        return tool_error(optind == count ? "no file is named" : "show --html takes one file");
    if (html)
        return show_page(arguments[optind], out, lenient);
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    for (size_t i = 0; i < list.count; i++) {
        if (input_read(&input, list.path[i], lenient)) {
            status = TOOL_BAD;
            continue;
        }
        if (list.count > 1)
            printf("%s# %s\n", i ? "\n" : "", list.path[i]);
        report_program(stdout, &input.program);
    }
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

static int pack_one(const char *path, const char *to)
{
    static uint8_t bytes[PROGRAM_BYTES];
    int status = input_read(&input, path, false);

    if (status)
        return status;
    size_t size = program_encode(&input.program, bytes, sizeof bytes);
    return size ? tool_write_file(to, bytes, size)
                : tool_error("%s: does not fit into a binary program", path);
}

static int pack_all(const struct input_list *list, const char *out)
{
    struct stat about;
    bool folder = stat(out, &about) == 0 && S_ISDIR(about.st_mode);
    int status = 0;

    if (!folder && (list->count > 1 || list->folders)) {
        if (mkdir(out, 0777) != 0)
            return tool_error("%s: cannot be made: %s", out, strerror(errno));
        folder = true;
    }
    for (size_t i = 0; i < list->count; i++) {
        char *to = folder ? packed_name(out, list->path[i]) : tool_format("%s", out);
        if (pack_one(list->path[i], to))
            status = TOOL_BAD;
        free(to);
    }
    return status;
}

int verb_pack(int count, char **arguments)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *out = NULL;
    struct input_list list;
    int option, status;

    while ((option = getopt_long(count, arguments, "o:", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(pack_help, stdout);
            return TOOL_CLEAN;
        }
        if (option != 'o')
            return TOOL_BAD;
        out = optarg;
    }
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
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"lines", required_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    uint64_t seed = 1, lines = 16;
    int option;

    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            if (!tool_number(optarg, UINT64_MAX, &seed))
                return tool_error("--seed takes a number, not '%s'", optarg);
            break;
        case 'l':
            if (!tool_number(optarg, PROGRAM_OPERATIONS, &lines))
                return tool_error("--lines takes a number up to %d, not '%s'", PROGRAM_OPERATIONS, optarg);
            break;
        case 'h':
            fputs(generate_help, stdout);
            return TOOL_CLEAN;
        default:
            return TOOL_BAD;
        }
    }
    if (optind < count)
        return tool_error("generate takes no file: '%s'", arguments[optind]);
    engine_generate(&input.program, seed, (unsigned)lines);
    report_program(stdout, &input.program);
    return TOOL_CLEAN;
}
