/* SPDX-License-Identifier: MIT */
/*
 * How much stack a request takes in all: kernels have 12 to 24 KiB of it, of which a driver gets what its
 * callers leave. Made-up programs run on a stack of our own that was painted before; the deepest byte
 * that changed tells. Sanitizers and -O0 make other frames: there it only has to run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <pthread.h>

#include <cmocka.h>

#include "driver/batch.h"
#include "engine/engine.h"

#define STACK_BYTES (512u * 1024)
#define ALLOWED 6144u
#define PROGRAMS 400u
#define PAINT 0x5a

static struct program program;
static uint8_t request[BATCH_REQUEST_BYTES], reply[BATCH_REPLY_BYTES];
static struct batch_call call = {.request = request, .reply = reply, .reply_room = sizeof reply};
static struct batch *batch;
static enum batch_status status;

static void make_request(void)
{
    struct batch_header header = {.magic = BATCH_MAGIC,
                                  .version = BATCH_VERSION,
                                  .function = BATCH_RUN,
                                  .flags = BATCH_FLAG_TRACE,
                                  .language = PROGRAM_VERSION,
                                  .count = PROGRAMS,
                                  .reply_bytes = sizeof reply};
    size_t at = sizeof header;

    for (unsigned seed = 1; seed <= PROGRAMS; seed++) {
        engine_generate(&program, seed, 64);
        uint32_t length =
            (uint32_t)program_encode(&program, request + at + 4, sizeof request - at - sizeof length);
        assert_true(length > 0);
        memcpy(request + at, &length, sizeof length);
        at += sizeof length + length;
    }
    header.bytes = (uint32_t)at;
    memcpy(request, &header, sizeof header);
    call.request_bytes = at;
}

static void *run(void *deep)
{
    if (deep)
        status = batch_call(batch, &call);
    return NULL;
}

/* The bytes of stack that a thread takes, with or without the request in it. */
static size_t measure(void *deep)
{
    uint8_t *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_t thread;
    size_t clean = 0;

    assert_true(stack != MAP_FAILED);
    memset(stack, PAINT, STACK_BYTES);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run, deep), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    while (clean < STACK_BYTES && stack[clean] == PAINT)
        clean++;
    pthread_attr_destroy(&attributes);
    munmap(stack, STACK_BYTES);
    return STACK_BYTES - clean;
}

static void test_stack(void **state)
{
    static const struct batch_options options = {.host = "user"};

    (void)state;
    make_request();
    batch = batch_create(&options);
    assert_non_null(batch);
    size_t empty = measure(NULL), deep = measure(batch);
    assert_int_equal(status, BATCH_DONE);
    batch_destroy(batch);
    print_message("a request takes %zu bytes of stack\n", deep - empty);
#if defined(__OPTIMIZE__) && defined(FRAMES_COUNT)
    assert_in_range(deep - empty, 512, ALLOWED);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stack)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
