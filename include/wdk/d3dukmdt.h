/* SPDX-License-Identifier: MIT */
/* Stand-in for d3dukmdt.h: types that the user and the kernel half of a display driver share. */
#ifndef DXGKMEM_WDK_D3DUKMDT_H
#define DXGKMEM_WDK_D3DUKMDT_H

#include <dxgkmem/ddi.h>
#include <windef.h>

typedef ULONGLONG D3DGPU_VIRTUAL_ADDRESS;
typedef UINT D3DKMT_HANDLE;
typedef UINT D3DDDI_VIDEO_PRESENT_SOURCE_ID;
typedef UINT D3DDDI_VIDEO_PRESENT_TARGET_ID;

#endif
