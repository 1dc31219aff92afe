/* SPDX-License-Identifier: MIT */
/* Implements reads.h: judges each access of what the driver can write, and changes what was read. */
#include "reads/reads.h"

#include "reads/decode.h"
#include "reads/watch.h"

#include <dxgkmem/sim.h>
#include <dxgkmem/user.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES 256 /* more than any argument block has */
#define LENT_BYTES 4096 /* of longer page arrays the beginning is watched */

/* Something else that the driver can write. */
struct lent {
    const char *what;
    unsigned char *from;
    unsigned bytes;
    bool ended; /* it was given back: what is there now is the allocator's */
    uintptr_t read_by[LENT_BYTES];
};

struct reads {
    struct runner *plain, *watched;
    unsigned char *page, *block; /* block: in the page, where the callback was told that it is */
    bool tamper;
    struct reads_counts counts;
    struct reads_result *result; /* of the program that runs */
    unsigned line;               /* of the call under way */
    unsigned char given[BLOCK_BYTES];
    bool changed[BLOCK_BYTES]; /* by us, after it was read; not yet by the callback */
    uintptr_t read_by[BLOCK_BYTES], written_by[BLOCK_BYTES];
    uintptr_t
        first_write; /* 0: nothing was written yet; and how many calls that can fail there were by then */
    uint64_t calls_at_first_write;
    struct lent lent[RUNNER_LENT];
};

#define CHANGE 0x5b /* what bytes are changed by */

/* -- one access ---------------------------------------------------------------------------- */

static void find_in(struct reads *reads, unsigned invariant, const char *where, unsigned at, unsigned bytes,
                    const char *what, uintptr_t first, uintptr_t second)
{
    struct runner_finding *finding = &reads->result->finding;

    if (finding->invariant != 0)
        return;
    finding->invariant = invariant;
    finding->line = reads->line;
    snprintf(finding->message, sizeof finding->message, "%u byte%s at offset %u of the %s %s", bytes,
             bytes == 1 ? "" : "s", at, where, what);
    reads->result->first = first;
    reads->result->second = second;
}

static void find(struct reads *reads, unsigned at, unsigned bytes, const char *what, uintptr_t first,
                 uintptr_t second)
{
    find_in(reads, 15, "argument block", at, bytes, what, first, second);
}

static void note_read(struct reads *reads, unsigned at, unsigned bytes, uintptr_t instruction)
{
    for (unsigned i = at; i < at + bytes; i++) {
        if (reads->read_by[i] != 0)
            find(reads, i, at + bytes - i, "are read a second time", reads->read_by[i], instruction);
        else if (reads->written_by[i] != 0)
            find(reads, i, at + bytes - i, "are read back after they were written", reads->written_by[i],
                 instruction);
        reads->read_by[i] = instruction;
        if (reads->tamper && !reads->changed[i]) {
            reads->block[i] = (unsigned char)(reads->block[i] ^ CHANGE);
            reads->changed[i] = true;
            reads->counts.changed++;
        }
    }
    reads->counts.reads++;
}

static uint64_t calls_that_can_fail(const struct reads *reads)
{
    return dxgkmem_sim_fallible_calls(runner_sim(reads->watched));
}

static void note_write(struct reads *reads, unsigned at, unsigned bytes, uintptr_t instruction)
{
    if (reads->first_write == 0) {
        reads->first_write = instruction;
        reads->calls_at_first_write = calls_that_can_fail(reads);
    }
    for (unsigned i = at; i < at + bytes; i++) {
        if (reads->written_by[i] != 0)
            find(reads, i, at + bytes - i, "are written a second time", reads->written_by[i], instruction);
        reads->written_by[i] = instruction;
        reads->changed[i] = false;
    }
    reads->counts.writes++;
}

extern const char __executable_start, etext; /* of the linker */

/* Code of the program itself, which core is part of; the allocator of the C library is not. */
static bool is_own_code(uintptr_t instruction)
{
    return instruction >= (uintptr_t)&__executable_start && instruction < (uintptr_t)&etext;
}

/* What is read of it is read in order to compare it before it ends, so what is changed then need not be changed back. */
static void note_lent(struct reads *reads, struct lent *lent, unsigned at, const struct decoded *decoded,
                      uintptr_t instruction)
{
    lent->ended |= !is_own_code(instruction);
    for (unsigned i = at; i < at + decoded->bytes && i < lent->bytes && decoded->reads && !lent->ended; i++) {
        if (lent->read_by[i] != 0)
            find_in(reads, 16, lent->what, i, at + decoded->bytes - i, "are read a second time",
                    lent->read_by[i], instruction);
        lent->read_by[i] = instruction;
        if (reads->tamper && !decoded->writes) {
            lent->from[i] = (unsigned char)(lent->from[i] ^ CHANGE);
            reads->counts.changed++;
        }
    }
    reads->counts.lent_accesses++;
}

static void on_access(void *context, const struct watch_access *access)
{
    struct reads *reads = context;
    struct decoded decoded = decode(access->instruction, access->write);
    unsigned at = access->offset - (unsigned)(reads->block - reads->page);

    if (access->place != 0) {
        note_lent(reads, &reads->lent[access->place - 1], access->offset, &decoded, access->instruction);
        return;
    }
    if (at >= BLOCK_BYTES || decoded.bytes > BLOCK_BYTES - at) {
        find(reads, at, decoded.bytes, "are far outside it and accessed", access->instruction,
             access->instruction);
        return;
    }
    if (decoded.reads)
        note_read(reads, at, decoded.bytes, access->instruction);
    if (decoded.writes)
        note_write(reads, at, decoded.bytes, access->instruction);
}

