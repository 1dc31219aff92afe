/* SPDX-License-Identifier: MIT */
/* Stand-in for ntddvdeo.h: included by every miniport, needed by none of its memory code. */
#ifndef DXGKMEM_WDK_NTDDVDEO_H
#define DXGKMEM_WDK_NTDDVDEO_H

#include <ntdef.h>

#endif
