/* SPDX-License-Identifier: MIT */
/*
 * Failing allocations: each request is made again and again, and every time the next allocation of
 * the kernel on its way fails, until none is left. A program during which something failed must
 * end without a finding: the runner compares the state before and after each refused call. And
 * afterwards the same request must give the same reply as at first.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* More allocations than any program makes: then something allocates without end. */
#define FAILURES 20000u

static const char *const settings[] = {
    "/sys/kernel/debug/failslab/ignore-gfp-wait",  "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
    "/sys/kernel/debug/fail_page_alloc/min-order", "/sys/kernel/debug/failslab/verbose",
    "/sys/kernel/debug/fail_page_alloc/verbose",
};

/* All kinds of allocations, also those that may sleep; and without a stack trace of each. */
static void prepare(void)
{
    if (mount("none", "/sys/kernel/debug", "debugfs", 0, NULL) != 0)
        guest_die("debugfs cannot be mounted: %s", strerror(errno));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        FILE *file = fopen(settings[i], "w");
        if (!file || fputs(strstr(settings[i], "ignore") ? "N" : "0", file) < 0 || fclose(file) != 0)
            guest_die("%s: %s", settings[i], strerror(errno));
    }
}

static int open_nth(void)
{
    int file = open("/proc/thread-self/fail-nth", O_RDWR);

    if (file < 0)
        guest_die("the kernel cannot let allocations fail: %s", strerror(errno));
    return file;
}

static void set_nth(int file, unsigned nth)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%u", nth);

    if (pwrite(file, text, (size_t)length, 0) != length)
        guest_die("fail-nth cannot be set: %s", strerror(errno));
}

/* Whether it fired; it is off afterwards. */
static int nth_fired(int file)
{
    char text[16] = "";

    if (pread(file, text, sizeof text - 1, 0) <= 0)
        guest_die("fail-nth cannot be read: %s", strerror(errno));
    set_nth(file, 0);
    return strtoul(text, NULL, 10) == 0;
}

/* One program a request, so there is one result. */
static const struct batch_result *result_of(const uint8_t *reply)
{
    return (const void *)(reply + sizeof(struct batch_header));
}

static void check(const uint8_t *reply, size_t number, unsigned nth)
{
    const struct batch_result *result = result_of(reply);

    if (result->invariant != 0)
        guest_die("program %zu, allocation %u fails: invariant %u: %.*s", number, nth, result->invariant,
                  (int)sizeof result->message, result->message);
}

/* Returns how many failures there were. */
static unsigned sweep_request(int device, int file, const struct batch_header *header, uint8_t *reply,
                              size_t number)
{
    struct dxgkmem_request call;
    uint64_t hash;
    unsigned nth = 0;
    int error, fired;

    error = guest_call(device, header, header->bytes, reply, header->reply_bytes, &call);
    if (error)
        guest_die("program %zu: %s", number, strerror(error));
    check(reply, number, 0);
    hash = result_of(reply)->trace_hash;
    do {
        set_nth(file, ++nth);
        error = guest_call(device, header, header->bytes, reply, header->reply_bytes, &call);
        fired = nth_fired(file);
        if (error && (!fired || error != ENOMEM))
            guest_die("program %zu, allocation %u fails: %s", number, nth, strerror(error));
        if (!error)
            check(reply, number, nth);
    } while (fired && nth < FAILURES);
    if (fired)
        guest_die("program %zu: more than %u allocations", number, FAILURES);
    error = guest_call(device, header, header->bytes, reply, header->reply_bytes, &call);
    if (error || result_of(reply)->trace_hash != hash)
        guest_die("program %zu: after the failures it is not what it was", number);
    return nth - 1;
}

/* The first program is also run by a driver that has nothing yet. */
static void reset(int device, uint8_t *reply)
{
    const struct batch_header header = {
        .magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .function = BATCH_RESET,
        .bytes = sizeof header,
        .reply_bytes = sizeof header,
    };
    struct dxgkmem_request call;

    if (guest_call(device, &header, sizeof header, reply, sizeof header, &call) != 0)
        guest_die("the driver cannot be reset");
}

static unsigned sweep_fresh(int device, int file, const struct batch_header *header, uint8_t *reply)
{
    struct dxgkmem_request call;
    unsigned nth = 0;
    int error, fired;

    do {
        reset(device, reply);
        set_nth(file, ++nth);
        error = guest_call(device, header, header->bytes, reply, header->reply_bytes, &call);
        fired = nth_fired(file);
        if (error && (!fired || error != ENOMEM))
            guest_die("fresh, allocation %u fails: %s", nth, strerror(error));
        if (!error)
            check(reply, 0, nth);
    } while (fired && nth < FAILURES);
    return nth - 1;
}

void sweep(int device, const uint8_t *request, size_t bytes)
{
    const uint8_t *begin = request;
    const struct batch_header *header = (const void *)request;
    uint8_t *reply = malloc(BATCH_REPLY_BYTES);
    unsigned long failures = 0;
    size_t number = 0;
    int file = open_nth();

    if (!reply)
        guest_die("no memory");
    prepare();
    failures += sweep_fresh(device, file, header, reply);
    while ((size_t)(request - begin) + sizeof *header <= bytes && header->magic == BATCH_MAGIC) {
        failures += sweep_request(device, file, header, reply, ++number);
        request += header->bytes;
        header = (const void *)request;
    }
    close(file);
    free(reply);
    if (failures < number)
        guest_die("only %lu allocations failed", failures);
    printf("sweep: %zu programs, %lu failed allocations\n", number, failures);
}