/* -- one call ------------------------------------------------------------------------------ */

static void borrow(struct reads *reads, const struct runner_lent lent[RUNNER_LENT],
                   struct watch_place place[WATCH_PLACES])
{
    for (unsigned i = 0; i < RUNNER_LENT; i++) {
        size_t bytes = lent[i].bytes < LENT_BYTES ? lent[i].bytes : LENT_BYTES;

        reads->lent[i].what = lent[i].what;
        reads->lent[i].from = lent[i].from;
        reads->lent[i].bytes = (unsigned)bytes;
        reads->lent[i].ended = false;
        memset(reads->lent[i].read_by, 0, bytes * sizeof reads->lent[i].read_by[0]);
        place[i] = (struct watch_place){lent[i].from, bytes};
    }
}

static void *hand_over(void *context, unsigned line, const void *block, size_t bytes,
                       const struct runner_lent lent[RUNNER_LENT])
{
    struct watch_place place[WATCH_PLACES];
    struct reads *reads = context;

    /* As well or badly aligned as it was, and not at the page's edge. */
    reads->block = reads->page + BLOCK_BYTES + (uintptr_t)block % 16;
    reads->line = line;
    memcpy(reads->given, block, bytes);
    memcpy(reads->block, block, bytes);
    memset(reads->changed, 0, sizeof reads->changed);
    memset(reads->read_by, 0, sizeof reads->read_by);
    memset(reads->written_by, 0, sizeof reads->written_by);
    reads->first_write = 0;
    borrow(reads, lent, place);
    reads->counts.blocks++;
    watch_begin(place);
    return reads->block;
}

/* The lowest byte that the first instruction that wrote wrote. */
static unsigned written_at(const struct reads *reads)
{
    unsigned at = 0;

    while (at < BLOCK_BYTES - 1 && reads->written_by[at] != reads->first_write)
        at++;
    return at;
}

static void take_back(void *context, void *block, size_t bytes)
{
    struct reads *reads = context;
    unsigned char *to = block;

    watch_end();
    if (reads->first_write != 0 && calls_that_can_fail(reads) != reads->calls_at_first_write)
        find(reads, written_at(reads), 1, "are written before the last call that can fail",
             reads->first_write, 0);
    for (size_t i = 0; i < bytes; i++)
        to[i] = reads->changed[i] ? reads->given[i] : reads->block[i];
}

/* -- one program --------------------------------------------------------------------------- */

static void run(struct reads *reads, bool tamper, const struct program *program, struct runner_result *result)
{
    reads->tamper = tamper;
    dxgkmem_user_seed(1);
    runner_run(reads->watched, program, result);
}

void reads_run(struct reads *reads, const struct program *program, struct reads_result *result)
{
    struct runner_result plain, watched;

    memset(result, 0, sizeof *result);
    reads->result = result;
    dxgkmem_user_seed(1);
    runner_run(reads->plain, program, &plain);
    result->finding = plain.finding;
    if (result->finding.invariant != 0)
        return;
    run(reads, false, program, &watched);
    if (result->finding.invariant == 0)
        result->finding = watched.finding;
    if (result->finding.invariant != 0)
        return;
    run(reads, true, program, &watched);
    if (result->finding.invariant != 0 ||
        (!watched.finding.invariant && watched.trace_hash == plain.trace_hash))
        return;
    result->finding.invariant = 15; /* or 16: what came of it does not tell */
    result->finding.line = watched.finding.invariant ? watched.finding.line : program->lines;
    snprintf(result->finding.message, sizeof result->finding.message,
             "another outcome when bytes that the driver can write change after they were read: %.150s",
             watched.finding.invariant ? watched.finding.message : "another trace");
}

struct reads_counts reads_counts(const struct reads *reads)
{
    return reads->counts;
}

struct reads *reads_open(void (*cell)(void *context, unsigned cell))
{
    struct reads *reads = calloc(1, sizeof *reads);
    struct runner_options options = {.cell = cell};

    if (!reads)
        return NULL;
    reads->plain = runner_create(&options);
    options.hand_over = hand_over;
    options.take_back = take_back;
    options.arguments_context = reads;
    reads->watched = runner_create(&options);
    reads->page = watch_open(on_access, reads);
    if (reads->plain && reads->watched && reads->page && decode_open())
        return reads;
    if (reads->page)
        watch_close();
    runner_destroy(reads->watched);
    runner_destroy(reads->plain);
    free(reads);
    return NULL;
}

void reads_close(struct reads *reads)
{
    decode_close();
    watch_close();
    runner_destroy(reads->watched);
    runner_destroy(reads->plain);
    free(reads);
}

/* -- places -------------------------------------------------------------------------------- */

const char *reads_place(uintptr_t instruction, char *text, size_t room)
{
    unsigned long offset = (unsigned long)(instruction - (uintptr_t)&__executable_start);
    char path[4096], command[sizeof path + 64], answer[512];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    FILE *pipe = NULL;

    snprintf(text, room, "address 0x%lx of the program", offset);
    if (length <= 0 || memchr(path, '\'', (size_t)length))
        return text;
    path[length] = '\0';
    snprintf(command, sizeof command, "addr2line -fse '%s' 0x%lx 2>/dev/null", path, offset);
    pipe = popen(command, "r");
    if (!pipe)
        return text;
    size_t got = fread(answer, 1, sizeof answer - 1, pipe);
    pclose(pipe);
    answer[got] = '\0';
    char *line = strchr(answer, '\n');
    if (line && answer[0] != '?') {
        *line++ = '\0';
        line[strcspn(line, " \n")] = '\0';
        snprintf(text, room, "%s, %s", answer, line);
    }
    return text;
}
