/* SPDX-License-Identifier: MIT */
/* Stand-in for d3dkmddi.h: the callbacks and paging operations of ddi.h and ddi_paging.h. */
#ifndef DXGKMEM_WDK_D3DKMDDI_H
#define DXGKMEM_WDK_D3DKMDDI_H

#include <d3dkmthk.h>
#include <d3dukmdt.h>
#include <dxgkmem/ddi.h>
#include <dxgkmem/ddi_paging.h>

#endif
