/* SPDX-License-Identifier: MIT */
/*
 * The requests that drivers take: every field at and beyond its bounds, lengths at every boundary, and
 * that what a request's programs do is what they do without a driver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "driver/batch.h"
#include "program/runner.h"

#define ROOM 65536u

static const char good_text[] = "add d0\n"
                                "create o0 a0 adapter=d0 type=mdl size=0x3000\n"
                                "adl l0 a0 size=0x2000\n"
                                "free_adl a0 l0\n"
                                "close a0\n"
                                "destroy o0\n";

static uint8_t counters[64];
static struct batch *batch;
static uint8_t request[ROOM], *reply;
static size_t request_bytes;
static unsigned calls_left; /* until the client goes away */

static struct batch_header *head(void)
{
    return (struct batch_header *)(void *)request;
}

static int set_up(void **state)
{
    static const struct batch_options options = {
        .host = "user", .coverage = counters, .coverage_bytes = sizeof counters};

    (void)state;
    memset(counters, 0, sizeof counters);
    batch = batch_create(&options);
    assert_non_null(batch);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    batch_destroy(batch);
    return 0;
}

static void begin(uint16_t function)
{
    *head() = (struct batch_header){.magic = BATCH_MAGIC,
                                    .version = BATCH_VERSION,
                                    .function = function,
                                    .bytes = sizeof(struct batch_header),
                                    .reply_bytes = ROOM};
    request_bytes = sizeof(struct batch_header);
}

static void append(const void *bytes, uint32_t size)
{
    memcpy(request + request_bytes, &size, sizeof size);
    if (size)
        memcpy(request + request_bytes + sizeof size, bytes, size);
    request_bytes += sizeof size + size;
    head()->bytes = (uint32_t)request_bytes;
    head()->count++;
    head()->language = PROGRAM_VERSION;
}

static void append_text(const char *text)
{
    static struct program program;
    static uint8_t bytes[PROGRAM_BYTES];

    assert_true(program_parse(&program, text, strlen(text), NULL));
    append(bytes, (uint32_t)program_encode(&program, bytes, sizeof bytes));
}

static bool proceed(void *context)
{
    (void)context;
    return calls_left-- != 0;
}

/*
 * Request and reply in blocks of their very size, so that a sanitizer sees what is beside them; both
 * off by one, as nobody promises their alignment.
 */
static enum batch_status give(size_t bytes, size_t room, size_t *written)
{
    uint8_t *copy = malloc(bytes + 1);
    struct batch_call call = {.request = copy + 1,
                              .request_bytes = bytes,
                              .reply_room = room,
                              .proceed = calls_left ? proceed : NULL};

    free(reply);
    reply = malloc(room + 1);
    assert_true(copy && reply);
    call.reply = reply + 1;
    memcpy(copy + 1, request, bytes);
    memset(reply, 0xa5, room + 1);
    enum batch_status status = batch_call(batch, &call);
    free(copy);
    if (status != BATCH_DONE)
        assert_int_equal(call.reply_bytes, 0);
    for (size_t i = call.reply_bytes; status != BATCH_CANCELLED && i < room; i++)
        assert_int_equal(reply[1 + i], 0xa5);
    if (written)
        *written = call.reply_bytes;
    return status;
}

static void expect(enum batch_status status)
{
    assert_string_equal(batch_status_sentence(give(request_bytes, ROOM, NULL)),
                        batch_status_sentence(status));
}

static struct batch_header reply_header(void)
{
    struct batch_header header;

    memcpy(&header, reply + 1, sizeof header);
    return header;
}

static struct batch_result result_at(size_t offset)
{
    struct batch_result result;

    memcpy(&result, reply + 1 + sizeof(struct batch_header) + offset, sizeof result);
    return result;
}

static struct runner_result run_here(const char *text)
{
    static const struct runner_options options;
    static struct program program;
    struct runner *runner = runner_create(&options);
    struct runner_result result;

    assert_non_null(runner);
    assert_true(program_parse(&program, text, strlen(text), NULL));
    runner_run(runner, &program, &result);
    runner_destroy(runner);
    return result;
}

