/* SPDX-License-Identifier: MIT */
/*
 * Everything a client can do wrong with the module's device: other ioctls, lengths at every boundary,
 * memory that is none, clients without the right, two at once, one that is killed, a storm of them
 * (storm.c), unloading while a file is open. Each is refused as device.h says, and afterwards the device answers a query.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(holds, what)                                                                                   \
    do {                                                                                                     \
        if (!(holds))                                                                                        \
            guest_die("%s:%d: %s: %s", __FILE__, __LINE__, what, strerror(errno));                           \
        checks++;                                                                                            \
    } while (0)

static unsigned checks;
static uint8_t request[BATCH_REQUEST_BYTES + 4096], reply[BATCH_REPLY_BYTES];
static int device;

static const struct batch_header query = {
    .magic = BATCH_MAGIC,
    .version = BATCH_VERSION,
    .function = BATCH_QUERY,
    .bytes = sizeof(struct batch_header),
    .reply_bytes = sizeof(struct batch_header) + sizeof(struct batch_limits),
};

static struct dxgkmem_request call;

static int ask(const struct batch_header *header, size_t bytes, size_t room)
{
    return guest_call(device, header, bytes, reply, room, &call);
}

static void check_alive(const char *after)
{
    struct batch_limits limits;

    memset(reply, 0xa5, 4096);
    CHECK(ask(&query, sizeof query, sizeof reply) == 0 && call.reply_bytes == query.reply_bytes, after);
    CHECK(reply[call.reply_bytes] == 0xa5, "nothing is written behind the reply");
    memcpy(&limits, reply + sizeof query, sizeof limits);
    CHECK(strcmp(limits.host, "linux") == 0, after);
}

static void bad_calls(void)
{
    void *none = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(none != MAP_FAILED && munmap((uint8_t *)none + 4096, 4096) == 0, "memory with nothing behind it");
    memset(&call, 0, sizeof call);
    for (unsigned number = 0; number < 256; number++)
        CHECK(ioctl(device, _IOC(_IOC_READ | _IOC_WRITE, 'x', number, sizeof call), &call) != 0 &&
                  errno == (number == 1 ? EINVAL : ENOTTY),
              "an ioctl by number");
    for (unsigned size = 0; size < 64; size++)
        if (size != sizeof call)
            CHECK(ioctl(device, _IOC(_IOC_READ | _IOC_WRITE, 'x', 1, size), &call) != 0 && errno == ENOTTY,
                  "an ioctl of another size");
    CHECK(ioctl(device, DXGKMEM_IOC_CALL, NULL) != 0 && errno == EFAULT, "no argument");
    CHECK(ioctl(device, DXGKMEM_IOC_CALL, (uint8_t *)none + 4096 - sizeof call + 1) != 0 && errno == EFAULT,
          "an argument that is cut off");
    CHECK(guest_call(device, NULL, sizeof query, reply, sizeof reply, &call) == EFAULT, "no request");
    CHECK(guest_call(device, (void *)(UINTPTR_MAX - 4095), sizeof query, reply, sizeof reply, &call) ==
              EFAULT,
          "a request in the kernel");
    CHECK(guest_call(device, &query, sizeof query, NULL, sizeof reply, &call) == EFAULT, "no reply");
    CHECK(guest_call(device, &query, sizeof query, (uint8_t *)none + 4096 - query.reply_bytes + 1,
                     query.reply_bytes, &call) == EFAULT,
          "room for the reply that is cut off");
    CHECK(guest_call(device, &query, sizeof query, (uint8_t *)none + 4096 - query.reply_bytes,
                     query.reply_bytes, &call) == 0,
          "room for the reply that just fits");
    memcpy((uint8_t *)none + 4096 - sizeof query, &query, sizeof query);
    CHECK(guest_call(device, (uint8_t *)none + 4096 - sizeof query, sizeof query, reply, sizeof reply,
                     &call) == 0,
          "a request that ends with its page");
    CHECK(guest_call(device, (uint8_t *)none + 4096 - sizeof query, sizeof query + 1, reply, sizeof reply,
                     &call) == EFAULT,
          "a request that is cut off");
    munmap(none, 4096);
    check_alive("after bad calls");
}

static void bad_lengths(void)
{
    struct batch_header header;

    memcpy(request, &query, sizeof query);
    CHECK(ask((void *)request, 0, sizeof reply) == EINVAL, "an empty request");
    for (size_t bytes = 1; bytes < sizeof query; bytes++)
        CHECK(ask((void *)request, bytes, sizeof reply) == EINVAL, "part of a header");
    CHECK(ask((void *)request, sizeof query + 1, sizeof reply) == EINVAL, "a byte too many");
    for (size_t room = 0; room < query.reply_bytes; room++)
        CHECK(ask((void *)request, sizeof query, room) == ENOSPC && call.reply_bytes == 0, "no room");
    CHECK(ask((void *)request, sizeof query, query.reply_bytes) == 0, "room that just fits");
    CHECK(ask((void *)request, BATCH_REQUEST_BYTES, sizeof reply) == EINVAL, "another length than it says");
    CHECK(ask((void *)request, BATCH_REQUEST_BYTES + 1, sizeof reply) == EINVAL, "a request too long");
    CHECK(ask((void *)request, UINT32_MAX, sizeof reply) == EINVAL, "a request far too long");
    CHECK(ask((void *)request, sizeof query, BATCH_REPLY_BYTES + 1) == ENOSPC, "too much room");
    CHECK(ask((void *)request, sizeof query, UINT32_MAX) == ENOSPC, "far too much room");
#define WITH(field, value, error)                                                                            \
    header = query;                                                                                          \
    header.field = (value);                                                                                  \
    CHECK(ask(&header, sizeof header, sizeof reply) == (error), "a header with another " #field)
    WITH(magic, 0, EINVAL);
    WITH(version, BATCH_VERSION + 1, EINVAL);
    WITH(function, 0, EINVAL);
    WITH(function, BATCH_FUNCTIONS, EINVAL);
    WITH(flags, 0x80000000, EINVAL);
    WITH(language, 1, EINVAL);
    WITH(count, 1, EINVAL);
    WITH(bytes, sizeof header - 1, EINVAL);
    WITH(bytes, UINT32_MAX, EINVAL);
    WITH(reply_bytes, UINT32_MAX, ENOSPC);
    WITH(reserved, 1, EINVAL);
    check_alive("after bad lengths");
}

/* A request that takes seconds: as many programs as there may be, each of as many lines as there may be. */
static size_t long_request(void)
{
    static const uint8_t add_and_stop[2] = {0, 24}; /* whatever they decode as, they are programs */
    size_t at = sizeof(struct batch_header);
    uint32_t count = 0, length = 248;

    while (count < BATCH_PROGRAMS && at + 4 + length <= BATCH_REQUEST_BYTES) {
        memcpy(request + at, &length, 4);
        request[at + 4] = 1;
        request[at + 5] = 0;
        for (uint32_t i = 2; i < length; i++)
            request[at + 4 + i] = add_and_stop[i / 12 % 2];
        at += 4 + length;
        count++;
    }
    struct batch_header header = query;
    header.function = BATCH_RUN;
    header.language = 1;
    header.count = count;
    header.bytes = (uint32_t)at;
    header.reply_bytes = BATCH_REPLY_BYTES;
    memcpy(request, &header, sizeof header);
    return at;
}

