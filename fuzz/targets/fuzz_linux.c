/* SPDX-License-Identifier: MIT */
/*
 * Property: that of fuzz_program, of the Linux module in ring 0: in a stock kernel in QEMU, compared
 * with the model there; and no program makes that kernel crash, hang or complain.
 *
 * The engine and the mutator run here, each program in a guest of this process' own; coverage is the
 * module's. Environment: DXGKMEM_GUEST_COMMAND and DXGKMEM_GUEST_FOLDER, see guest.h.
 *
 * libFuzzer makes a program, runs it, and only then makes the next. So that the guest need not wait for
 * that, mutation is ahead of running: what is made is given to the guest at once, and libFuzzer gets what was made
 * UNDER_WAY calls before. The answer to that one is there when libFuzzer runs it.
 */
#include "engine/engine.h"
#include "targets/guest.h"
#include "targets/status.h"
#include "targets/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE 10 /* seconds for one program */
/* Microseconds between two looks for the answer to one program, and for that to the first of many. */
#define NAP 20
#define LONG_NAP 1000
#define UNDER_WAY (GUEST_BOXES - 1)

/* The module's edges, as counters of libFuzzer, who alone reads them; cells are status.c's. */
__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t edges[DXGKMEM_COVERAGE_EDGES];

/* A program that was given to the guest, in the box of the same number. */
struct made {
    uint8_t bytes[PROGRAM_BYTES];
    size_t size;
};

static struct guest_box *boxes; /* of programs under way; the last for what libFuzzer has from elsewhere */
static struct made made[UNDER_WAY];
static unsigned long given, taken; /* how many, so far */
static struct made *last;          /* what libFuzzer got last; NULL: nothing yet */
static struct engine engine;
static struct program program;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    const char *command = getenv("DXGKMEM_GUEST_COMMAND"), *folder = getenv("DXGKMEM_GUEST_FOLDER");

    (void)count;
    (void)arguments;
    if (!command || !folder) {
        fputs("fuzz_linux: started by ./dev fuzz --host linux\n", stderr);
        exit(2);
    }
    status_start(NULL);
    boxes = guest_start(command, folder);
    if (!boxes)
        exit(2);
    return 0;
}

static void ask(struct guest_box *box, const uint8_t *bytes, size_t size)
{
    const uint32_t length = (uint32_t)size;
    const struct batch_header header = {
        .magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .function = BATCH_RUN,
        .language = PROGRAM_VERSION,
        .count = 1,
        .bytes = (uint32_t)(sizeof header + sizeof length + size),
        .reply_bytes = sizeof header + sizeof(struct batch_result),
    };

    memcpy(box->request, &header, sizeof header);
    memcpy(box->request + sizeof header, &length, sizeof length);
    memcpy(box->request + sizeof header + sizeof length, bytes, size);
    box->request_bytes = header.bytes;
    box->reply_room = header.reply_bytes;
    guest_ask(box);
}

/* -- making programs ------------------------------------------------------------------- */

/* From one program, or two, the next. */
static void give(const struct made *first, const uint8_t *second, size_t second_size, size_t room,
                 unsigned seed)
{
    struct made *next = &made[given % UNDER_WAY];

    if (second) {
        next->size = engine_crossover(&engine, first->bytes, first->size, second, second_size, next->bytes,
                                      room, seed);
    } else {
        memcpy(next->bytes, first->bytes, first->size);
        next->size = engine_mutate(&engine, next->bytes, first->size, room, seed);
    }
    ask(&boxes[given % UNDER_WAY], next->bytes, next->size);
    given++;
}

/* Of the programs under way, the one that a dead guest died in. NULL: none. */
static struct made *culprit(void)
{
    for (unsigned i = 0; i < UNDER_WAY; i++)
        if (boxes[i].turn == GUEST_RUNS)
            return &made[i];
    return NULL;
}

/* The oldest, when it is answered; of a dead guest, the one that it died in. */
static void take(void)
{
    unsigned long oldest = taken++ % UNDER_WAY;

    last = &made[oldest];
    if (!guest_answers(&boxes[oldest], PATIENCE, LONG_NAP) && culprit())
        last = culprit();
}

static size_t exchange(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                       uint8_t *out, size_t room, unsigned seed)
{
    static struct made base;

    if (room > sizeof base.bytes || first_size > room)
        return 0;
    memcpy(base.bytes, first, first_size);
    base.size = first_size;
    /* libFuzzer changes what it got several times in a row. Without the delay, it would have got the newest. */
    if (last && first_size == last->size && memcmp(first, last->bytes, first_size) == 0)
        base = made[(given - 1) % UNDER_WAY];
    if (base.size > room)
        return 0;
    do /* several only at first */
        give(&base, second, second_size, room, seed++);
    while (given - taken < UNDER_WAY);
    take();
    if (last->size > room) /* it was larger then; this one is lost */
        return 0;
    memcpy(out, last->bytes, last->size);
    return last->size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
    return exchange(bytes, size, NULL, 0, bytes, room, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t room, unsigned seed)
{
    return exchange(first, first_size, second, second_size, out, room, seed);
}

/* -- running them ---------------------------------------------------------------------- */

/* The engine saves the input. */
_Noreturn static void stop_here(const struct runner_finding *finding)
{
    if (finding->invariant)
        target_stop(&program, finding);
    status_write();
    fprintf(stderr, "\nfinding: the guest: %s\n  console: %s/console\n", finding->message,
            getenv("DXGKMEM_GUEST_FOLDER"));
    target_save(&program);
}

/* The box with the answer, which may have been there before. NULL: the guest died in another, which comes next. */
static const struct guest_box *box_of(const uint8_t *bytes, size_t size)
{
    struct guest_box *box = &boxes[UNDER_WAY];

    if (last && size == last->size && memcmp(bytes, last->bytes, size) == 0) {
        box = &boxes[last - made];
    } else {
        ask(box, bytes, size);
        if (!guest_answers(box, PATIENCE, NAP) && culprit())
            return NULL;
    }
    return box;
}

static void take_coverage(const struct guest_box *box)
{
    const uint8_t *cells = box->coverage + DXGKMEM_COVERAGE_EDGES;
    uint64_t several;

    memcpy(edges, box->coverage, sizeof edges);
    for (unsigned at = 0; at < DXGKMEM_COVERAGE_CELLS; at += sizeof several) {
        memcpy(&several, cells + at, sizeof several);
        for (unsigned i = 0; several && i < sizeof several; i++)
            if (cells[at + i] && at + i < matrix_cells())
                status_cell(NULL, at + i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct runner_result result = {0};
    struct batch_result record;
    const struct guest_box *box;

    if (size > PROGRAM_BYTES)
        return -1;
    box = box_of(bytes, size);
    if (!box)
        return 0;
    program_decode(&program, bytes, size);
    if (box->turn != GUEST_ANSWERED) {
        snprintf(result.finding.message, sizeof result.finding.message, "it died or hangs in this program");
        stop_here(&result.finding);
    }
    if (box->error) {
        snprintf(result.finding.message, sizeof result.finding.message, "%s (status %u)",
                 strerror(box->error), box->status);
        stop_here(&result.finding);
    }
    take_coverage(box);
    memcpy(&record, box->reply + sizeof(struct batch_header), sizeof record);
    result.callbacks = record.callbacks;
    result.successes = record.successes;
    status_count(&program, &result);
    if (!record.invariant)
        return 0;
    result.finding.invariant = record.invariant;
    result.finding.line = record.line;
    snprintf(result.finding.message, sizeof result.finding.message, "%.*s", (int)sizeof record.message - 1,
             record.message);
    stop_here(&result.finding);
}
