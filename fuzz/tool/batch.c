/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem batch: requests for the drivers' devices as files, and what came back.
 *
 * Writes programs into requests, and answers requests in this process as a driver would; replies are
 * batch_read.c's.
 */
#include "tool/batch_files.h"
#include "tool/batch_read.h"
#include "tool/input.h"
#include "tool/options.h"
#include "tool/tool.h"

#include "program/program.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: dxgkmem batch write -o REQUEST [OPTION]... [FILE|FOLDER]...\n"
    "       dxgkmem batch run -o REPLY REQUEST\n"
    "       dxgkmem batch serve\n"
    "       dxgkmem batch read [--golden FILE] [--lenient] REPLY [FILE|FOLDER]...\n\n"
    "A driver's device takes requests and gives replies. write makes a file of requests,\n"
    "run answers them here as a driver would, serve does so from standard input to standard\n"
    "output, each at once, read compares the replies with what the\n"
    "same programs do here.\n\n"
    "  -o, --output OUT   where to\n"
    "  --function NAME    write: run (the default), or query, coverage, reset, which take no program\n"
    "  --trace            write: ask for traces as text\n"
    "  --clear            write: coverage begins at 0 again after it was read\n"
    "  --programs N       write: so many in one request at most (4096)\n"
    "  --lenient          take every byte string as a program, as a fuzz target does\n"
    "  --golden FILE      read: compare the hash of each trace with the one in FILE as well\n"
    "  --help             this text\n\n"
    "exit status: 0 clean, 1 a finding or another trace, 2 bad input, 130 interrupted\n";

struct options {
    const char *output, *golden;
    uint16_t function;
    uint32_t flags;
    uint64_t programs;
    bool lenient;
};

static const char *const function_names[BATCH_FUNCTIONS] = {
    [BATCH_QUERY] = "query", [BATCH_RUN] = "run", [BATCH_COVERAGE] = "coverage", [BATCH_RESET] = "reset"};

/* -- write ------------------------------------------------------------------------------------ */

/* The request that is being filled; programs too many or too long for one begin the next. */
struct request {
    const struct options *options;
    struct buffer file;
    size_t begin; /* of the present request in the file */
    struct batch_header header;
    int status; /* TOOL_BAD: a program does not fit */
};

static void begin_request(struct request *request)
{
    const struct options *options = request->options;

    request->begin = request->file.size;
    request->header = (struct batch_header){
        .magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .function = options->function,
        .flags = options->flags,
        .language = options->function == BATCH_RUN ? PROGRAM_VERSION : 0,
    };
    buffer_extend(&request->file, sizeof request->header);
}

static void end_request(struct request *request)
{
    struct batch_header *header = &request->header;

    header->bytes = (uint32_t)(request->file.size - request->begin);
    /* As much as the reply can become; how long it is, only the driver knows. */
    if (header->function == BATCH_COVERAGE || (header->flags & BATCH_FLAG_TRACE))
        header->reply_bytes = BATCH_REPLY_BYTES;
    else
        header->reply_bytes =
            (uint32_t)(sizeof *header + (header->function == BATCH_QUERY
                                             ? sizeof(struct batch_limits)
                                             : header->count * sizeof(struct batch_result)));
    memcpy(request->file.bytes + request->begin, header, sizeof *header);
}

static void append_program(void *context, const struct input *input, const struct input_list *list, size_t at)
{
    static uint8_t bytes[PROGRAM_BYTES];
    struct request *request = context;
    uint32_t size = (uint32_t)program_encode(&input->program, bytes, sizeof bytes);

    if (!size) {
        request->status = tool_error("%s: does not fit into a binary program", list->path[at]);
        return;
    }
    size_t so_far = request->file.size - request->begin;
    if (request->header.count == request->options->programs ||
        so_far + sizeof size + size > BATCH_REQUEST_BYTES) {
        end_request(request);
        begin_request(request);
    }
    uint8_t *to = buffer_extend(&request->file, sizeof size + size);
    memcpy(to, &size, sizeof size);
    memcpy(to + sizeof size, bytes, size);
    request->header.count++;
}

static int write_requests(const struct options *options, int count, char **arguments)
{
    struct request request = {.options = options};
    struct input_list list = {0};
    int status = 0;

    if (!options->output)
        return tool_error("batch write: -o REQUEST says where to");
    if (options->function != BATCH_RUN && count)
        return tool_error("batch write: %s takes no program", function_names[options->function]);
    if (options->function == BATCH_RUN)
        status = input_list_make(&list, count, arguments);
    if (status)
        return status;
    begin_request(&request);
    status = input_each(&list, options->lenient, append_program, &request);
    end_request(&request);
    if (!status)
        status = request.status;
    if (!status)
        status = tool_write_file(options->output, request.file.bytes, request.file.size);
    free(request.file.bytes);
    input_list_free(&list);
    return status;
}

/* -- run ---------------------------------------------------------------------------------------- */

static int answer(struct batch *batch, const char *path, size_t at, const uint8_t *message,
                  const struct batch_header *header, struct buffer *replies)
{
    if (header->reply_bytes > BATCH_REPLY_BYTES)
        return tool_error("%s: byte %zu: %s", path, at, batch_status_sentence(BATCH_NO_ROOM));
    struct batch_call call = {.request = message, .request_bytes = header->bytes};
    size_t before = replies->size;
    call.reply_room = header->reply_bytes;
    call.reply = buffer_extend(replies, header->reply_bytes);
    enum batch_status status = batch_call(batch, &call);
    replies->size = before + call.reply_bytes;
    if (status == BATCH_NO_MEMORY)
        return tool_error("no memory");
    return status == BATCH_DONE ? 0 : tool_error("%s: byte %zu: %s", path, at, batch_status_sentence(status));
}

