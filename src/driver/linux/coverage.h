/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Edges that calls reach, counted and taken to the map of the open file that they came through.
 */
#ifndef DXGKMEM_DRIVER_LINUX_COVERAGE_H
#define DXGKMEM_DRIVER_LINUX_COVERAGE_H

#include <linux/types.h>

/* Whether the module is instrumented. */
bool coverage_is_built(void);
/* What is reached until the end is for this map; NULL: for none. One call at a time. */
void coverage_begin(u8 *map);
void coverage_end(void);
/* A program hit a cell of the matrix. */
void coverage_cell(void *context, unsigned int cell);

/* The counters of edge.h; there when the module is instrumented. */
extern u8 dxgkmem_edges_begin[], dxgkmem_edges_end[];

#endif
