/* SPDX-License-Identifier: MIT */
/*
 * Property: no callback reads a byte of its argument block twice, reads back what it wrote or writes
 * an output twice or before its last call that can fail; none reads a byte of an ADL, its page array or an MDL
 * twice, and none behaves otherwise when these change after they were read.
 *
 * Input: a program in binary form.
 */
#include "reads/reads.h"
#include "targets/status.h"
#include "targets/target.h"

#include <stdio.h>
#include <stdlib.h>

static struct reads *reads;
static struct program program;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    status_start(NULL);
    reads = reads_open(status_cell);
    if (!reads) {
        fputs("fuzz_reads: no memory, or this is not x86-64 Linux\n", stderr);
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct reads_result result;
    char place[256];

    program_decode(&program, bytes, size);
    reads_run(reads, &program, &result);
    if (!result.finding.invariant)
        return 0;
    target_tell(&program, &result.finding);
    if (result.first) {
        fprintf(stderr, "  first: %s\n", reads_place(result.first, place, sizeof place));
        if (result.second)
            fprintf(stderr, "  then:  %s\n", reads_place(result.second, place, sizeof place));
    }
    target_save(&program);
}
