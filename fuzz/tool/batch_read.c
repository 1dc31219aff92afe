/* SPDX-License-Identifier: MIT */
/* Implements batch_read.h. */
#include "tool/batch_read.h"

#include "tool/batch_files.h"
#include "tool/golden.h"
#include "tool/input.h"
#include "tool/report.h"
#include "tool/tool.h"

#include "program/runner.h"

#include <dxgkmem/user.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct input input;

struct reading {
    const char *path; /* of the reply */
    struct input_list list;
    size_t next; /* program in the list */
    bool lenient;
    struct golden *golden;
    struct runner *runner;
    struct buffer trace; /* of the program in this process */
    unsigned findings, differences;
};

static void take_event(void *context, const struct program *program, const struct runner_event *event)
{
    struct reading *reading = context;
    char line[1024];
    size_t length = trace_print(program, event, line, sizeof line);

    if (length >= sizeof line)
        length = sizeof line - 1;
    line[length++] = '\n';
    memcpy(buffer_extend(&reading->trace, length), line, length);
}

/* The first line in which the traces differ, from both. */
static void print_difference(const struct reading *reading, const char *text, size_t bytes)
{
    const char *here = (const char *)reading->trace.bytes;
    size_t same = 0, line = 0;

    while (same < bytes && same < reading->trace.size && text[same] == here[same]) {
        same++;
        if (text[same - 1] == '\n')
            line = same;
    }
    if (same == bytes) /* cut, or not asked for */
        return;
    const char *end = memchr(text + line, '\n', bytes - line);
    printf("  there: %.*s\n", (int)((end ? (size_t)(end - text) : bytes) - line), text + line);
    end = memchr(here + line, '\n', reading->trace.size - line);
    printf("  here:  %.*s\n", end ? (int)(end - here - (ptrdiff_t)line) : 0, here + line);
}

/* Whether the same came of the program there and here. */
static bool same_result(const struct batch_result *there, const struct runner_result *here)
{
    return there->trace_hash == here->trace_hash && there->invariant == here->finding.invariant &&
           there->callbacks == here->callbacks && there->successes == here->successes &&
           (there->invariant == 0 ||
            (there->line == here->finding.line &&
             strncmp(there->message, here->finding.message, BATCH_MESSAGE_BYTES) == 0));
}

static void print_finding(const char *path, const struct batch_result *result)
{
    struct runner_finding finding = {.invariant = result->invariant, .line = result->line};

    memcpy(finding.message, result->message, BATCH_MESSAGE_BYTES);
    finding.message[BATCH_MESSAGE_BYTES - 1] = '\0';
    printf("%s:\n", path);
    report_finding(stdout, path, &input.program, input.line, &finding);
}

static int read_result(struct reading *reading, const struct batch_result *result, const char *trace)
{
    const char *path = reading->list.path[reading->next], *name = reading->list.name[reading->next];
    static uint8_t bytes[PROGRAM_BYTES];
    static struct program program;
    struct runner_result here;
    int status = input_read(&input, path, reading->lenient);

    if (status)
        return status;
    /* As it went over the device: without the lines of its text. */
    program_decode(&program, bytes, program_encode(&input.program, bytes, sizeof bytes));
    reading->trace.size = 0;
    dxgkmem_user_seed(1);
    runner_run(reading->runner, &program, &here);
    if (result->invariant) {
        reading->findings++;
        print_finding(path, result);
    }
    bool same = same_result(result, &here);
    if (!same) {
        printf("%s: trace %016" PRIx64 " there, %016" PRIx64 " here; %" PRIu32 " and %u of %" PRIu32
               " and %u callbacks succeeded\n",
               path, result->trace_hash, here.trace_hash, result->successes, here.successes,
               result->callbacks, here.callbacks);
        print_difference(reading, trace, result->trace_bytes);
    }
    if (reading->golden && !golden_check(reading->golden, name, result->trace_hash))
        same = false;
    reading->differences += !same;
    return 0;
}

static int bad_reply(const struct reading *reading, const char *what)
{
    return tool_error("%s: %s", reading->path, what);
}

