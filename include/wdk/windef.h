/* SPDX-License-Identifier: MIT */
/* Stand-in for windef.h: the names that Windows user code has for numbers, and its rectangles. */
#ifndef DXGKMEM_WDK_WINDEF_H
#define DXGKMEM_WDK_WINDEF_H

#include <ntdef.h>

typedef int BOOL, *PBOOL, *LPBOOL;
typedef UCHAR BYTE, *PBYTE, *LPBYTE;
typedef USHORT WORD, *PWORD;
typedef ULONG DWORD, *PDWORD, *LPDWORD;
typedef float FLOAT;
typedef void *LPVOID;
typedef ULONG COLORREF;

typedef struct tagPOINT {
    LONG x;
    LONG y;
} POINT, *PPOINT;

typedef struct tagSIZE {
    LONG cx;
    LONG cy;
} SIZE, *PSIZE;

typedef struct tagRECT {
    LONG left;
    LONG top;
    LONG right;
    LONG bottom;
} RECT, *PRECT;

#if !defined(__cplusplus) && !defined(NOMINMAX)
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif

#endif
