/* SPDX-License-Identifier: MIT */
/* Stand-in for d3dkmthk.h: the thunks of user mode; its types are in d3dukmdt.h. */
#ifndef DXGKMEM_WDK_D3DKMTHK_H
#define DXGKMEM_WDK_D3DKMTHK_H

#include <d3dukmdt.h>

#endif