/* -- what it answers ------------------------------------------------------------------- */

static void test_query(void **state)
{
    struct batch_limits limits;
    size_t written;

    (void)state;
    begin(BATCH_QUERY);
    assert_int_equal(give(request_bytes, ROOM, &written), BATCH_DONE);
    assert_int_equal(written, sizeof(struct batch_header) + sizeof limits);
    assert_int_equal(reply_header().bytes, written);
    assert_int_equal(reply_header().function, BATCH_QUERY);
    memcpy(&limits, reply + 1 + sizeof(struct batch_header), sizeof limits);
    assert_int_equal(limits.language, PROGRAM_VERSION);
    assert_int_equal(limits.programs, BATCH_PROGRAMS);
    assert_int_equal(limits.program_bytes, PROGRAM_BYTES);
    assert_int_equal(limits.request_bytes, BATCH_REQUEST_BYTES);
    assert_int_equal(limits.reply_bytes, BATCH_REPLY_BYTES);
    assert_int_equal(limits.coverage_bytes, sizeof counters);
    assert_int_equal(limits.pointer_bits, 8 * sizeof(void *));
    assert_string_equal(limits.host, "user");
}

static void test_run(void **state)
{
    struct runner_result here = run_here(good_text);
    struct batch_result result;
    size_t written;

    (void)state;
    begin(BATCH_RUN);
    append_text(good_text);
    append(NULL, 0);
    append_text(good_text);
    assert_int_equal(give(request_bytes, ROOM, &written), BATCH_DONE);
    assert_int_equal(written, sizeof(struct batch_header) + 3 * sizeof result);
    assert_int_equal(reply_header().count, 3);
    assert_int_equal(reply_header().bytes, written);
    for (size_t i = 0; i < 3; i += 2) {
        result = result_at(i * sizeof result);
        assert_int_equal(result.trace_hash, here.trace_hash);
        assert_int_equal(result.invariant, 0);
        assert_int_equal(result.callbacks, here.callbacks);
        assert_int_equal(result.successes, here.successes);
        assert_int_equal(result.trace_bytes, 0);
        for (unsigned k = 0; k < BATCH_MESSAGE_BYTES; k++)
            assert_int_equal(result.message[k], 0);
    }
    assert_true(here.successes > 4);
    assert_int_equal(result_at(sizeof result).callbacks, 0);
    assert_true(result_at(sizeof result).trace_hash != here.trace_hash);
}

static void test_trace(void **state)
{
    struct batch_result result;
    size_t written, whole;

    (void)state;
    begin(BATCH_RUN);
    append_text("add d0\nadd d1\n");
    append_text("add d0\n");
    head()->flags = BATCH_FLAG_TRACE;
    assert_int_equal(give(request_bytes, ROOM, &whole), BATCH_DONE);
    result = result_at(0);
    assert_int_equal(result.flags, 0);
    const char *text = (const char *)reply + 1 + sizeof(struct batch_header) + sizeof result;
    static const char begins[] = "add d0 -> STATUS_SUCCESS\nadd d1 -> STATUS_SUCCESS\nthe end -> done";
    assert_memory_equal(text, begins, sizeof begins - 1);
    assert_int_equal(text[result.trace_bytes - 1], '\n');
    struct batch_result second = result_at(sizeof result + result.trace_bytes);
    assert_int_equal(whole, sizeof(struct batch_header) + 2 * sizeof result + result.trace_bytes +
                                second.trace_bytes);

    /* With less room, whole lines go; the results stay, to the last byte. */
    for (size_t room = whole; room-- > sizeof(struct batch_header) + 2 * sizeof result;) {
        head()->reply_bytes = (uint32_t)room;
        assert_int_equal(give(request_bytes, room, &written), BATCH_DONE);
        assert_true(written <= room);
        struct batch_result cut = result_at(0);
        assert_int_equal(cut.trace_hash, result.trace_hash);
        assert_true(cut.trace_bytes <= result.trace_bytes);
        struct batch_result last = result_at(sizeof result + cut.trace_bytes);
        assert_int_equal(last.trace_hash, second.trace_hash);
        assert_true((cut.flags | last.flags) & BATCH_RESULT_TRACE_CUT);
    }
    head()->reply_bytes = (uint32_t)(sizeof(struct batch_header) + 2 * sizeof result - 1);
    expect(BATCH_NO_ROOM);
}

