/* SPDX-License-Identifier: MIT */
/* Taking stacks, keeping each once, and asking addr2line or llvm-symbolizer for names. */
#define _GNU_SOURCE
#include "stack.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const char __executable_start, etext; /* of the linker: where the program's code is */

#define FRAMES 24
#define TABLE 4096 /* different stacks; when they are used up, new ones are not kept */

struct kept {
    uint32_t frames;
    uintptr_t pc[FRAMES];
};

static struct kept kept[TABLE];
static uint16_t place_of_hash[TABLE * 2];
static uint32_t count = 1; /* number 0 is "none" */
static const void *limit;
static uintptr_t limit_function;

void kit_stack_set_limit(const void *frame, const void *function)
{
    limit = frame;
    limit_function = (uintptr_t)function;
}

void kit_stack_swap_limit(const void **frame, uintptr_t *function)
{
    const void *was = limit;
    uintptr_t was_function = limit_function;

    limit = *frame;
    limit_function = *function;
    *frame = was;
    *function = was_function;
}

static uintptr_t stack_end(void)
{
    static uintptr_t end;
    pthread_attr_t attributes;
    void *base;
    size_t bytes;

    if (end == 0 && pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &base, &bytes) == 0)
            end = (uintptr_t)base + bytes;
        (void)pthread_attr_destroy(&attributes);
    }
    return end;
}

static kit_stack keep(const struct kept *stack)
{
    uint32_t hash = 2166136261u;
    uint32_t place;

    for (uint32_t i = 0; i < stack->frames; i++)
        hash = (hash ^ (uint32_t)(stack->pc[i] ^ stack->pc[i] >> 32)) * 16777619u;
    for (place = hash % (TABLE * 2); place_of_hash[place] != 0; place = (place + 1) % (TABLE * 2)) {
        const struct kept *there = &kept[place_of_hash[place]];

        if (there->frames == stack->frames &&
            memcmp(there->pc, stack->pc, stack->frames * sizeof *stack->pc) == 0)
            return place_of_hash[place];
    }
    if (count == TABLE || stack->frames == 0)
        return 0;
    kept[count] = *stack;
    place_of_hash[place] = (uint16_t)count;
    return count++;
}

__attribute__((no_sanitize("address"))) kit_stack kit_stack_take(const void *frame)
{
    struct kept stack = {0};
    uintptr_t at = (uintptr_t)frame;
    uintptr_t end = limit != NULL ? (uintptr_t)limit : stack_end();

    while (at != 0 && at % sizeof at == 0 && at < end && stack.frames < FRAMES) {
        const uintptr_t *words = (const uintptr_t *)at;

        if (words[1] == 0 || (limit != NULL && words[0] >= end))
            break;                               /* the next one is the kit's */
        stack.pc[stack.frames++] = words[1] - 1; /* within the call, not behind it */
        if (words[0] <= at)
            break;
        at = words[0];
    }
    return keep(&stack);
}

#define LIMIT_BYTES 256 /* no longer is the function that calls a life */

/* What the C library does on behalf of the driver is left out where the driver is in the stack at all. */
kit_stack kit_stack_take_signal(uintptr_t pc)
{
    void *frame[64];
    int frames = backtrace(frame, 64), at = 0;
    struct kept stack = {0};

    while (at < frames && (uintptr_t)frame[at] != pc)
        at++;
    for (int i = at; i < frames && stack.frames < FRAMES; i++) {
        uintptr_t here = (uintptr_t)frame[i] - (i != at);

        if (limit != NULL && here - limit_function < LIMIT_BYTES)
            break;
        if (here >= (uintptr_t)&__executable_start && here < (uintptr_t)&etext)
            stack.pc[stack.frames++] = here;
    }
    if (stack.frames == 0)
        stack.pc[stack.frames++] = pc;
    return keep(&stack);
}

uintptr_t kit_stack_top(kit_stack stack)
{
    return stack != 0 && stack < count ? kept[stack].pc[0] : 0;
}

/* -- names -------------------------------------------------------------------------------- */

