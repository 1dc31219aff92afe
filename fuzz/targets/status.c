/* SPDX-License-Identifier: MIT */
/* Implements status.h. */
#include "targets/status.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * Feasible cells are numbered densely, so that there are few counters; should
 * there ever be more cells than counters, several share one.
 *
 * libFuzzer reads every byte of this section after each program, as it does the
 * counters of edges. AFL++ gives each element of the section of guards a place
 * in its map when the process starts, as it does for edges. Volatile: nobody here reads the one or
 * writes the other.
 */
#define COUNTERS 1024
#ifdef __AFL_COMPILER
extern uint8_t *__afl_area_ptr;
__attribute__((section("__sancov_guards"))) static volatile uint32_t guards[COUNTERS];
#define COUNTER(i) __afl_area_ptr[guards[i]]
#else
__attribute__((section("__libfuzzer_extra_counters"))) static volatile uint8_t counters[COUNTERS];
#define COUNTER(i) counters[i]
#endif

static uint16_t *dense; /* of each cell, the number of its counter + 1; 0: not feasible */
static uint8_t *seen;   /* of each cell, whether any program hit it */
static uint64_t cells, feasible;
static uint64_t executions, operations, callbacks, successes, longest;
static const char *name;
static time_t written;

void status_start(const struct dxgkmem_provider *provider)
{
    unsigned count = matrix_cells();

    dense = calloc(count, sizeof *dense);
    seen = calloc(count, sizeof *seen);
    if (!dense || !seen) {
        fputs("fuzz_program: no memory\n", stderr);
        exit(2);
    }
    for (unsigned cell = 0; cell < count; cell++)
        if (matrix_expected(provider, cell))
            dense[cell] = (uint16_t)(feasible++ % COUNTERS + 1);
    name = getenv("DXGKMEM_FUZZ_STATUS");
    if (name)
        atexit(status_write);
}

void status_cell(void *context, unsigned cell)
{
    (void)context;
    if (!dense[cell])
        return;
    COUNTER(dense[cell] - 1) = 1;
    if (!seen[cell]) {
        seen[cell] = 1;
        cells++;
    }
}

void status_count(const struct program *program, const struct runner_result *result)
{
    struct timespec now;

    executions++;
    operations += program->lines;
    callbacks += result->callbacks;
    successes += result->successes;
    if (result->successes > longest)
        longest = result->successes;
    if (!name || executions % 64)
        return;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec != written) {
        written = now.tv_sec;
        status_write();
    }
}

void status_write(void)
{
    char path[PATH_MAX], path_new[PATH_MAX];
    FILE *file;

    if (!name || !executions) /* a process that only starts others has nothing to tell */
        return;
    snprintf(path, sizeof path, "%s.%ld", name, (long)getpid());
    snprintf(path_new, sizeof path_new, "%s.%ld.new", name, (long)getpid());
    file = fopen(path_new, "w");
    if (!file)
        return;
    fprintf(file,
            "executions %" PRIu64 "\noperations %" PRIu64 "\ncallbacks %" PRIu64 "\nsuccesses %" PRIu64
            "\nsuccesses_longest %" PRIu64 "\ncells %" PRIu64 "\ncells_feasible %" PRIu64 "\n",
            executions, operations, callbacks, successes, longest, cells, feasible);
    /* On a full disk the last good file stays. */
    if (fclose(file) == 0)
        rename(path_new, path);
    else
        remove(path_new);
}
