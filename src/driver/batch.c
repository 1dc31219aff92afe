/* SPDX-License-Identifier: MIT */
/*
 * Implements batch.h. Everything of a request is checked before the first
 * program runs; from then on only the client's going away ends it early.
 */
#include "batch.h"

#include "program/bytes.h"
#include "program/runner.h"

#include <dxgkmem/host.h>

/* A line of a trace at its longest is below this. */
#define LINE_BYTES 1024

struct batch {
    struct batch_options options;
    struct runner *runner;
    unsigned busy;
    uint8_t *seen; /* of each counter, a bit for each power of two that it ever reached; NULL: no counters */

    /* the call under way: too large for the stack */
    struct program program;
    struct runner_result result;
    struct batch_result record;
    char line[LINE_BYTES];

    /* where the trace of the program goes */
    uint8_t *trace;
    size_t trace_room;
};

/* What each function takes. */
static const struct {
    uint32_t flags;
    bool programs;
} functions[BATCH_FUNCTIONS] = {
    [BATCH_QUERY] = {0, false},
    [BATCH_RUN] = {BATCH_FLAG_TRACE | BATCH_FLAG_NEWS, true},
    [BATCH_COVERAGE] = {BATCH_FLAG_CLEAR, false},
    [BATCH_RESET] = {0, false},
};

const char *batch_status_sentence(enum batch_status status)
{
    static const char *const sentences[BATCH_STATUS_COUNT] = {
#define SENTENCE(constant, sentence) [BATCH_##constant] = (sentence),
        BATCH_STATUSES(SENTENCE)
#undef SENTENCE
    };

    return (unsigned)status < BATCH_STATUS_COUNT ? sentences[status] : "an unknown status";
}

/* -- checking ----------------------------------------------------------------------------- */

/* What the reply has at least. */
static size_t reply_least(const struct batch *batch, const struct batch_header *header)
{
    switch (header->function) {
    case BATCH_QUERY:
        return sizeof(struct batch_header) + sizeof(struct batch_limits);
    case BATCH_RUN:
        return sizeof(struct batch_header) + (size_t)header->count * sizeof(struct batch_result);
    case BATCH_COVERAGE:
        return sizeof(struct batch_header) + batch->options.coverage_bytes;
    default:
        return sizeof(struct batch_header);
    }
}

static enum batch_status check_header(const struct batch_call *call, struct batch_header *header)
{
    if (call->request_bytes < sizeof(*header))
        return BATCH_CUT_OFF;
    memcpy(header, call->request, sizeof(*header));
    if (header->magic != BATCH_MAGIC)
        return BATCH_BAD_MAGIC;
    if (header->version != BATCH_VERSION)
        return BATCH_BAD_VERSION;
    if (header->function < BATCH_QUERY || header->function >= BATCH_FUNCTIONS)
        return BATCH_BAD_FUNCTION;
    if ((header->flags & ~functions[header->function].flags) != 0)
        return BATCH_BAD_FLAGS;
    if (header->reserved != 0)
        return BATCH_BAD_RESERVED;
    if (header->bytes != call->request_bytes || header->bytes > BATCH_REQUEST_BYTES)
        return BATCH_BAD_LENGTH;
    if (header->reply_bytes > call->reply_room || header->reply_bytes > BATCH_REPLY_BYTES)
        return BATCH_NO_ROOM;
    return BATCH_DONE;
}

/* The length in front of a program; the program is behind it. */
static uint32_t program_length(const uint8_t *at)
{
    uint32_t length;

    memcpy(&length, at, sizeof(length));
    return length;
}

static enum batch_status check_programs(const uint8_t *at, size_t bytes, uint32_t count)
{
    for (; count != 0; count--) {
        uint32_t length;

        if (bytes < sizeof(length))
            return BATCH_BAD_PROGRAM;
        length = program_length(at);
        at += sizeof(length);
        bytes -= sizeof(length);
        if (length > PROGRAM_BYTES || length > bytes)
            return BATCH_BAD_PROGRAM;
        at += length;
        bytes -= length;
    }
    return bytes == 0 ? BATCH_DONE : BATCH_BAD_PROGRAM;
}

static enum batch_status check(const struct batch *batch, const struct batch_call *call,
                               struct batch_header *header)
{
    enum batch_status status = check_header(call, header);

