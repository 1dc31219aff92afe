/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * The module's device, for its clients: /dev/dxgkmem, for root with CAP_SYS_ADMIN.
 *
 * One ioctl takes a request of ../protocol.h and gives the reply. It fails with
 *   EINVAL     the request is malformed; `status` says how (enum batch_status)
 *   ENOSPC     the reply does not fit
 *   EBUSY      another request is under way
 *   EINTR      the client is being killed
 *   ENOMEM     no memory
 *   EFAULT     the request or the room for the reply is no memory of the client's
 *   ESHUTDOWN  a bug check or a failed assertion stopped the callbacks; unload the module
 *   ENOTTY     another ioctl
 *
 * mmap, shared, from offset 0, of DXGKMEM_COVERAGE_BYTES: what the programs that were run
 * through this open file reached, since whoever mapped it cleared it. A counter an edge of
 * core, up to 255 and of one request modulo 256, then one a cell of the matrix. ENODEV: the module
 * was built without. A fork shares it.
 */
#ifndef DXGKMEM_DRIVER_LINUX_DEVICE_H
#define DXGKMEM_DRIVER_LINUX_DEVICE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DXGKMEM_DEVICE "dxgkmem"

struct dxgkmem_request {
	__u64 request; /* address */
	__u64 reply; /* address */
	__u32 request_bytes;
	__u32 reply_room;
	__u32 reply_bytes; /* out: how much was written */
	__u32 status; /* out: enum batch_status */
};

#define DXGKMEM_IOC_CALL _IOWR('x', 1, struct dxgkmem_request)

#define DXGKMEM_COVERAGE_EDGES 4096u /* more than there are */
#define DXGKMEM_COVERAGE_CELLS 4096u /* by the number of the cell */
#define DXGKMEM_COVERAGE_BYTES (DXGKMEM_COVERAGE_EDGES + DXGKMEM_COVERAGE_CELLS)

#endif
