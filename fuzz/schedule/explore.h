/* SPDX-License-Identifier: MIT */
/*
 * Every schedule of a program with few switches that are not forced (a thread that waits or has ended forces
 * one). Each schedule is a run from the beginning; the search goes back to the last decision that has another choice.
 *
 * Reduction: a thread is made to stop before an access only where another thread later in that run
 * touches the same lock or word, and one of the two writes. Stopping anywhere else leads to a run in which
 * every two accesses that depend on each other come in the same order as in one that is looked at. With a
 * bound on switches that is a heuristic: a schedule within the bound may have its equal beyond it.
 */
#ifndef DXGKMEM_SCHEDULE_EXPLORE_H
#define DXGKMEM_SCHEDULE_EXPLORE_H

#include "schedule/concurrent.h"

struct explore;

/* Exits the process without memory. */
struct explore *explore_create(void);
void explore_destroy(struct explore *explore);
/* Lets the search decide in the runs of a concurrent that is made with these options. */
void explore_options(struct explore *explore, struct concurrent_options *options);

/* True: a finding, of the last run. *schedules: runs made. Stops at `limit` runs. */
bool explore_run(struct explore *explore, struct concurrent *concurrent, const struct program *program,
                 unsigned bound, uint64_t limit, struct concurrent_result *result, uint64_t *schedules);

/* Whether the last explore_run stopped at its limit with schedules left. */
bool explore_stopped(const struct explore *explore);

/* The switches of the last run that were not plain. */
unsigned explore_switches(struct explore *explore, const struct section_switch **switched);

#endif