    if (status != BATCH_DONE)
        return status;
    if (functions[header->function].programs) {
        if (header->language < 1 || header->language > PROGRAM_VERSION)
            return BATCH_BAD_LANGUAGE;
        if (header->count < 1 || header->count > BATCH_PROGRAMS)
            return BATCH_BAD_COUNT;
        status = check_programs((const uint8_t *)call->request + sizeof(*header),
                                call->request_bytes - sizeof(*header), header->count);
        if (status != BATCH_DONE)
            return status;
    } else {
        if (header->language != 0)
            return BATCH_BAD_LANGUAGE;
        if (header->count != 0)
            return BATCH_BAD_COUNT;
        if (header->bytes != sizeof(*header))
            return BATCH_BAD_LENGTH;
    }
    return header->reply_bytes < reply_least(batch, header) ? BATCH_NO_ROOM : BATCH_DONE;
}

/* -- the functions ---------------------------------------------------------------------------- */

static void write_reply_header(struct batch_call *call, const struct batch_header *request, size_t bytes)
{
    const struct batch_header reply = {
        .magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .function = request->function,
        .count = request->count,
        .bytes = (uint32_t)bytes,
    };

    memcpy(call->reply, &reply, sizeof(reply));
    call->reply_bytes = bytes;
}

/* Copies a text into a field whose rest is 0. */
static void write_field(char *field, size_t room, const char *text)
{
    size_t length = 0;

    while (length + 1 < room && text[length] != '\0')
        length++;
    memcpy(field, text, length);
    memset(field + length, 0, room - length);
}

static void query(const struct batch *batch, struct batch_call *call, const struct batch_header *header)
{
    struct batch_limits limits = {
        .language = PROGRAM_VERSION,
        .programs = BATCH_PROGRAMS,
        .program_bytes = PROGRAM_BYTES,
        .request_bytes = BATCH_REQUEST_BYTES,
        .reply_bytes = BATCH_REPLY_BYTES,
        .coverage_bytes = (uint32_t)batch->options.coverage_bytes,
        .pointer_bits = 8 * sizeof(void *),
    };

    write_field(limits.host, sizeof(limits.host), batch->options.host);
    memcpy((uint8_t *)call->reply + sizeof(*header), &limits, sizeof(limits));
    write_reply_header(call, header, sizeof(*header) + sizeof(limits));
}

static void clear_coverage(struct batch *batch)
{
    for (size_t i = 0; i < batch->options.coverage_bytes; i++) {
        __atomic_store_n(&batch->options.coverage[i], 0, __ATOMIC_RELAXED);
        batch->seen[i] = 0;
    }
}

static void coverage(struct batch *batch, struct batch_call *call, const struct batch_header *header)
{
    uint8_t *to = (uint8_t *)call->reply + sizeof(*header);
    size_t bytes = batch->options.coverage_bytes;

    for (size_t i = 0; i < bytes; i++)
        to[i] = __atomic_load_n(&batch->options.coverage[i], __ATOMIC_RELAXED) | batch->seen[i];
    if ((header->flags & BATCH_FLAG_CLEAR) != 0)
        clear_coverage(batch);
    write_reply_header(call, header, sizeof(*header) + bytes);
}

/* Takes the counters into `seen` and clears them; whether that was new. */
static bool take_news(struct batch *batch)
{
    bool news = false;

    for (size_t i = 0; i < batch->options.coverage_bytes; i++) {
        uint8_t count = __atomic_load_n(&batch->options.coverage[i], __ATOMIC_RELAXED);

        if (count != 0) {
            __atomic_store_n(&batch->options.coverage[i], 0, __ATOMIC_RELAXED);
            uint8_t bit = (uint8_t)(1u << (31 - __builtin_clz(count)));
            news = news || (batch->seen[i] & bit) == 0;
            batch->seen[i] |= bit;
        }
    }
    return news;
}

/* An event as a line; the first one without room ends the text. */
static void take_event(void *context, const struct program *program, const struct runner_event *event)
{
    struct batch *batch = context;
    size_t length;

    if (batch->trace == NULL)
        return;
    length = trace_print(program, event, batch->line, sizeof(batch->line) - 1);
    if (length > sizeof(batch->line) - 2)
        length = sizeof(batch->line) - 2;
    batch->line[length++] = '\n';
    if (length > batch->trace_room - batch->record.trace_bytes) {
        batch->record.flags |= BATCH_RESULT_TRACE_CUT;
        batch->trace = NULL;
        return;
    }
    memcpy(batch->trace + batch->record.trace_bytes, batch->line, length);
    batch->record.trace_bytes += (uint32_t)length;
}

