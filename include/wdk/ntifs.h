/* SPDX-License-Identifier: MIT */
/* Stand-in for ntifs.h: being in another process for a while. */
#ifndef DXGKMEM_WDK_NTIFS_H
#define DXGKMEM_WDK_NTIFS_H

#include <ntddk.h>

EXTERN_C_START

typedef struct _KAPC_STATE {
    ULONG Process;
    BOOLEAN Attached;
} KAPC_STATE, *PKAPC_STATE, *PRKAPC_STATE;
VOID KeStackAttachProcess(PEPROCESS Process, PRKAPC_STATE ApcState);
VOID KeUnstackDetachProcess(PRKAPC_STATE ApcState);

EXTERN_C_END

#endif
