/* SPDX-License-Identifier: MIT */
/* Stand-in for dispmprt.h: the interface of ddi_interface.h and what StartDevice is told. */
#ifndef DXGKMEM_WDK_DISPMPRT_H
#define DXGKMEM_WDK_DISPMPRT_H

#include <d3dkmddi.h>
#include <dxgkmem/ddi_interface.h>

typedef struct _DXGK_START_INFO {
    ULONG RequiredDmaQueueEntry;
    GUID AdapterGuid;
    LUID AdapterLuid;
} DXGK_START_INFO, *PDXGK_START_INFO;
typedef CONST PDXGK_START_INFO IN_PDXGK_START_INFO;
typedef CONST PDXGKRNL_INTERFACE IN_PDXGKRNL_INTERFACE;

#endif
