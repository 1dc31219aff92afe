/* SPDX-License-Identifier: MIT */
/* Stand-in for ntddk.h. */
#ifndef DXGKMEM_WDK_NTDDK_H
#define DXGKMEM_WDK_NTDDK_H

#include <wdm.h>

#endif
