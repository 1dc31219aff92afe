/* SPDX-License-Identifier: MIT */
/* What the host for Windows drivers offers beyond host.h. Source of every rule here: our decision. */
#ifndef DXGKMEM_HOST_NT_H
#define DXGKMEM_HOST_NT_H

#include <stdint.h>

/*
 * From now on dxgkmem_host_random() gives the sequence that belongs to the seed, and all threads
 * are in one shard, so that handles and operations have the same numbers in every run. A driver that
 * runs programs wants it, one at a time; one that other drivers call leaves it.
 */
void dxgkmem_nt_seed(uint64_t seed);

/* The bug check of dxgkmem_host_panic(): file, line and sentence by address, and the address of the caller. */
#define DXGKMEM_NT_PANIC 0xd3d6d000u

#endif
