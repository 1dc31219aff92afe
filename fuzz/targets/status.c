/* SPDX-License-Identifier: MIT */
/* Implements status.h. */
#include "targets/status.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * libFuzzer reads every byte of this section after each program, as it does the
 * counters of edges. Feasible cells are numbered densely, so that it is small;
 * should there ever be more of them than room, several share a counter.
 */
#define COUNTERS 4096
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static uint16_t *dense; /* of each cell, the number of its counter + 1; 0: not feasible */
static uint8_t *seen;   /* of each cell, whether any program hit it */
static uint64_t cells, feasible;
static uint64_t executions, operations, callbacks, successes, longest;
static char path[PATH_MAX], path_new[PATH_MAX + 4];
static time_t written;

void status_start(void)
{
    const char *name = getenv("DXGKMEM_FUZZ_STATUS");
    unsigned count = matrix_cells();

    dense = calloc(count, sizeof *dense);
    seen = calloc(count, sizeof *seen);
    if (!dense || !seen) {
        fputs("fuzz_program: no memory\n", stderr);
        exit(2);
    }
    for (unsigned cell = 0; cell < count; cell++)
        if (matrix_feasible(cell))
            dense[cell] = (uint16_t)(feasible++ % COUNTERS + 1);
    if (!name)
        return;
    snprintf(path, sizeof path, "%s", name);
    snprintf(path_new, sizeof path_new, "%s.new", path);
    atexit(status_write);
}

void status_cell(void *context, unsigned cell)
{
    (void)context;
    if (!dense[cell])
        return;
    counters[dense[cell] - 1] = 1;
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
    if (!path[0] || executions % 64)
        return;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec != written) {
        written = now.tv_sec;
        status_write();
    }
}

void status_write(void)
{
    FILE *file = path[0] ? fopen(path_new, "w") : NULL;

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
