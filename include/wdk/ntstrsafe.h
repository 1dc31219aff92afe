/* SPDX-License-Identifier: MIT */
/* Stand-in for ntstrsafe.h: strings with a length. Counts are bytes (Cb) or characters (Cch), the end included. */
#ifndef DXGKMEM_WDK_NTSTRSAFE_H
#define DXGKMEM_WDK_NTSTRSAFE_H

#include <ntdef.h>
#include <ntstatus.h>

EXTERN_C_START

NTSTATUS RtlStringCchPrintfA(PSTR Destination, SIZE_T Characters, PCSTR Format, ...)
    __attribute__((format(printf, 3, 4)));
NTSTATUS RtlStringCchCopyA(PSTR Destination, SIZE_T Characters, PCSTR Source);
NTSTATUS RtlStringCchCopyW(PWSTR Destination, SIZE_T Characters, PCWSTR Source);
NTSTATUS RtlStringCchCatA(PSTR Destination, SIZE_T Characters, PCSTR Source);
NTSTATUS RtlStringCchLengthW(PCWSTR String, SIZE_T Most, PSIZE_T Length);
#define RtlStringCbPrintfA RtlStringCchPrintfA
#define RtlStringCbCopyA RtlStringCchCopyA
#define RtlStringCbCatA RtlStringCchCatA
#define RtlStringCbCopyW(to, bytes, from) RtlStringCchCopyW((to), (bytes) / sizeof(WCHAR), (from))

EXTERN_C_END

#endif
