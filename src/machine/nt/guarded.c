/* SPDX-License-Identifier: MIT */
/* The two routines that raise exceptions, each with its handler. The tests bring their own of this file. */
#include "internal.h"

bool nt_probe_and_lock(MDL *mdl, LOCK_OPERATION operation)
{
    __try {
        MmProbeAndLockPages(mdl, KernelMode, operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return false;
    }
    return true;
}

void *nt_map_locked(MDL *mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, ULONG priority)
{
    __try {
        return MmMapLockedPagesSpecifyCache(mdl, mode, cache, NULL, FALSE, priority);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return NULL;
    }
}
