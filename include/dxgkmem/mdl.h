/* SPDX-License-Identifier: MIT */
/*
 * What a PMDL of the WDDM 2.4 callbacks points to: the fields of the kernel's own memory descriptor list at
 * the kernel's own offsets (wdm/ns-wdm-_mdl), so that MmGetMdlPfnArray and its kin read it, on every host.
 * The page numbers follow the structure.
 */
#ifndef DXGKMEM_MDL_H
#define DXGKMEM_MDL_H

#include <dxgkmem/ddi_base.h>

#define DXGKMEM_MDL_MAPPED_TO_SYSTEM_VA 0x0001
#define DXGKMEM_MDL_PAGES_LOCKED 0x0002
#define DXGKMEM_MDL_SOURCE_IS_NONPAGED_POOL 0x0004
#define DXGKMEM_MDL_PARTIAL 0x0010

struct dxgkmem_mdl {
    struct dxgkmem_mdl *Next;
    int16_t Size; /* of structure and page numbers, cut to 16 bits */
    int16_t MdlFlags;
    void *Process;
    void *MappedSystemVa; /* where kernel code sees the pages */
    void *StartVa;
    ULONG ByteCount;
    ULONG ByteOffset;
};

/* The page numbers of the MDL's ByteCount bytes. */
static inline ULONG_PTR *dxgkmem_mdl_pages(struct dxgkmem_mdl *mdl)
{
    return (ULONG_PTR *)(void *)(mdl + 1);
}

#endif
