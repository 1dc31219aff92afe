/* SPDX-License-Identifier: MIT */
/*
 * the paging operations that carry memory of this interface to a driver: DxgkDdiBuildPagingBuffer with
 * MAP_APERTURE_SEGMENT2 and UNMAP_APERTURE_SEGMENT. only these two members of the union are restated, and the
 * members behind the union are not: code that looks at others does not compile by their names.
 * pages: ns-d3dkmddi-_dxgkarg_buildpagingbuffer, ne-d3dkmddi-_dxgk_buildpagingbuffer_operation
 */
#ifndef DXGKMEM_DDI_PAGING_H
#define DXGKMEM_DDI_PAGING_H

#include <dxgkmem/ddi.h>

#if !defined(DXGKMEM_USE_WDK_DDI) && (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_9)

typedef enum _DXGK_BUILDPAGINGBUFFER_OPERATION {
    DXGK_OPERATION_TRANSFER = 0,
    DXGK_OPERATION_FILL = 1,
    DXGK_OPERATION_DISCARD_CONTENT = 2,
    DXGK_OPERATION_READ_PHYSICAL = 3,
    DXGK_OPERATION_WRITE_PHYSICAL = 4,
    DXGK_OPERATION_MAP_APERTURE_SEGMENT = 5,
    DXGK_OPERATION_UNMAP_APERTURE_SEGMENT = 6,
    DXGK_OPERATION_MAP_APERTURE_SEGMENT2 = 17, /* WDDM 2.9, for MapAperture2Supported */
} DXGK_BUILDPAGINGBUFFER_OPERATION;

typedef struct _DXGK_MAPAPERTUREFLAGS {
    DXGKMEM_ANON union {
        DXGKMEM_ANON struct {
            UINT CacheCoherent : 1; /* 0x00000001 */
            UINT Reserved : 31;     /* 0xFFFFFFFE */
        };
        UINT Value;
    };
} DXGK_MAPAPERTUREFLAGS;

typedef struct _DXGKARG_BUILDPAGINGBUFFER {
    VOID *pDmaBuffer;
    UINT DmaSize;
    VOID *pDmaBufferPrivateData;
    UINT DmaBufferPrivateDataSize;
    DXGK_BUILDPAGINGBUFFER_OPERATION Operation;
    UINT MultipassOffset;
    DXGKMEM_ANON union {
        struct {
            HANDLE hDevice;
            HANDLE hAllocation;
            UINT SegmentId;
            SIZE_T OffsetInPages; /* within the segment */
            SIZE_T NumberOfPages;
            PHYSICAL_ADDRESS DummyPage;
        } UnmapApertureSegment;
        /* AdlOffset, in pages, applies to BasePageNumber or to Pages, whichever the list has */
        struct {
            HANDLE hDevice;
            HANDLE hAllocation;
            UINT SegmentId;
            SIZE_T OffsetInPages;
            SIZE_T NumberOfPages;
            DXGK_ADL Adl;
            DXGK_MAPAPERTUREFLAGS Flags;
            ULONG AdlOffset;
            PVOID CpuVisibleAddress; /* NULL unless MapApertureCpuVisible */
        } MapApertureSegment2;
    };
} DXGKARG_BUILDPAGINGBUFFER;

typedef CONST DXGKARG_BUILDPAGINGBUFFER *IN_CONST_PDXGKARG_BUILDPAGINGBUFFER;
typedef DXGKARG_BUILDPAGINGBUFFER *IN_PDXGKARG_BUILDPAGINGBUFFER;

#endif

#endif
