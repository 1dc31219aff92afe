/* SPDX-License-Identifier: MIT */
/*
 * How the Windows driver's device is found and called. For the driver and for
 * clients; of Windows' headers either kind comes before it.
 */
#ifndef DXGKMEM_DRIVER_NT_DEVICE_H
#define DXGKMEM_DRIVER_NT_DEVICE_H

#include "../protocol.h"

#define DEVICE_NAME L"\\Device\\dxgkmem"
#define DEVICE_LINK L"\\DosDevices\\dxgkmem"
#define DEVICE_PATH L"\\\\.\\dxgkmem" /* for CreateFile */

/* The one call: a request of protocol.h in, its reply out. */
#define IOCTL_DXGKMEM_CALL                                                                                   \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)

#endif
