/* SPDX-License-Identifier: MIT */
/*
 * Property: that of fuzz_program, of the Linux module in ring 0: in a stock kernel in QEMU, compared
 * with the model there; and no program makes that kernel crash, hang or complain.
 *
 * The engine and the mutator run here, each program in a guest of this process' own; coverage is the
 * module's. Environment: DXGKMEM_GUEST_COMMAND and DXGKMEM_GUEST_FOLDER, see guest.h.
 */
#include "targets/guest.h"
#include "targets/status.h"
#include "targets/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE 10 /* seconds for one program */

/* The module's edges, as counters of libFuzzer; cells are status.c's. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t edges[DXGKMEM_COVERAGE_EDGES];

static struct guest_box *box;
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
    box = guest_start(command, folder);
    if (!box)
        exit(2);
    return 0;
}

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

static void ask(const uint8_t *bytes, size_t size)
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
    struct runner_finding finding = {0};

    memcpy(box->request, &header, sizeof header);
    memcpy(box->request + sizeof header, &length, sizeof length);
    memcpy(box->request + sizeof header + sizeof length, bytes, size);
    box->request_bytes = header.bytes;
    box->reply_room = header.reply_bytes;
    if (!guest_ask(box, PATIENCE)) {
        snprintf(finding.message, sizeof finding.message, "it died or hangs in this program");
        stop_here(&finding);
    }
    if (box->error) {
        snprintf(finding.message, sizeof finding.message, "%s (status %u)", strerror(box->error),
                 box->status);
        stop_here(&finding);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct runner_result result = {0};
    struct batch_result record;

    if (size > PROGRAM_BYTES)
        return -1;
    program_decode(&program, bytes, size);
    ask(bytes, size);
    memcpy(edges, box->coverage, sizeof edges);
    for (unsigned cell = 0; cell < matrix_cells(); cell++)
        if (box->coverage[DXGKMEM_COVERAGE_EDGES + cell])
            status_cell(NULL, cell);
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