/* trace: room for text behind the record, or NULL. Leaves the result in batch->record. */
static void run_program(struct batch *batch, const uint8_t *bytes, size_t size, uint8_t *trace, size_t room)
{
    struct batch_result *record = &batch->record;
    const struct runner_finding *finding = &batch->result.finding;

    record->trace_bytes = record->flags = 0;
    batch->trace = trace;
    batch->trace_room = room;
    program_decode(&batch->program, bytes, size);
    runner_run(batch->runner, &batch->program, &batch->result);
    batch->trace = NULL;
    record->trace_hash = batch->result.trace_hash;
    record->invariant = finding->invariant;
    record->line = finding->invariant != 0 ? finding->line : 0;
    record->callbacks = batch->result.callbacks;
    record->successes = batch->result.successes;
    write_field(record->message, sizeof(record->message), finding->invariant != 0 ? finding->message : "");
}

static enum batch_status run(struct batch *batch, struct batch_call *call, const struct batch_header *header)
{
    const uint8_t *from = (const uint8_t *)call->request + sizeof(*header);
    uint8_t *begin = call->reply, *to = begin + sizeof(*header);

    for (uint32_t left = header->count; left != 0; left--) {
        uint32_t length = program_length(from);
        /* The results of those that are still to come fit in any case. */
        size_t room = header->reply_bytes - (size_t)(to - begin) - left * sizeof(struct batch_result);
        uint8_t *trace = (header->flags & BATCH_FLAG_TRACE) != 0 ? to + sizeof(struct batch_result) : NULL;

        if (call->proceed != NULL && !call->proceed(call->context))
            return BATCH_CANCELLED;
        from += sizeof(length);
        run_program(batch, from, length, trace, room);
        if ((header->flags & BATCH_FLAG_NEWS) != 0 && take_news(batch))
            batch->record.flags |= BATCH_RESULT_NEWS;
        from += length;
        memcpy(to, &batch->record, sizeof(batch->record));
        to += sizeof(batch->record) + batch->record.trace_bytes;
    }
    write_reply_header(call, header, (size_t)(to - begin));
    return BATCH_DONE;
}

static bool make_runner(struct batch *batch)
{
    const struct runner_options options = {
        .event = take_event,
        .event_context = batch,
        .cell = batch->options.cell,
        .cell_context = batch->options.cell_context,
        .refusals = batch->options.refusals,
    };

    if (batch->runner == NULL)
        batch->runner = runner_create(&options);
    return batch->runner != NULL;
}

static enum batch_status reset(struct batch *batch, struct batch_call *call,
                               const struct batch_header *header)
{
    runner_destroy(batch->runner);
    batch->runner = NULL;
    clear_coverage(batch);
    write_reply_header(call, header, sizeof(*header));
    return BATCH_DONE;
}

/* The functions of which one at a time is under way. */
static enum batch_status call_alone(struct batch *batch, struct batch_call *call,
                                    const struct batch_header *header)
{
    switch (header->function) {
    case BATCH_RUN:
        return make_runner(batch) ? run(batch, call, header) : BATCH_NO_MEMORY;
    case BATCH_COVERAGE:
        coverage(batch, call, header);
        return BATCH_DONE;
    default:
        return reset(batch, call, header);
    }
}

enum batch_status batch_call(struct batch *batch, struct batch_call *call)
{
    struct batch_header header;
    enum batch_status status;

    call->reply_bytes = 0;
    status = check(batch, call, &header);
    if (status != BATCH_DONE)
        return status;
    if (header.function == BATCH_QUERY) {
        query(batch, call, &header);
        return BATCH_DONE;
    }
    if (__atomic_exchange_n(&batch->busy, 1, __ATOMIC_ACQUIRE) != 0)
        return BATCH_BUSY;
    status = call_alone(batch, call, &header);
    __atomic_store_n(&batch->busy, 0, __ATOMIC_RELEASE);
    return status;
}

/* -- making one ---------------------------------------------------------------------------------- */

struct batch *batch_create(const struct batch_options *options)
{
    struct batch *batch = dxgkmem_host_alloc(sizeof(*batch));

    if (batch == NULL)
        return NULL;
    batch->options = *options;
    if (options->coverage_bytes != 0) {
        batch->seen = dxgkmem_host_alloc(options->coverage_bytes);
        if (batch->seen == NULL) {
            dxgkmem_host_free(batch, sizeof(*batch));
            return NULL;
        }
    }
    return batch;
}

void batch_destroy(struct batch *batch)
{
    if (batch == NULL)
        return;
    runner_destroy(batch->runner);
    if (batch->seen != NULL)
        dxgkmem_host_free(batch->seen, batch->options.coverage_bytes);
    dxgkmem_host_free(batch, sizeof(*batch));
}
