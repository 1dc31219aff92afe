/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Edges that one task reaches, counted in the map of its open file.
 */
#ifndef DXGKMEM_DRIVER_LINUX_COVERAGE_H
#define DXGKMEM_DRIVER_LINUX_COVERAGE_H

#include <linux/types.h>

/* Whether the module is instrumented. */
bool coverage_is_built(void);
/* The current task counts into the map until NULL is given. One task at a time. */
void coverage_begin(u8 *map);
void coverage_end(void);
/* A program hit a cell of the matrix. */
void coverage_cell(void *context, unsigned int cell);

/* Called by what the compiler puts at every edge. */
void __sanitizer_cov_trace_pc(void);

#endif