static int read_run(struct reading *reading, const uint8_t *message, const struct batch_header *header)
{
    const uint8_t *at = message + sizeof *header, *end = message + header->bytes;
    struct batch_result result;

    for (uint32_t i = 0; i < header->count; i++) {
        if ((size_t)(end - at) < sizeof result)
            return bad_reply(reading, "cut off: fewer results than the header says");
        memcpy(&result, at, sizeof result);
        at += sizeof result;
        if (result.trace_bytes > (size_t)(end - at))
            return bad_reply(reading, "cut off within a trace");
        if (reading->next == reading->list.count)
            return bad_reply(reading, "has more results than programs are named");
        int status = read_result(reading, &result, (const char *)at);
        if (status)
            return status;
        at += result.trace_bytes;
        reading->next++;
    }
    return at == end ? 0 : bad_reply(reading, "something is behind the last result");
}

static int read_query(const struct reading *reading, const uint8_t *message,
                      const struct batch_header *header)
{
    struct batch_limits limits;

    if (header->bytes != sizeof *header + sizeof limits)
        return bad_reply(reading, "the answer to a query has another length");
    memcpy(&limits, message + sizeof *header, sizeof limits);
    printf("host %.*s, %" PRIu32 " bits, protocol %u, language %" PRIu32 ", %" PRIu32 " edges\n",
           (int)sizeof limits.host, limits.host, limits.pointer_bits, header->version, limits.language,
           limits.coverage_bytes);
    printf("a request: %" PRIu32 " programs of %" PRIu32 " bytes, %" PRIu32 " bytes in all; a reply: %" PRIu32
           " bytes\n",
           limits.programs, limits.program_bytes, limits.request_bytes, limits.reply_bytes);
    return 0;
}

static int read_message(struct reading *reading, const uint8_t *message, const struct batch_header *header)
{
    size_t reached = 0;

    if (header->version != BATCH_VERSION)
        return bad_reply(reading, "of another version of the protocol");
    switch (header->function) {
    case BATCH_QUERY:
        return read_query(reading, message, header);
    case BATCH_RUN:
        return read_run(reading, message, header);
    case BATCH_COVERAGE:
        for (size_t i = sizeof *header; i < header->bytes; i++)
            reached += message[i] != 0;
        printf("%zu of %zu edges reached\n", reached, header->bytes - sizeof *header);
        return 0;
    case BATCH_RESET:
        return 0;
    default:
        return bad_reply(reading, "has a reply to an unknown function");
    }
}

static int print_end(struct reading *reading)
{
    if (reading->next < reading->list.count)
        return bad_reply(reading, "has fewer results than programs are named");
    if (reading->golden && reading->list.folders)
        reading->differences += golden_unused(reading->golden);
    if (reading->findings)
        printf("%u of %zu programs: findings\n", reading->findings, reading->next);
    if (reading->differences)
        printf("%u of %zu programs: another trace\n", reading->differences, reading->next);
    if (!reading->findings && !reading->differences && reading->next)
        printf("clean: %zu program%s, the same traces there and here\n", reading->next,
               reading->next == 1 ? "" : "s");
    return reading->findings || reading->differences ? TOOL_FINDING : TOOL_CLEAN;
}

int batch_read_replies(const char *golden, bool lenient, int count, char **arguments)
{
    struct reading reading = {.lenient = lenient};
    const struct runner_options runner_options = {.event = take_event, .event_context = &reading};
    struct buffer replies = {0};
    struct batch_header header;
    const uint8_t *message;
    int status;

    if (count < 1)
        return tool_error("batch read: takes a file of replies, and the programs that were written");
    reading.path = arguments[0];
    status = buffer_read_file(reading.path, &replies);
    if (!status && count > 1)
        status = input_list_make(&reading.list, count - 1, arguments + 1);
    if (!status && golden && !(reading.golden = golden_open(golden, false)))
        status = TOOL_BAD;
    if (!status && !(reading.runner = runner_create(&runner_options)))
        status = tool_error("no memory");
    for (size_t at = 0;
         !status && (message = batch_next_message(reading.path, &replies, at, &header, &status));
         at += header.bytes)
        status = read_message(&reading, message, &header);
    if (!status)
        status = print_end(&reading);
    runner_destroy(reading.runner);
    golden_close(reading.golden);
    input_list_free(&reading.list);
    free(reading.trace.bytes);
    free(replies.bytes);
    return status;
}