static void test_coverage_and_reset(void **state)
{
    size_t written;

    (void)state;
    memset(counters, 7, sizeof counters);
    begin(BATCH_COVERAGE);
    for (unsigned i = 0; i < 2; i++) {
        head()->flags = i ? BATCH_FLAG_CLEAR : 0;
        assert_int_equal(give(request_bytes, ROOM, &written), BATCH_DONE);
        assert_int_equal(written, sizeof(struct batch_header) + sizeof counters);
        for (size_t k = 0; k < sizeof counters; k++) {
            assert_int_equal(reply[1 + sizeof(struct batch_header) + k], 7);
            assert_int_equal(counters[k], i ? 0 : 7);
        }
    }
    head()->reply_bytes = (uint32_t)(sizeof(struct batch_header) + sizeof counters - 1);
    expect(BATCH_NO_ROOM);

    begin(BATCH_RUN);
    append_text(good_text);
    expect(BATCH_DONE);
    counters[3] = 1;
    begin(BATCH_RESET);
    expect(BATCH_DONE);
    assert_int_equal(counters[3], 0);
    begin(BATCH_RUN);
    append_text(good_text);
    expect(BATCH_DONE);
}

/* Between two programs the counters are what the driver's code makes of them. */
static bool reach(void *context)
{
    const uint8_t *count = context;

    counters[5] = count[calls_left++];
    return true;
}

static void test_news(void **state)
{
    /* What edge 5 counts in each program, and whether that is news. */
    static uint8_t counts[] = {1, 1, 2, 3, 4, 0, 255, 128, 7, 64};
    static const bool news[] = {true, false, true, false, true, false, true, false, false, true};
    static uint8_t out[ROOM];

    (void)state;
    begin(BATCH_RUN);
    for (size_t i = 0; i < sizeof counts; i++)
        append_text("add d0\n");
    head()->flags = BATCH_FLAG_NEWS;
    struct batch_call call = {.request = request,
                              .request_bytes = request_bytes,
                              .reply = out,
                              .reply_room = sizeof out,
                              .proceed = reach,
                              .context = counts};
    calls_left = 0;
    assert_int_equal(batch_call(batch, &call), BATCH_DONE);
    calls_left = 0;
    for (size_t i = 0; i < sizeof counts; i++) {
        struct batch_result result;
        memcpy(&result, out + sizeof(struct batch_header) + i * sizeof result, sizeof result);
        assert_int_equal(result.flags, news[i] ? BATCH_RESULT_NEWS : 0);
    }
    assert_int_equal(counters[5], 0);
    begin(BATCH_COVERAGE);
    head()->flags = BATCH_FLAG_CLEAR;
    expect(BATCH_DONE);
    assert_int_equal(reply[1 + sizeof(struct batch_header) + 5], 1 | 2 | 4 | 64 | 128);
    assert_int_equal(reply[1 + sizeof(struct batch_header) + 4], 0);
    expect(BATCH_DONE);
    assert_int_equal(reply[1 + sizeof(struct batch_header) + 5], 0);
}

/* -- what it refuses ------------------------------------------------------------------------ */

