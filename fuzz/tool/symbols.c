/* SPDX-License-Identifier: MIT */
/* Implements symbols.h. */
#include "tool/symbols.h"

#include "tool/child.h"
#include "tool/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Stacks whose names are known. */
#define KNOWN 64
static struct known {
    struct symbols_stack stack;
    unsigned frames;
    struct finding_frame frame[FINDING_FRAMES];
} known[KNOWN];
static unsigned known_next;

const char *symbols_file(const char *path)
{
    static const char *const folders[] = {"/src/core/",    "/src/machine/",    "/src/host/",
                                          "/src/driver/",  "/fuzz/program/",   "/fuzz/model/",
                                          "/fuzz/engine/", "/include/dxgkmem/"};
    const char *found = NULL;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !found; i++)
        found = strstr(path, folders[i]);
    return found ? found + 1 : NULL;
}

/* The end of a path that fits. */
static void take_path(char *to, size_t room, const char *path, size_t length)
{
    if (length >= room) {
        path += length - room + 1;
        length = room - 1;
    }
    snprintf(to, room, "%.*s", (int)length, path);
}

/*
 * Pairs of lines: a function, and its file:line, inlined ones first. Of this project's files; `all`: of any,
 * and where the file is not known the function counts.
 */
static void read_names(struct known *to, char *text, bool all)
{
    char *rest, *function = strtok_r(text, "\n", &rest), *place;

    for (; function && (place = strtok_r(NULL, "\n", &rest)) && to->frames < FINDING_FRAMES;
         function = strtok_r(NULL, "\n", &rest)) {
        const char *file = symbols_file(place), *colon;
        bool known_file = place[0] != '?';
        if (!file && !(all && (known_file || function[0] != '?')))
            continue;
        struct finding_frame *frame = &to->frame[to->frames++];
        *frame = (struct finding_frame){0};
        snprintf(frame->function, sizeof frame->function, "%s", function);
        if (!known_file)
            continue;
        file = file ? file : place;
        take_path(frame->file, sizeof frame->file, file, strcspn(file, ":"));
        colon = strchr(file, ':');
        frame->line = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    }
}

/* Asks for the addresses of one module. */
static bool ask(struct known *to, const char *const *command, const char *module, bool all)
{
    static struct child_end end;
    char offsets[SYMBOLS_STACK][24];
    const char *arguments[SYMBOLS_STACK + 8];
    unsigned count = 0;
    struct child_limits limits = {.milliseconds = 20000, .mebibytes = 4096};

    for (; command[count]; count++)
        arguments[count] = command[count];
    arguments[count++] = module;
    for (unsigned i = 0; i < to->stack.count; i++) {
        if (strcmp(to->stack.address[i].module, module) != 0)
            continue;
        snprintf(offsets[i], sizeof offsets[i], "0x%" PRIx64, to->stack.address[i].offset);
        arguments[count++] = offsets[i];
    }
    arguments[count] = NULL;
    if (child_exec(arguments, &limits, &end) || !WIFEXITED(end.status) || WEXITSTATUS(end.status) != 0)
        return false;
    read_names(to, end.text, all);
    return true;
}

/* Whether somebody knew names: of one module, as far as there is room. */
static bool name_module(struct known *to, const char *module, bool all)
{
    static const char *const llvm[] = {"llvm-symbolizer", "--inlining", "-e", NULL};
    static const char *const binutils[] = {"addr2line", "-f", "-i", "-e", NULL};

    return ask(to, llvm, module, all) || ask(to, binutils, module, all);
}

/* The innermost address in the module, as a name: it tells stacks apart as well, in one build. */
static void put_address(struct known *to, const char *module)
{
    unsigned i = 0;

    while (strcmp(to->stack.address[i].module, module) != 0)
        i++;
    snprintf(to->frame[0].function, sizeof to->frame[0].function, "0x%" PRIx64, to->stack.address[i].offset);
    to->frames = 1;
}

static bool is_library(const char *module)
{
    return strstr(module, ".so") != NULL || module[0] == '[';
}

/* Whether it is the shared object of the implementation that programs run on. */
static bool is_provider(const char *module)
{
    const char *path = getenv("DXGKMEM_PROVIDER");
    struct stat one, other;

    return path && stat(path, &one) == 0 && stat(module, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* An implementation from outside comes first: what it called, and who called it, says less. */
static void name(struct known *to)
{
    const char *own = NULL, *provider = NULL;

    for (unsigned i = 0; i < to->stack.count; i++) {
        const char *module = to->stack.address[i].module;
        if (!provider && is_provider(module))
            provider = module;
        else if (!own && !is_library(module))
            own = module;
    }
    if (provider && (!name_module(to, provider, true) || !to->frames))
        put_address(to, provider);
    if (own && to->frames < FINDING_FRAMES && !name_module(to, own, false) && !to->frames)
        put_address(to, own);
}

static bool same_stack(const struct symbols_stack *one, const struct symbols_stack *other)
{
    if (one->count != other->count)
        return false;
    for (unsigned i = 0; i < one->count; i++)
        if (one->address[i].offset != other->address[i].offset ||
            strcmp(one->address[i].module, other->address[i].module) != 0)
            return false;
    return true;
}

void symbols_name(const struct symbols_stack *stack, struct finding *finding)
{
    struct known *found = NULL;

    if (stack->count == 0)
        return;
    for (unsigned i = 0; i < KNOWN && !found; i++)
        if (same_stack(&known[i].stack, stack))
            found = &known[i];
    if (!found) {
        found = &known[known_next++ % KNOWN];
        *found = (struct known){.stack = *stack};
        name(found);
    }
    finding->frames = found->frames;
    memcpy(finding->frame, found->frame, sizeof finding->frame);
}
