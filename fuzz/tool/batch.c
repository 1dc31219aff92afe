/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem batch: requests for the drivers' devices as files, and what came back.
 *
 * Writes programs into requests, answers requests in this process as a driver would, and compares
 * replies with what the same programs do in this process.
 */
#include "tool/golden.h"
#include "tool/input.h"
#include "tool/report.h"
#include "tool/tool.h"

#include "driver/batch.h"
#include "program/runner.h"

#include <dxgkmem/user.h>

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

/* Longer than any file of requests or replies that makes sense. */
#define FILE_BYTES ((size_t)1 << 30)

static struct input input;
static const char *const function_names[BATCH_FUNCTIONS] = {
    [BATCH_QUERY] = "query", [BATCH_RUN] = "run", [BATCH_COVERAGE] = "coverage", [BATCH_RESET] = "reset"};

struct options {
    const char *output, *golden;
    uint16_t function;
    uint32_t flags, programs;
    bool lenient;
};

/* -- bytes that grow, and files of messages ------------------------------------------------- */

struct buffer {
    uint8_t *bytes;
    size_t size, room;
};

/* Room for so many more bytes, at the end. */
static uint8_t *buffer_extend(struct buffer *buffer, size_t more)
{
    if (more > buffer->room - buffer->size) {
        size_t room = 2 * (buffer->size + more);
        uint8_t *bytes = tool_alloc(room);
        if (buffer->size)
            memcpy(bytes, buffer->bytes, buffer->size);
        free(buffer->bytes);
        buffer->bytes = bytes;
        buffer->room = room;
    }
    buffer->size += more;
    return buffer->bytes + buffer->size - more;
}

static int read_file(const char *path, struct buffer *buffer)
{
    FILE *file = fopen(path, "rb");
    size_t got = 1;

    while (file && got && buffer->size < FILE_BYTES) {
        uint8_t *to = buffer_extend(buffer, 65536);
        got = fread(to, 1, 65536, file);
        buffer->size -= 65536 - got;
    }
    if (!file || ferror(file)) {
        tool_error("%s: cannot be read: %s", path, strerror(errno));
        if (file)
            fclose(file);
        return TOOL_BAD;
    }
    fclose(file);
    if (buffer->size >= FILE_BYTES)
        return tool_error("%s: too large", path);
    return buffer->size ? 0 : tool_error("%s: empty", path);
}

/*
 * The message at `at`, whose header is checked as far as finding its end needs. NULL at the end of
 * the file, and when it is bad: then *status is TOOL_BAD, and it was said why.
 */
static const uint8_t *next_message(const char *path, const struct buffer *file, size_t at,
                                   struct batch_header *header, int *status)
{
    size_t left = file->size - at;

    if (left == 0)
        return NULL;
    if (left >= sizeof *header)
        memcpy(header, file->bytes + at, sizeof *header);
    if (left < sizeof *header)
        *status = tool_error("%s: byte %zu: cut off within a header", path, at);
    else if (header->magic != BATCH_MAGIC)
        *status = tool_error("%s: byte %zu: no message of dxgkmem begins here", path, at);
    else if (header->bytes < sizeof *header || header->bytes > left)
        *status = tool_error("%s: byte %zu: cut off: a message of %" PRIu32 " bytes, and %zu are left", path,
                             at, header->bytes, left);
    else
        return file->bytes + at;
    return NULL;
}

/* -- write ------------------------------------------------------------------------------------ */

/* The request that is being filled; programs too many or too long for one begin the next. */
struct request {
    struct buffer file;
    size_t begin; /* of the present request in the file */
    struct batch_header header;
};

