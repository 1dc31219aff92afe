// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * What the compiler calls at every edge of instrumented files. Tasks other than the
 * one that runs programs count nothing.
 */
#include <linux/sched.h>

#include "coverage.h"
#include "device.h"

#ifdef DXGKMEM_COVERAGE

static struct task_struct *counting;
static u8 *counters;

/* Neighbouring calls are at least five bytes apart; the rest of the address spreads functions. */
void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned long pc;
	u8 *counter;

	if (READ_ONCE(counting) != current)
		return;
	pc = (unsigned long)__builtin_return_address(0) >> 2;
	counter = &counters[(pc ^ pc >> 13) % DXGKMEM_COVERAGE_EDGES];
	*counter += *counter != 255;
}

bool coverage_is_built(void)
{
	return true;
}

void coverage_begin(u8 *map)
{
	counters = map;
	WRITE_ONCE(counting, map ? current : NULL);
}

void coverage_end(void)
{
	WRITE_ONCE(counting, NULL);
}

void coverage_cell(void *context, unsigned int cell)
{
	if (READ_ONCE(counting) == current && cell < DXGKMEM_COVERAGE_CELLS)
		counters[DXGKMEM_COVERAGE_EDGES + cell] = 1;
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