static void test_header(void **state)
{
    (void)state;
    for (unsigned function = BATCH_QUERY; function < BATCH_FUNCTIONS; function++) {
        struct batch_header good;

        begin((uint16_t)function);
        if (function == BATCH_RUN)
            append_text(good_text);
        good = *head();
        expect(BATCH_DONE);
#define WITH(field, value, status)                                                                           \
    head()->field = (value);                                                                                 \
    expect(status);                                                                                          \
    *head() = good
        WITH(magic, BATCH_MAGIC + 1, BATCH_BAD_MAGIC);
        WITH(magic, 0, BATCH_BAD_MAGIC);
        WITH(version, 0, BATCH_BAD_VERSION);
        WITH(version, BATCH_VERSION + 1, BATCH_BAD_VERSION);
        WITH(function, 0, BATCH_BAD_FUNCTION);
        WITH(function, BATCH_FUNCTIONS, BATCH_BAD_FUNCTION);
        WITH(function, 0xffff, BATCH_BAD_FUNCTION);
        WITH(flags, 8, BATCH_BAD_FLAGS);
        WITH(flags, function == BATCH_RUN ? BATCH_FLAG_CLEAR : BATCH_FLAG_TRACE, BATCH_BAD_FLAGS);
        WITH(flags, 0x80000000u, BATCH_BAD_FLAGS);
        WITH(language, function == BATCH_RUN ? 0 : 1, BATCH_BAD_LANGUAGE);
        WITH(language, PROGRAM_VERSION + 1, BATCH_BAD_LANGUAGE);
        WITH(count, function == BATCH_RUN ? 0 : 1, BATCH_BAD_COUNT);
        WITH(count, BATCH_PROGRAMS + 1, BATCH_BAD_COUNT);
        WITH(count, 0xffffffffu, BATCH_BAD_COUNT);
        WITH(bytes, good.bytes - 1, BATCH_BAD_LENGTH);
        WITH(bytes, good.bytes + 1, BATCH_BAD_LENGTH);
        WITH(bytes, 0, BATCH_BAD_LENGTH);
        WITH(bytes, 0xffffffffu, BATCH_BAD_LENGTH);
        WITH(reply_bytes, 0, BATCH_NO_ROOM);
        WITH(reply_bytes, ROOM + 1, BATCH_NO_ROOM);
        WITH(reply_bytes, 0xffffffffu, BATCH_NO_ROOM);
        WITH(reserved, 1, BATCH_BAD_RESERVED);
#undef WITH
        /* Cut anywhere. */
        for (size_t bytes = 0; bytes < request_bytes; bytes++) {
            enum batch_status status = give(bytes, ROOM, NULL);
            assert_int_equal(status, bytes < sizeof good ? BATCH_CUT_OFF : BATCH_BAD_LENGTH);
        }
        /* Something behind. */
        memset(request + request_bytes, 0, 4);
        assert_int_equal(give(request_bytes + 1, ROOM, NULL), BATCH_BAD_LENGTH);
        head()->bytes++;
        request_bytes++;
        expect(function == BATCH_RUN ? BATCH_BAD_PROGRAM : BATCH_BAD_LENGTH);
    }
}

static void test_programs(void **state)
{
    static uint8_t bytes[PROGRAM_BYTES + 1] = {PROGRAM_VERSION};
    uint32_t length;

    (void)state;
    begin(BATCH_RUN);
    append(bytes, PROGRAM_BYTES);
    expect(BATCH_DONE);
    begin(BATCH_RUN);
    append(bytes, PROGRAM_BYTES + 1);
    expect(BATCH_BAD_PROGRAM);

    /* The length of the last program, off by one and by everything. */
    begin(BATCH_RUN);
    append(bytes, 5);
    append(bytes, 7);
    expect(BATCH_DONE);
    static const uint32_t wrong[] = {0, 6, 8, 11, 12, PROGRAM_BYTES, 0x7fffffff, 0xfffffffc, 0xffffffff};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(request + sizeof(struct batch_header) + 4 + 5, &wrong[i], 4);
        expect(BATCH_BAD_PROGRAM);
    }
    length = 7;
    memcpy(request + sizeof(struct batch_header) + 4 + 5, &length, 4);
    expect(BATCH_DONE);
    head()->count = 1;
    expect(BATCH_BAD_PROGRAM);
    head()->count = 3;
    expect(BATCH_BAD_PROGRAM);
    /* The length itself is cut off. */
    head()->count = 3;
    for (uint32_t more = 1; more < 4; more++) {
        head()->bytes = (uint32_t)request_bytes + more;
        memset(request + request_bytes, 0, more);
        assert_int_equal(give(request_bytes + more, ROOM, NULL), BATCH_BAD_PROGRAM);
    }
    head()->bytes = (uint32_t)request_bytes + 4;
    memset(request + request_bytes, 0, 4);
    assert_int_equal(give(request_bytes + 4, ROOM, NULL), BATCH_DONE);
}