static void begin_request(struct request *request, const struct options *options)
{
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

static int append_program(struct request *request, const struct options *options, const char *path)
{
    static uint8_t bytes[PROGRAM_BYTES];
    int status = input_read(&input, path, options->lenient);

    if (status)
        return status;
    uint32_t size = (uint32_t)program_encode(&input.program, bytes, sizeof bytes);
    if (!size)
        return tool_error("%s: does not fit into a binary program", path);
    size_t so_far = request->file.size - request->begin;
    if (request->header.count == options->programs || so_far + sizeof size + size > BATCH_REQUEST_BYTES) {
        end_request(request);
        begin_request(request, options);
    }
    uint8_t *to = buffer_extend(&request->file, sizeof size + size);
    memcpy(to, &size, sizeof size);
    memcpy(to + sizeof size, bytes, size);
    request->header.count++;
    return 0;
}

static int write_requests(const struct options *options, int count, char **arguments)
{
    struct request request = {.begin = 0};
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
    begin_request(&request, options);
    for (size_t i = 0; i < list.count; i++)
        status |= append_program(&request, options, list.path[i]);
    end_request(&request);
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
    status = read_file(arguments[0], &requests);
    struct batch *batch = status ? NULL : batch_create(&batch_options);
    if (!status && !batch)
        status = tool_error("no memory");
    for (size_t at = 0; !status && (message = next_message(arguments[0], &requests, at, &header, &status));
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

/* -- read ----------------------------------------------------------------------------------------- */

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

static int read_replies(const struct options *options, int count, char **arguments)
{
    struct reading reading = {.lenient = options->lenient};
    const struct runner_options runner_options = {.event = take_event, .event_context = &reading};
    struct buffer replies = {0};
    struct batch_header header;
    const uint8_t *message;
    int status;

    if (count < 1)
        return tool_error("batch read: takes a file of replies, and the programs that were written");
    reading.path = arguments[0];
    status = read_file(reading.path, &replies);
    if (!status && count > 1)
        status = input_list_make(&reading.list, count - 1, arguments + 1);
    if (!status && options->golden && !(reading.golden = golden_open(options->golden, false)))
        status = TOOL_BAD;
    if (!status && !(reading.runner = runner_create(&runner_options)))
        status = tool_error("no memory");
    for (size_t at = 0; !status && (message = next_message(reading.path, &replies, at, &header, &status));
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

/* -- the verb --------------------------------------------------------------------------------------- */

static bool find_function(const char *name, uint16_t *function)
{
    for (uint16_t i = BATCH_QUERY; i < BATCH_FUNCTIONS; i++) {
        if (strcmp(name, function_names[i]) == 0) {
            *function = i;
            return true;
        }
    }
    return false;
}

/* 0, -1 when help was printed, or TOOL_BAD. */
static int parse(int count, char **arguments, struct options *options)
{
    enum { FUNCTION = 256, TRACE, CLEAR, PROGRAMS, LENIENT, GOLDEN, HELP };
    static const struct option table[] = {
        {"output", required_argument, NULL, 'o'},
        {"function", required_argument, NULL, FUNCTION},
        {"trace", no_argument, NULL, TRACE},
        {"clear", no_argument, NULL, CLEAR},
        {"programs", required_argument, NULL, PROGRAMS},
        {"lenient", no_argument, NULL, LENIENT},
        {"golden", required_argument, NULL, GOLDEN},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    uint64_t number;
    int option;

    while ((option = getopt_long(count, arguments, "o:", table, NULL)) != -1) {
        switch (option) {
        case 'o':
            options->output = optarg;
            break;
        case FUNCTION:
            if (!find_function(optarg, &options->function))
                return tool_error("--function takes run, query, coverage or reset, not '%s'", optarg);
            break;
        case TRACE:
            options->flags |= BATCH_FLAG_TRACE;
            break;
        case CLEAR:
            options->flags |= BATCH_FLAG_CLEAR;
            break;
        case PROGRAMS:
            if (!tool_number(optarg, BATCH_PROGRAMS, &number) || number == 0)
                return tool_error("--programs takes a number from 1 to %u, not '%s'", BATCH_PROGRAMS, optarg);
            options->programs = (uint32_t)number;
            break;
        case LENIENT:
            options->lenient = true;
            break;
        case GOLDEN:
            options->golden = optarg;
            break;
        case HELP:
            fputs(help, stdout);
            return -1;
        default:
            return TOOL_BAD;
        }
    }
    if ((options->flags & BATCH_FLAG_TRACE) && options->function != BATCH_RUN)
        return tool_error("--trace belongs to --function run");
    if ((options->flags & BATCH_FLAG_CLEAR) && options->function != BATCH_COVERAGE)
        return tool_error("--clear belongs to --function coverage");
    return 0;
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
