/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever bytes a client gives to a driver's device, the answer is a status or a reply within
 * the room for it; nothing beside the reply is written, nothing uninitialised comes back, the same
 * request gets the same reply, and the device goes on working.
 *
 * Input: one byte that says how much room the reply has (128 bytes for each), then the request.
 */
#include "driver/batch.h"
#include "targets/target.h"

#include <dxgkmem/user.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_UNIT 128
#define ROOM_MOST ((size_t)UINT8_MAX * ROOM_UNIT)
#define BESIDE 64

static uint8_t counters[100];
static struct batch *batch;
static uint8_t reply[ROOM_MOST + BESIDE], again[ROOM_MOST + BESIDE];

static void broken(const char *what)
{
    fprintf(stderr, "\nfinding: %s\n", what);
    abort();
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const struct batch_options options = {
        .host = "user", .coverage = counters, .coverage_bytes = sizeof counters};

    (void)count;
    (void)arguments;
    batch = target_made(batch_create(&options));
    return 0;
}

/* What was reached is as new: whether a program brings news depends on it. */
static void forget_coverage(void)
{
    static uint8_t room[sizeof(struct batch_header) + sizeof counters];
    const struct batch_header header = {.magic = BATCH_MAGIC,
                                        .version = BATCH_VERSION,
                                        .function = BATCH_COVERAGE,
                                        .flags = BATCH_FLAG_CLEAR,
                                        .bytes = sizeof header,
                                        .reply_bytes = sizeof room};
    struct batch_call call = {
        .request = &header, .request_bytes = sizeof header, .reply = room, .reply_room = sizeof room};

    if (batch_call(batch, &call) != BATCH_DONE)
        broken("coverage cannot be read");
}

/* Fills what may be written with `pattern` and what may not with its opposite. */
static enum batch_status give(const uint8_t *bytes, size_t size, uint8_t *to, size_t room, uint8_t pattern,
                              size_t *written)
{
    struct batch_call call = {.request = bytes, .request_bytes = size, .reply = to, .reply_room = room};
    const uint8_t beside = pattern ^ 0xff;

    dxgkmem_user_seed(1); /* the same handles, whatever ran before */
    forget_coverage();
    memset(to, pattern, room);
    memset(to + room, beside, BESIDE);
    memset(counters, 1, sizeof counters);
    enum batch_status status = batch_call(batch, &call);
    for (size_t i = 0; i < BESIDE; i++)
        if (to[room + i] != beside)
            broken("something beside the reply was written");
    *written = call.reply_bytes;
    return status;
}

static void check_reply(size_t written, size_t room)
{
    struct batch_header header;

    if (written > room || written < sizeof header)
        broken("the reply is shorter than its header or longer than its room");
    memcpy(&header, reply, sizeof header);
    if (header.magic != BATCH_MAGIC || header.version != BATCH_VERSION || header.bytes != written)
        broken("the reply's header is wrong");
    if (header.function != BATCH_RUN)
        return;
    size_t at = sizeof header;
    for (uint32_t i = 0; i < header.count; i++) {
        struct batch_result result;

        if (written - at < sizeof result)
            broken("a result is cut off");
        memcpy(&result, reply + at, sizeof result);
        at += sizeof result;
        if (result.trace_bytes > written - at)
            broken("a trace is longer than the reply");
        at += result.trace_bytes;
        if (result.invariant) {
            fprintf(stderr, "\nfinding: invariant %u: %.*s\n", result.invariant, (int)sizeof result.message,
                    result.message);
            abort();
        }
    }
    if (at != written)
        broken("something is behind the last result");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t written, written_again;

    if (size < 1)
        return 0;
    size_t room = (size_t)bytes[0] * ROOM_UNIT;
    enum batch_status status = give(bytes + 1, size - 1, reply, room, 0x5a, &written);
    if (status == BATCH_BUSY || status == BATCH_CANCELLED || status == BATCH_NO_MEMORY)
        broken("a status that has no cause here");
    if (status == BATCH_DONE)
        check_reply(written, room);
    else if (written != 0)
        broken("a refused request has a reply");
    /* The pattern shows through where nothing was written. */
    if (give(bytes + 1, size - 1, again, room, 0xa5, &written_again) != status || written_again != written ||
        memcmp(reply, again, written) != 0)
        broken("the same request was answered in another way");
    return 0;
}