/* The limits of a message, from both sides. */
static void test_limits(void **state)
{
    size_t large = BATCH_REQUEST_BYTES + 1, room = BATCH_REPLY_BYTES + 1;
    uint8_t *bytes = calloc(1, large), *out = malloc(room);
    struct batch_header header = {.magic = BATCH_MAGIC,
                                  .version = BATCH_VERSION,
                                  .function = BATCH_RUN,
                                  .language = PROGRAM_VERSION,
                                  .count = BATCH_PROGRAMS,
                                  .bytes = sizeof header + 4 * BATCH_PROGRAMS,
                                  .reply_bytes = BATCH_REPLY_BYTES};
    struct batch_call call = {
        .request = bytes, .request_bytes = header.bytes, .reply = out, .reply_room = room};

    (void)state;
    assert_true(bytes && out);
    memcpy(bytes, &header, sizeof header);
    assert_int_equal(batch_call(batch, &call), BATCH_DONE);
    assert_int_equal(call.reply_bytes, sizeof header + BATCH_PROGRAMS * sizeof(struct batch_result));

    header.reply_bytes++;
    memcpy(bytes, &header, sizeof header);
    assert_int_equal(batch_call(batch, &call), BATCH_NO_ROOM);
    header.reply_bytes--;

    header.bytes = BATCH_REQUEST_BYTES;
    memcpy(bytes, &header, sizeof header);
    call.request_bytes = BATCH_REQUEST_BYTES;
    assert_int_equal(batch_call(batch, &call), BATCH_BAD_PROGRAM);
    header.bytes++;
    call.request_bytes++;
    memcpy(bytes, &header, sizeof header);
    assert_int_equal(batch_call(batch, &call), BATCH_BAD_LENGTH);
    free(bytes);
    free(out);
}

/* -- a client that goes, and two of them -------------------------------------------------------- */

static void test_cancelled(void **state)
{
    (void)state;
    for (unsigned after = 1; after <= 3; after++) {
        begin(BATCH_RUN);
        for (unsigned i = 0; i < 3; i++)
            append_text(good_text);
        calls_left = after;
        expect(after < 3 ? BATCH_CANCELLED : BATCH_DONE);
        calls_left = 0;
        expect(BATCH_DONE);
    }
}

/* A second request arrives while the first is between two programs. */
static bool another(void *context)
{
    struct batch_header query = {.magic = BATCH_MAGIC,
                                 .version = BATCH_VERSION,
                                 .function = BATCH_QUERY,
                                 .bytes = sizeof query,
                                 .reply_bytes = 256};
    uint8_t out[256];
    struct batch_call call = {
        .request = &query, .request_bytes = sizeof query, .reply = out, .reply_room = sizeof out};

    *(unsigned *)context += 1;
    assert_int_equal(batch_call(batch, &call), BATCH_DONE);
    query.function = BATCH_RESET;
    assert_int_equal(batch_call(batch, &call), BATCH_BUSY);
    query.function = BATCH_COVERAGE;
    assert_int_equal(batch_call(batch, &call), BATCH_BUSY);
    assert_int_equal(call.reply_bytes, 0);
    return true;
}

static void test_busy(void **state)
{
    static uint8_t out[ROOM];
    unsigned asked = 0;

    (void)state;
    begin(BATCH_RUN);
    append_text(good_text);
    append_text(good_text);
    struct batch_call call = {.request = request,
                              .request_bytes = request_bytes,
                              .reply = out,
                              .reply_room = sizeof out,
                              .proceed = another,
                              .context = &asked};
    assert_int_equal(batch_call(batch, &call), BATCH_DONE);
    assert_int_equal(asked, 2);
    expect(BATCH_DONE);
}

static void test_sentences(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BATCH_STATUS_COUNT; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(batch_status_sentence((enum batch_status)i),
                                    batch_status_sentence((enum batch_status)k));
    assert_string_equal(batch_status_sentence(BATCH_STATUS_COUNT), "an unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_query, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_coverage_and_reset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_news, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_programs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy, set_up, tear_down),
        cmocka_unit_test(test_sentences),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(reply);
    return failed;
}
