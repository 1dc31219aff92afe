/* SPDX-License-Identifier: MIT */
/* Stand-in for wingdi.h: what of it memory code meets. */
#ifndef DXGKMEM_WDK_WINGDI_H
#define DXGKMEM_WDK_WINGDI_H

#include <windef.h>

typedef struct tagRGBQUAD {
    BYTE rgbBlue;
    BYTE rgbGreen;
    BYTE rgbRed;
    BYTE rgbReserved;
} RGBQUAD;

#endif
