/* SPDX-License-Identifier: MIT */
/*
 * What dxgkmem is compared with: the same eight callbacks written the
 * straightforward way, with one mutex and hash tables from handle to record,
 * on the same machine. It validates handles and the order of calls, and no more.
 */
#ifndef DXGKMEM_BENCH_PEER_H
#define DXGKMEM_BENCH_PEER_H

#include <dxgkmem/dxgkmem.h>

/* Starts it with one device, which sees all memory; fills the eight members and DeviceHandle. False: no memory. */
bool peer_start(struct dxgkmem_machine *machine, uint64_t device, DXGKRNL_INTERFACE *callbacks);

#endif
