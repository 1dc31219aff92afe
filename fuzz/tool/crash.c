/* SPDX-License-Identifier: MIT */
/* Implements crash.h. Frames are read as addresses in modules; symbols.h has their names. */
#include "tool/crash.h"

#include "tool/report.h"
#include "tool/symbols.h"

#include <ctype.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- text -------------------------------------------------------------------------------- */

/* Copies up to the end of the line. */
static void copy_line(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%.*s", (int)strcspn(from, "\r\n"), from);
}

static const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return *at ? at + 1 : at;
}

/* Leaves out numbers and addresses, so that the same mistake has the same words. */
static void drop_numbers(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        if (isdigit((unsigned char)*at) && (at == text || !isalpha((unsigned char)at[-1]))) {
            at += strspn(at, "0123456789abcdefxABCDEF") - 1;
            continue;
        }
        *to++ = *at;
    }
    *to = '\0';
}

/* "#0 0x55d (/path/program+0x1234)" and "#0 0x55d in function /path/file.c:12:3" */
static bool read_frame(const char *line, unsigned wanted, struct symbols_stack *stack)
{
    const char *module, *plus, *end;
    char number[16];

    snprintf(number, sizeof number, "#%u ", wanted);
    line += strspn(line, " \t");
    if (strncmp(line, number, strlen(number)) != 0)
        return false;
    const char *stop = line + strcspn(line, "\n");
    for (module = line; module < stop && *module != '('; module++)
        ;
    for (plus = end = module; end < stop && *end != ')'; end++)
        if (end[0] == '+' && end[1] == '0' && end[2] == 'x')
            plus = end;
    if (plus > module && stack->count < SYMBOLS_STACK) {
        struct symbols_address *address = &stack->address[stack->count++];
        snprintf(address->module, sizeof address->module, "%.*s", (int)(plus - module - 1), module + 1);
        address->offset = strtoull(plus + 1, NULL, 16);
    }
    return true;
}

static void read_stack(struct finding *finding, const char *text)
{
    static struct symbols_stack stack;
    unsigned wanted = 0;

    stack.count = 0;
    for (const char *at = text; *at; at = next_line(at)) {
        if (read_frame(at, wanted, &stack))
            wanted++;
        else if (wanted > 0)
            break;
    }
    symbols_name(&stack, finding);
}

/* "src/core/adl.c:12: what" behind any folder: file, line; returns what follows. NULL: it is not that. */
static const char *read_place(const char *at, struct finding_frame *frame)
{
    size_t length = strcspn(at, ":\n");
    char *end;

    if (at[length] != ':' || !isdigit((unsigned char)at[length + 1]))
        return NULL;
    unsigned long line = strtoul(at + length + 1, &end, 10);
    if (*end != ':')
        return NULL;
    char *path = strndup(at, length);
    if (!path)
        return NULL;
    *frame = (struct finding_frame){.line = (unsigned)line};
    snprintf(frame->file, sizeof frame->file, "%s", symbols_file(path) ? symbols_file(path) : path);
    free(path);
    return end + 1;
}

/* -- the kinds ----------------------------------------------------------------------------- */

/* "dxgkmem: /path/src/core/adl.c:12: condition" and "dxgkmem: bug check 0x113 (...): ..." */
static bool read_panic(struct finding *finding, const char *text)
{
    for (const char *at = text; (at = strstr(at, "dxgkmem: ")) != NULL; at++) {
        const char *what = read_place(at + 9, &finding->frame[0]);
        if (what) { /* the place is told as the project names it, wherever it was built */
            copy_line(finding->name, sizeof finding->name, what + strspn(what, " "));
            finding->frames = 1;
            snprintf(finding->message, sizeof finding->message, "%s:%u: %s", finding->frame[0].file,
                     finding->frame[0].line, finding->name);
        } else if (strncmp(at + 9, "bug check", 9) == 0) {
            snprintf(finding->name, sizeof finding->name, "%.*s", (int)strcspn(at + 9, ":\n"), at + 9);
            copy_line(finding->message, sizeof finding->message, at + 9);
        } else {
            continue;
        }
        finding->kind = FINDING_PANIC;
        return true;
    }
    return false;
}

/* "ERROR: AddressSanitizer: heap-use-after-free on address ...", and the like of the others */
static bool read_sanitizer(struct finding *finding, const char *text)
{
    const char *at = strstr(text, "Sanitizer: ");

    if (!at)
        return false;
    at += strlen("Sanitizer: ");
    copy_line(finding->message, sizeof finding->message, at);
    if (strncmp(at, "attempting ", 11) == 0)
        at += 11;
    size_t length = strcspn(at, ":(\n");
    const char *on = strstr(at, " on ");
    if (on && on < at + length)
        length = (size_t)(on - at);
    while (length > 0 && at[length - 1] == ' ')
        length--;
    snprintf(finding->name, sizeof finding->name, "%.*s", (int)length, at);
    finding->kind = FINDING_SANITIZER;
    read_stack(finding, at);
    return true;
}

