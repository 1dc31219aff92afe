// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * What edge.h has counted, taken to the map of the client for whom programs were run. The counters
 * are the module's: a call that has the turn finds them as it left them.
 */
#include <linux/bug.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <asm/unaligned.h>

#include "coverage.h"
#include "device.h"

#ifdef DXGKMEM_COVERAGE

static struct task_struct *counting;
static u8 *client_map;

bool coverage_is_built(void)
{
	return true;
}

static size_t counters(void)
{
	size_t count = dxgkmem_edges_end - dxgkmem_edges_begin;

	WARN_ONCE(count > DXGKMEM_COVERAGE_EDGES, "dxgkmem: the map has no room for %zu edges\n",
		  count);
	return min_t(size_t, count, DXGKMEM_COVERAGE_EDGES);
}

void coverage_begin(u8 *map)
{
	if (map)
		memset(dxgkmem_edges_begin, 0, counters());
	client_map = map;
	WRITE_ONCE(counting, map ? current : NULL);
}

/* Most counters are 0: eight are looked at in one go. */
static void take(size_t at)
{
	unsigned int i;

	for (i = 0; i < sizeof(u64); i++) {
		unsigned int sum = client_map[at + i] + dxgkmem_edges_begin[at + i];

		client_map[at + i] = min(sum, 255U);
	}
}

void coverage_end(void)
{
	size_t count = counters(), at;

	if (READ_ONCE(counting) != current)
		return;
	WRITE_ONCE(counting, NULL);
	for (at = 0; at < count; at += sizeof(u64))
		if (get_unaligned((const u64 *)(dxgkmem_edges_begin + at)))
			take(at);
}

void coverage_cell(void *context, unsigned int cell)
{
	if (READ_ONCE(counting) == current && cell < DXGKMEM_COVERAGE_CELLS)
		client_map[DXGKMEM_COVERAGE_EDGES + cell] = 1;
}

#else

bool coverage_is_built(void)
{
	return false;
}

void coverage_begin(u8 *map)
{
}

void coverage_end(void)
{
}

void coverage_cell(void *context, unsigned int cell)
{
}

#endif