/* Where the file of an instruction begins in memory, and its name. */
static uintptr_t module_of(uintptr_t pc, char *name, size_t room)
{
    Dl_info info;
    ssize_t length;
    unsigned char header[18];
    FILE *file;
    bool fixed = false;

    if (dladdr((void *)pc, &info) == 0 || info.dli_fname == NULL)
        return 0;
    length = readlink("/proc/self/exe", name, room - 1);
    if (length < 0)
        length = 0;
    name[length] = '\0';
    if (strchr(info.dli_fname, '/') != NULL && strstr(info.dli_fname, ".so") != NULL)
        (void)snprintf(name, room, "%s", info.dli_fname);
    file = fopen(name, "rb");
    if (file != NULL) {
        fixed = fread(header, 1, sizeof header, file) == sizeof header && header[16] == 2; /* ET_EXEC */
        (void)fclose(file);
    }
    return fixed ? 0 : (uintptr_t)info.dli_fbase;
}

/* A place as people write it: the name of the file in the folder above, not the path to it. */
static const char *short_place(const char *place)
{
    static char folder[1024];
    size_t length;

    if (folder[0] == '\0' && getcwd(folder, sizeof folder) == NULL)
        folder[0] = '\0';
    length = strlen(folder);
    return length > 1 && strncmp(place, folder, length) == 0 && place[length] == '/' ? place + length + 1
                                                                                     : place;
}

static bool quotable(const char *name)
{
    return name[0] != '\0' && strchr(name, '\'') == NULL;
}

typedef void each_frame(void *context, const char *function, const char *place);

/* Asks once for all frames of a stack; inlined ones come apart. False: nobody could be asked. */
static bool each_name(kit_stack number, each_frame *tell, void *context)
{
    const struct kept *stack = &kept[number];
    char command[4096], name[1024] = "", function[512], place[1024];
    size_t used;
    bool told = false;
    FILE *answer;

    (void)module_of(stack->pc[0], name, sizeof name);
    if (!quotable(name))
        return false;
    used = (size_t)snprintf(command, sizeof command,
                            "{ command -v addr2line >/dev/null && s=addr2line || s=llvm-addr2line; "
                            "$s -C -f -i -e '%s'",
                            name);
    for (uint32_t i = 0; i < stack->frames && used + 32 < sizeof command; i++) {
        char module[1024];
        uintptr_t base = module_of(stack->pc[i], module, sizeof module);

        if (strcmp(module, name) == 0)
            used += (size_t)snprintf(command + used, sizeof command - used, " 0x%lx",
                                     (unsigned long)(stack->pc[i] - base));
    }
    (void)snprintf(command + used, sizeof command - used, "; } 2>/dev/null");
    answer = popen(command, "r");
    if (answer == NULL)
        return false;
    while (fgets(function, sizeof function, answer) != NULL && fgets(place, sizeof place, answer) != NULL) {
        char *end;

        function[strcspn(function, "\n")] = '\0';
        place[strcspn(place, "\n")] = '\0';
        end = strstr(place, " (discriminator");
        if (end != NULL)
            *end = '\0';
        tell(context, function, short_place(place));
        told = true;
    }
    (void)pclose(answer);
    return told;
}

static void tell_first(void *context, const char *function, const char *place)
{
    char *text = context;

    (void)function;
    if (text[0] == '\0' && place[0] != '?')
        (void)snprintf(text, 1024, "%s", place);
}

const char *kit_stack_place(kit_stack stack)
{
    static char text[1024];

    text[0] = '\0';
    if (stack == 0 || stack >= count || !each_name(stack, tell_first, text) || text[0] == '\0')
        return "?";
    return text;
}

struct printing {
    FILE *to;
    const char *indent;
};

static void tell_line(void *context, const char *function, const char *place)
{
    const struct printing *printing = context;

    (void)fprintf(printing->to, "%s%s  %s\n", printing->indent, function, place);
}

void kit_stack_print(FILE *to, kit_stack stack, const char *indent)
{
    struct printing printing = {to, indent};

    if (stack == 0 || stack >= count) {
        (void)fprintf(to, "%s(the stack is not known)\n", indent);
    } else if (!each_name(stack, tell_line, &printing)) {
        for (uint32_t i = 0; i < kept[stack].frames; i++) {
            char module[1024] = "";
            uintptr_t base = module_of(kept[stack].pc[i], module, sizeof module);

            (void)fprintf(to, "%s%s+0x%lx\n", indent, module, (unsigned long)(kept[stack].pc[i] - base));
        }
    }
}