static int run_requests(const struct options *options, int count, char **arguments)
{
    static const struct batch_options batch_options = {.host = "user"};
    struct buffer requests = {0}, replies = {0};
    struct batch_header header;
    const uint8_t *message;
    int status;

    if (!options->output)
        return tool_error("batch run: -o REPLY says where to");
    if (count != 1)
        return tool_error("batch run: takes one file of requests");
    status = buffer_read_file(arguments[0], &requests);
    struct batch *batch = status ? NULL : batch_create(&batch_options);
    if (!status && !batch)
        status = tool_error("no memory");
    for (size_t at = 0;
         !status && (message = batch_next_message(arguments[0], &requests, at, &header, &status));
         at += header.bytes)
        status = answer(batch, arguments[0], at, message, &header, &replies);
    if (!status)
        status = tool_write_file(options->output, replies.bytes, replies.size);
    batch_destroy(batch);
    free(requests.bytes);
    free(replies.bytes);
    return status;
}

/* -- serve ---------------------------------------------------------------------------------------- */

/* The next message of standard input into `request`; 0 at the end, -1 when it is bad. */
static long next_request(uint8_t *request, struct batch_header *header)
{
    size_t got = fread(request, 1, sizeof *header, stdin);

    if (got == 0 && feof(stdin))
        return 0;
    memcpy(header, request, sizeof *header);
    if (got != sizeof *header || header->bytes < got || header->bytes > BATCH_REQUEST_BYTES ||
        header->reply_bytes > BATCH_REPLY_BYTES)
        return -1;
    got += fread(request + got, 1, header->bytes - got, stdin);
    return got == header->bytes ? (long)got : -1;
}

static int serve_requests(const struct options *options, int count, char **arguments)
{
    static const struct batch_options batch_options = {.host = "user"};
    static uint8_t request[BATCH_REQUEST_BYTES];
    struct batch *batch = batch_create(&batch_options);
    struct buffer reply = {0};
    struct batch_header header;
    int status = 0;
    long bytes = 0;

    (void)options;
    if (count)
        status = tool_error("batch serve: takes no file: '%s'", arguments[0]);
    else if (!batch)
        status = tool_error("no memory");
    while (!status && (bytes = next_request(request, &header)) > 0) {
        reply.size = 0;
        status = answer(batch, "standard input", 0, request, &header, &reply);
        if (!status && (fwrite(reply.bytes, 1, reply.size, stdout) != reply.size || fflush(stdout) != 0))
            status = tool_error("standard output: cannot be written: %s", strerror(errno));
    }
    if (!status && bytes < 0)
        status = tool_error("standard input: cut off, or no message of dxgkmem");
    batch_destroy(batch);
    free(reply.bytes);
    return status;
}

/* -- the verb --------------------------------------------------------------------------------------- */

static bool take_function(void *context, const char *name)
{
    struct options *options = context;

    for (unsigned i = BATCH_QUERY; i < BATCH_FUNCTIONS; i++) {
        if (strcmp(name, function_names[i]) == 0) {
            options->function = (uint16_t)i;
            return true;
        }
    }
    tool_error("--function takes run, query, coverage or reset, not '%s'", name);
    return false;
}

/* 0, -1 when help was printed, or TOOL_BAD. */
static int parse(int count, char **arguments, struct options *options)
{
    bool trace = false, clear = false;
    const struct tool_option table[] = {
        {.name = "output", .letter = 'o', .text = &options->output},
        {.name = "function", .take = take_function, .context = options},
        {.name = "trace", .flag = &trace},
        {.name = "clear", .flag = &clear},
        {.name = "programs", .number = &options->programs, .least = 1, .most = BATCH_PROGRAMS},
        {.name = "lenient", .flag = &options->lenient},
        {.name = "golden", .text = &options->golden},
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status;
    if (trace && options->function != BATCH_RUN)
        return tool_error("--trace belongs to --function run");
    if (clear && options->function != BATCH_COVERAGE)
        return tool_error("--clear belongs to --function coverage");
    options->flags = (trace ? BATCH_FLAG_TRACE : 0u) | (clear ? BATCH_FLAG_CLEAR : 0u);
    return 0;
}

static int read_replies(const struct options *options, int count, char **arguments)
{
    return batch_read_replies(options->golden, options->lenient, count, arguments);
}

int verb_batch(int count, char **arguments)
{
    static const struct {
        const char *name;
        int (*run)(const struct options *options, int count, char **arguments);
    } steps[] = {
        {"write", write_requests}, {"run", run_requests}, {"serve", serve_requests}, {"read", read_replies}};
    struct options options = {.function = BATCH_RUN, .programs = BATCH_PROGRAMS};
    int status = parse(count, arguments, &options);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (optind == count)
        return tool_error("batch: write, run, serve or read? dxgkmem batch --help says what they do");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(arguments[optind], steps[i].name) == 0)
            return steps[i].run(&options, count - optind - 1, arguments + optind + 1);
    return tool_error("batch: there is write, run, serve and read, not '%s'", arguments[optind]);
}