/* "/path/src/core/adl.c:12:3: runtime error: load of ..." */
static bool read_undefined(struct finding *finding, const char *text)
{
    static const char words[] = ": runtime error: ";
    const char *at = strstr(text, words), *line = at;

    if (!at)
        return false;
    while (line > text && line[-1] != '\n')
        line--;
    copy_line(finding->message, sizeof finding->message, at + strlen(words));
    copy_line(finding->name, sizeof finding->name, at + strlen(words));
    drop_numbers(finding->name);
    finding->kind = FINDING_SANITIZER;
    read_stack(finding, at);
    if (!finding->frames && read_place(line, &finding->frame[0])) {
        snprintf(finding->frame[0].function, sizeof finding->frame[0].function, "%.60s:%u",
                 finding->frame[0].file, finding->frame[0].line);
        finding->frames = 1;
    }
    return true;
}

/* "finding: invariant 5: ...", the message, and "operation 7: ..." or "FILE:7: ..." or "at the end" */
static bool read_invariant(struct finding *finding, const struct program *program, const char *text)
{
    static const char words[] = "finding: invariant ";
    const char *at = strstr(text, words);
    struct runner_finding found = {0};

    if (!at)
        return false;
    found.invariant = (unsigned)strtoul(at + strlen(words), NULL, 10);
    const char *fact = strstr(text, "\nfact: "); /* a fuzz target says so */
    found.fact = fact ? report_fact_named(fact + strlen("\nfact: ")) : RUNNER_FACT_OTHER;
    at = next_line(at);
    copy_line(found.message, sizeof found.message, at + strspn(at, " "));
    at = next_line(at);
    at += strspn(at, " ");
    found.line = program->lines;
    const char *stop = at + strcspn(at, "\n"), *colon = at;
    if (strncmp(at, "operation ", 10) == 0) {
        found.line = (unsigned)strtoul(at + 10, NULL, 10) - 1;
    } else {
        while (colon < stop && !(colon[0] == ':' && isdigit((unsigned char)colon[1])))
            colon++;
        unsigned number = colon < stop ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
        for (unsigned line = 0; number && line < program->lines; line++)
            if (program_line_number(program, line) == number)
                found.line = line;
    }
    finding_of_invariant(finding, program, &found);
    return true;
}

static void read_end(struct finding *finding, const struct child_end *end)
{
    if (WIFSIGNALED(end->status)) {
        finding->kind = FINDING_SIGNAL;
        finding->number = (unsigned)WTERMSIG(end->status);
        snprintf(finding->name, sizeof finding->name, "SIG%s", sigabbrev_np(WTERMSIG(end->status)));
        snprintf(finding->message, sizeof finding->message, "%s", strsignal(WTERMSIG(end->status)));
        read_stack(finding, end->text);
    } else if (WEXITSTATUS(end->status) != 0) {
        finding->kind = FINDING_EXIT;
        finding->number = (unsigned)WEXITSTATUS(end->status);
        copy_line(finding->message, sizeof finding->message, end->text);
    }
}

void crash_read(struct finding *finding, const struct program *program, const struct child_end *end)
{
    bool bad = !WIFEXITED(end->status) || WEXITSTATUS(end->status) != 0;

    *finding = (struct finding){.kind = FINDING_NONE};
    if (end->timeout || strstr(end->text, "libFuzzer: timeout")) {
        finding->kind = FINDING_TIMEOUT;
        snprintf(finding->message, sizeof finding->message, "no end within the time limit");
    } else if (end->memory || strstr(end->text, "libFuzzer: out-of-memory")) {
        finding->kind = FINDING_MEMORY;
        snprintf(finding->message, sizeof finding->message, "more memory than the limit");
    } else if (bad && !read_invariant(finding, program, end->text) && !read_panic(finding, end->text) &&
               !read_undefined(finding, end->text) && !read_sanitizer(finding, end->text)) {
        read_end(finding, end);
    }
}

void crash_left(struct finding *finding)
{
    *finding = (struct finding){.kind = FINDING_EXIT};
    snprintf(finding->message, sizeof finding->message, "a call ended the process, with status 0");
}

/* -- in the child ---------------------------------------------------------------------------- */

static void print_stack(int signal_number)
{
    void *address[24];
    int count = backtrace(address, (int)(sizeof address / sizeof address[0]));
    Dl_info about;

    for (int i = 0; i < count; i++) /* as sanitizers print it; a return address is behind its call */
        if (dladdr(address[i], &about) && about.dli_fname)
            dprintf(STDERR_FILENO, "    #%d %p (%s+0x%" PRIxPTR ")\n", i, address[i],
                    strchr(about.dli_fname, '/') ? about.dli_fname : "/proc/self/exe",
                    (uintptr_t)address[i] - (uintptr_t)about.dli_fbase - (i > 0));
    raise(signal_number); /* the handler is gone: it ends the process */
}

void crash_install(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = print_stack, .sa_flags = (int)SA_RESETHAND | SA_NODEFER}, old;

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
}
