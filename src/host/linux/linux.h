/* SPDX-License-Identifier: MIT */
/*
 * What the host for the Linux kernel offers beyond host.h: its beginning, the
 * record of a stop, and numbers that are the same in every run.
 */
#ifndef DXGKMEM_HOST_LINUX_H
#define DXGKMEM_HOST_LINUX_H

#include <dxgkmem/host.h>

/* Why the callbacks stopped for good. */
struct dxgkmem_linux_stop {
	uint32_t code; /* of the bug check; 0: an assertion failed */
	uint64_t parameters[4];
};

/* Before the first lock is taken. */
void dxgkmem_linux_init(void);
/* Everything was given back: a block of the pool that was not is told to the log. */
void dxgkmem_linux_exit(void);
/* How often the kernel had no memory for the pool. */
uint64_t dxgkmem_linux_refusals(void);
/* From now on dxgkmem_host_random() gives the sequence that belongs to the seed. */
void dxgkmem_linux_seed(uint64_t seed);
/* Whether there was a bug check, and which; the first one counts. */
bool dxgkmem_linux_stopped(struct dxgkmem_linux_stop *stop);

#endif
