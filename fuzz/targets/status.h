/* SPDX-License-Identifier: MIT */
/*
 * What a fuzzing process tells about itself: counts in a small file, and the
 * matrix as a second kind of coverage.
 *
 * The environment variable DXGKMEM_FUZZ_STATUS and the number of the process
 * name the file: one engine starts anew, another one forks. It holds lines
 * "key value", is replaced as a whole once a second, and a reader that finds
 * none simply has nothing to show.
 */
#ifndef DXGKMEM_STATUS_H
#define DXGKMEM_STATUS_H

#include "program/runner.h"

/* Once, before the first program. provider: of whose programs the cells are; NULL: ours. */
void status_start(const struct dxgkmem_provider *provider);
/* For runner_options.cell: the matrix cell counts as coverage for libFuzzer and AFL++. */
void status_cell(void *context, unsigned cell);
/* After each program. */
void status_count(const struct program *program, const struct runner_result *result);
/* At the end, and before a finding stops the process. */
void status_write(void);

#endif