static void sleep_ms(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&time, NULL);
}

/* One that is at work, until it is killed. */
static pid_t start_worker(size_t bytes)
{
    pid_t child = fork();

    if (child == 0) {
        for (;;)
            (void)ask((void *)request, bytes, sizeof reply);
    }
    CHECK(child > 0, "another process");
    return child;
}

static int reset(void)
{
    struct batch_header header = query;

    header.function = BATCH_RESET;
    return ask(&header, sizeof header, sizeof reply);
}

static void two_clients(void)
{
    size_t bytes = long_request();
    pid_t child = start_worker(bytes);
    bool busy = false;
    int status;

    for (unsigned i = 0; i < 500 && !busy; i++) {
        sleep_ms(2);
        busy = reset() == EBUSY;
    }
    CHECK(busy, "the second client is told that the device is busy");
    check_alive("a query while another client runs programs");
    kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "a client is killed in the middle");
    CHECK(reset() == 0, "the device is free again");
    check_alive("after a client was killed");
}

static void unload_in_use(void)
{
    CHECK(guest_unload() == EWOULDBLOCK || guest_unload() == EBUSY, "unloading while a file is open");
    check_alive("after an attempt to unload");
}

static void rights(void)
{
    struct stat what;
    int status;
    pid_t child;

    CHECK(stat("/dev/" DXGKMEM_DEVICE, &what) == 0 && (what.st_mode & 0777) == 0600 && what.st_uid == 0,
          "the device is root's alone");
    child = fork();
    if (child == 0) {
        if (setresuid(1, 1, 1) != 0)
            _exit(1);
        _exit(open("/dev/" DXGKMEM_DEVICE, O_RDWR) < 0 && errno == EACCES ? 0 : 2);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "another user is refused");
    child = fork();
    if (child == 0) {
        /* Root still, but without a capability: the mode alone would let it in. */
        if (chmod("/dev/" DXGKMEM_DEVICE, 0666) != 0 || setresuid(1, 1, 1) != 0)
            _exit(1);
        _exit(open("/dev/" DXGKMEM_DEVICE, O_RDWR) < 0 && errno == EPERM ? 0 : 2);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "without the capability it is refused");
    CHECK(chmod("/dev/" DXGKMEM_DEVICE, 0600) == 0, "chmod");
}

static void *map(size_t bytes, int flags, long offset)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, device, offset);
}

static void bad_maps(void)
{
    void *first = map(DXGKMEM_COVERAGE_BYTES, MAP_SHARED, 0);

    CHECK(first != MAP_FAILED, "coverage can be mapped");
    CHECK(map(DXGKMEM_COVERAGE_BYTES, MAP_PRIVATE, 0) == MAP_FAILED && errno == EINVAL, "a private map");
    CHECK(map(DXGKMEM_COVERAGE_BYTES, MAP_SHARED, 4096) == MAP_FAILED && errno == EINVAL, "another offset");
    CHECK(map(DXGKMEM_COVERAGE_BYTES / 2, MAP_SHARED, 0) == MAP_FAILED && errno == EINVAL, "a part");
    CHECK(map(2 * DXGKMEM_COVERAGE_BYTES, MAP_SHARED, 0) == MAP_FAILED && errno == EINVAL, "too much");
    void *again = map(DXGKMEM_COVERAGE_BYTES, MAP_SHARED, 0);
    CHECK(again != MAP_FAILED, "mapped twice");
    *(volatile uint8_t *)first = 7;
    CHECK(*(volatile uint8_t *)again == 7, "both are one");
    munmap(again, DXGKMEM_COVERAGE_BYTES);
    munmap(first, DXGKMEM_COVERAGE_BYTES);
}

void misuse(void)
{
    unsigned answered;

    device = guest_open();
    check_alive("at first");
    rights();
    bad_calls();
    bad_lengths();
    bad_maps();
    two_clients();
    answered = storm();
    CHECK(answered > 0, "the storm has right requests in it");
    check_alive("after the storm");
    unload_in_use();
    close(device);
    printf("misuse: %u checks passed, %u requests answered in a storm\n", checks, answered);
}
