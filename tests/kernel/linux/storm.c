/* SPDX-License-Identifier: MIT */
/*
 * The module's device under arbitrary use: several processes at once give it requests that are half right, from
 * memory that is half there, map and unmap its coverage, open and close it, and are killed in the midst. What
 * comes back is looked at; what is left shows when the device is asked afterwards, and when the module goes.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 4u
#define LIVES 60u /* of clients, one after the other */
#define LIFE_MS 15u

static uint32_t seed;
static unsigned *answered; /* requests of all clients; shared */

static uint32_t below(uint32_t bound)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % bound;
}

/* A page for the request and one for the reply, each with nothing behind it. */
static uint8_t *page_with_nothing_behind(void)
{
    uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED || munmap(page + 4096, 4096) != 0)
        _exit(1);
    return page;
}

static const uint32_t edges[] = {
    0,         1, 31, 32, 33, 80, 4095, 4096, BATCH_REQUEST_BYTES, BATCH_REPLY_BYTES, BATCH_REPLY_BYTES + 1,
    UINT32_MAX};

static uint32_t any_length(uint32_t right)
{
    switch (below(4)) {
    case 0:
        return edges[below(sizeof edges / sizeof *edges)];
    case 1:
        return below(4200);
    default:
        return right;
    }
}

/* A header as it should be, a program or two of any bytes, then perhaps a field or a byte of it otherwise. */
static uint32_t make_request(uint8_t *request)
{
    uint32_t programs = below(3), at = sizeof(struct batch_header);
    struct batch_header header = {
        .magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .function = (uint16_t)(programs != 0 ? BATCH_RUN : 1 + below(BATCH_FUNCTIONS)),
        .flags = programs != 0 ? below(2) : 0,
        .language = programs != 0,
        .count = programs,
        .reply_bytes = 4096,
    };

    for (uint32_t i = 0; i < programs; i++) {
        uint32_t length = 2 + below(500);
        memcpy(request + at, &length, 4);
        for (uint32_t j = 0; j < length; j++)
            request[at + 4 + j] = (uint8_t)below(j < 2 ? 2 : 40);
        at += 4 + length;
    }
    header.bytes = at;
    memcpy(request, &header, sizeof header);
    if (below(2) == 0)
        request[below(sizeof header)] = (uint8_t)below(256);
    return at;
}

static void call(int device, uint8_t *request, uint8_t *reply)
{
    uint32_t bytes = make_request(request);
    struct dxgkmem_request given = {
        .request = (uintptr_t)(below(8) == 0 ? request + 4000 : request),
        .reply = (uintptr_t)(below(8) == 0 ? reply + 4000 : reply),
        .request_bytes = any_length(bytes),
        .reply_room = any_length(4096),
    };
    unsigned long command = below(8) == 0 ? _IOC(below(4), 'x', below(4), below(64)) : DXGKMEM_IOC_CALL;
    bool done = ioctl(device, command, &given) == 0;

    if (!done && errno != EINVAL && errno != ENOSPC && errno != EBUSY && errno != EINTR && errno != ENOMEM &&
        errno != EFAULT && errno != ENOTTY)
        _exit(2);
    if (done && given.reply_bytes > given.reply_room)
        _exit(3);
    if (done)
        __atomic_fetch_add(answered, 1, __ATOMIC_RELAXED);
}

static void live(void)
{
    uint8_t *request = page_with_nothing_behind(), *reply = page_with_nothing_behind();
    int device = -1;

    for (;;) {
        if (device < 0)
            device = guest_open();
        if (below(16) == 0) {
            (void)mmap(NULL, DXGKMEM_COVERAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
        } else if (below(64) == 0) {
            close(device); /* what it mapped stays */
            device = -1;
        } else {
            call(device, request, reply);
        }
    }
}

static pid_t begin_life(uint32_t number)
{
    pid_t client;

    fflush(stdout);
    client = fork();
    if (client == 0) {
        seed = number;
        live();
    }
    if (client < 0)
        guest_die("no process: %s", strerror(errno));
    return client;
}

unsigned storm(void)
{
    const struct timespec life = {0, LIFE_MS * 1000000};
    pid_t client[CLIENTS];

    answered = mmap(NULL, sizeof *answered, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answered == MAP_FAILED)
        guest_die("no memory for the storm");
    for (uint32_t i = 0; i < LIVES + CLIENTS; i++) {
        pid_t *place = &client[i % CLIENTS];
        int status;

        if (i >= CLIENTS) {
            nanosleep(&life, NULL);
            kill(*place, SIGKILL);
            waitpid(*place, &status, 0);
            if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
                guest_die("a client of the storm ended by itself: %#x", (unsigned)status);
        }
        if (i < LIVES)
            *place = begin_life(i);
    }
    return *answered;
}
