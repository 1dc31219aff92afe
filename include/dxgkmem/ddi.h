/* SPDX-License-Identifier: MIT */
/*
 * the physical-memory part of the WDDM display driver interface: what a display miniport driver calls in
 * the graphics kernel to get memory, to let its device reach it, and to see it from the CPU.
 *
 * names, order, types and numbers are Microsoft's (d3dkmddi.h of the 10.0.26100 kit), so that a driver's
 * source compiles against either. the comments are ours. each type names its page of the driver reference
 * (learn.microsoft.com/windows-hardware/drivers/ddi/d3dkmddi/<page>).
 *
 * units: sizes and offsets are bytes; page numbers count pages of PAGE_SIZE bytes.
 * direction: _In_ fields are read by the callback, _Out_ fields are written by it. a refused call leaves
 * every _Out_ field zero.
 * IRQL: PASSIVE_LEVEL for all of them; one feature page allows APC_LEVEL, and says that from WDDM 3.2 a
 * call at DISPATCH_LEVEL or above bug checks.
 */
#ifndef DXGKMEM_DDI_H
#define DXGKMEM_DDI_H

#include <dxgkmem/ddi_base.h>

#if defined(DXGKMEM_USE_WDK_DDI)
#include <d3dkmddi.h>
#else

/* ---- versions -------------------------------------------------------------------------------- */

/*
 * the interface version that a driver is compiled for. it decides which types and members exist; the
 * numbers only ever grow, so `>=` is the right question. 2_1_5 and 2_1_6 are interim versions.
 */
/* clang-format off */
#ifndef DXGKDDI_INTERFACE_VERSION_VISTA
#define DXGKDDI_INTERFACE_VERSION_VISTA                             0x1052
#define DXGKDDI_INTERFACE_VERSION_VISTA_SP1                         0x1053
#define DXGKDDI_INTERFACE_VERSION_WIN7                              0x2005
#define DXGKDDI_INTERFACE_VERSION_WIN8                              0x300E
#define DXGKDDI_INTERFACE_VERSION_WDDM1_3                           0x4002
#define DXGKDDI_INTERFACE_VERSION_WDDM1_3_PATH_INDEPENDENT_ROTATION 0x4003
#define DXGKDDI_INTERFACE_VERSION_WDDM2_0                           0x5023
#define DXGKDDI_INTERFACE_VERSION_WDDM2_1                           0x6003
#define DXGKDDI_INTERFACE_VERSION_WDDM2_1_5                         0x6010
#define DXGKDDI_INTERFACE_VERSION_WDDM2_1_6                         0x6011
#define DXGKDDI_INTERFACE_VERSION_WDDM2_2                           0x700A
#define DXGKDDI_INTERFACE_VERSION_WDDM2_3                           0x8001
#define DXGKDDI_INTERFACE_VERSION_WDDM2_4                           0x9006
#define DXGKDDI_INTERFACE_VERSION_WDDM2_5                           0xA00B
#define DXGKDDI_INTERFACE_VERSION_WDDM2_6                           0xB004
#define DXGKDDI_INTERFACE_VERSION_WDDM2_7                           0xC004
#define DXGKDDI_INTERFACE_VERSION_WDDM2_8                           0xD001
#define DXGKDDI_INTERFACE_VERSION_WDDM2_9                           0xE003
#define DXGKDDI_INTERFACE_VERSION_WDDM3_0                           0xF003
#define DXGKDDI_INTERFACE_VERSION_WDDM3_1                           0x10004
#define DXGKDDI_INTERFACE_VERSION_WDDM3_2                           0x11007
#endif
/* clang-format on */

#ifndef DXGKDDI_INTERFACE_VERSION
#define DXGKDDI_INTERFACE_VERSION DXGKDDI_INTERFACE_VERSION_WDDM3_2
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#pragma warning(push)
#pragma warning(disable : 4201) /* unnamed structs and unions: the interface is made of them */
#endif

/* a handle by value. Microsoft's spelling; the const only binds the callee's own copy */
#ifndef IN_CONST_HANDLE
#define IN_CONST_HANDLE _In_ CONST HANDLE
#endif

/* ---- WDDM 2.4: memory that is already the device's ------------------------------------------- */

#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_4)

/*
 * how the CPU caches a piece of memory. same numbers as the memory manager's MmNonCached, MmCached and
 * MmWriteCombined. chosen at allocation, and every later CPU mapping uses it.
 * page: ne-d3dkmddi-_dxgk_memory_caching_type
 */
typedef enum _DXGK_MEMORY_CACHING_TYPE {
    DXGK_MEMORY_CACHING_TYPE_NON_CACHED = 0,
    DXGK_MEMORY_CACHING_TYPE_CACHED = 1,
    DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED = 2,
} DXGK_MEMORY_CACHING_TYPE;

/*
 * the questions asked through DxgkDdiQueryAdapterInfo. only those about this memory are declared here.
 * page: ne-d3dkmddi-_dxgk_queryadapterinfotype
 */
typedef enum _DXGK_QUERYADAPTERINFOTYPE {
    DXGKQAITYPE_FRAMEBUFFERSAVESIZE = 21, /* answer: DXGK_FRAMEBUFFERSAVEAREA */
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_9)
    /* both are asked after AddDevice of all linked adapters and before StartDevice */
    DXGKQAITYPE_PHYSICAL_MEMORY_CAPS = 34, /* answer: DXGK_PHYSICAL_MEMORY_CAPS */
    DXGKQAITYPE_IOMMU_CAPS = 35,           /* answer: DXGK_IOMMU_CAPS */
#endif
} DXGK_QUERYADAPTERINFOTYPE;

/*
 * the driver's answer: how much system memory it may need to save its frame buffer across a power
 * transition. a multiple of PAGE_SIZE, and the bound on CommitSize of both pin calls.
 * page: ns-d3dkmddi-_dxgk_framebuffersavearea
 */
typedef struct _DXGK_FRAMEBUFFERSAVEAREA {
    _Out_ SIZE_T MaximumSize;
} DXGK_FRAMEBUFFERSAVEAREA;

/*
 * one physically contiguous block. bounds are byte addresses, both inclusive. the boundary is 0 or a power
 * of two, and no block crosses a multiple of it. the memory is reachable by the device for its whole life;
 * it goes back with hMemoryHandle through the free call below and no other.
 * page: ns-d3dkmddi-_dxgkargcb_allocatecontiguousmemory
 */
typedef struct _DXGKARGCB_ALLOCATECONTIGUOUSMEMORY {
    _In_ SIZE_T NumberOfBytes;
    _In_ PHYSICAL_ADDRESS LowestAcceptableAddress;
    _In_ PHYSICAL_ADDRESS HighestAcceptableAddress;
    _In_ PHYSICAL_ADDRESS BoundaryAddressMultiple;
    _In_ DXGK_MEMORY_CACHING_TYPE CacheType;
    _Out_ HANDLE hMemoryHandle;
    _Out_ PVOID pMemory; /* where kernel code sees it */
} DXGKARGCB_ALLOCATECONTIGUOUSMEMORY;

typedef _Inout_ DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *INOUT_PDXGKARGCB_ALLOCATECONTIGUOUSMEMORY;

/* gives back what the call above handed out. page: ns-d3dkmddi-_dxgkargcb_freecontiguousmemory */
typedef struct _DXGKARGCB_FREECONTIGUOUSMEMORY {
    _In_ HANDLE hMemoryHandle;
} DXGKARGCB_FREECONTIGUOUSMEMORY;

typedef _In_ CONST DXGKARGCB_FREECONTIGUOUSMEMORY *IN_CONST_PDXGKARGCB_FREECONTIGUOUSMEMORY;

/*
 * pages that need not be neighbours. [LowAddress, HighAddress] is searched first, then ranges that start
 * SkipBytes further each time; Flags are MM_ALLOCATE_*, to which MM_ALLOCATE_FULLY_REQUIRED is always
 * added. at most 4 GB minus one page.
 * page: ns-d3dkmddi-_dxgkargcb_allocatepagesformdl
 */
typedef struct _DXGKARGCB_ALLOCATEPAGESFORMDL {
    _In_ PHYSICAL_ADDRESS LowAddress;
    _In_ PHYSICAL_ADDRESS HighAddress;
    _In_ PHYSICAL_ADDRESS SkipBytes;
    _In_ SIZE_T TotalBytes;
    _In_ DXGK_MEMORY_CACHING_TYPE CacheType;
    _In_ ULONG Flags;
    _Out_ HANDLE hMemoryHandle;
    _Out_ PMDL pMdl;
} DXGKARGCB_ALLOCATEPAGESFORMDL;

typedef _Inout_ DXGKARGCB_ALLOCATEPAGESFORMDL *INOUT_PDXGKARGCB_ALLOCATEPAGESFORMDL;

/* gives back what the call above handed out. page: ns-d3dkmddi-_dxgkargcb_freepagesfrommdl */
typedef struct _DXGKARGCB_FREEPAGESFROMMDL {
    _In_ HANDLE hMemoryHandle;
} DXGKARGCB_FREEPAGESFROMMDL;

typedef _In_ CONST DXGKARGCB_FREEPAGESFROMMDL *IN_CONST_PDXGKARGCB_FREEPAGESFROMMDL;

/*
 * commits and locks the first CommitSize bytes of the area reserved for saving one adapter's frame buffer.
 * the adapter is given by its place in the link; the handle is that of the lead one. CommitSize is a
 * multiple of PAGE_SIZE and at most the MaximumSize which that adapter reported. may fail: the driver then
 * saves in chunks through the map call below.
 * page: ns-d3dkmddi-_dxgkargcb_pinframebufferforsave
 */
typedef struct _DXGKARGCB_PINFRAMEBUFFERFORSAVE {
    _In_ UINT PhysicalAdapterIndex;
    _In_ SIZE_T CommitSize;
    _Out_ PMDL pMdl;
} DXGKARGCB_PINFRAMEBUFFERFORSAVE;

typedef _Inout_ DXGKARGCB_PINFRAMEBUFFERFORSAVE *INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE;

/*
 * unlocks what either pin call locked; there is no second form of it.
 * page: ns-d3dkmddi-_dxgkargcb_unpinframebufferforsave
 */
typedef struct _DXGKARGCB_UNPINFRAMEBUFFERFORSAVE {
    _In_ UINT PhysicalAdapterIndex;
} DXGKARGCB_UNPINFRAMEBUFFERFORSAVE;

typedef _In_ CONST DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *IN_CONST_PDXGKARGCB_UNPINFRAMEBUFFERFORSAVE;

/*
 * a CPU view of part of the save area. Size and the Offset passed in are multiples of PAGE_SIZE; the wanted
 * byte is at pBaseAddress plus the Offset that comes back. even one page may be refused.
 * page: ns-d3dkmddi-_dxgkargcb_mapframebufferpointer
 */
typedef struct _DXGKARGCB_MAPFRAMEBUFFERPOINTER {
    _In_ UINT PhysicalAdapterIndex;
    _In_ SIZE_T Size;
    _Inout_ SIZE_T Offset;
    _Out_ PVOID pBaseAddress;
} DXGKARGCB_MAPFRAMEBUFFERPOINTER;

typedef _Inout_ DXGKARGCB_MAPFRAMEBUFFERPOINTER *INOUT_PDXGKARGCB_MAPFRAMEBUFFERPOINTER;

/* ends a view, by the base it was given. page: ns-d3dkmddi-_dxgkargcb_unmapframebufferpointer */
typedef struct _DXGKARGCB_UNMAPFRAMEBUFFERPOINTER {
    _In_ UINT PhysicalAdapterIndex;
    _In_ PVOID pBaseAddress;
} DXGKARGCB_UNMAPFRAMEBUFFERPOINTER;

typedef _In_ CONST DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *IN_CONST_PDXGKARGCB_UNMAPFRAMEBUFFERPOINTER;

/*
 * lets the device reach pages that the driver got elsewhere. the MDL describes valid pages, and neither it
 * nor they may change or go away before the unmap.
 * page: ns-d3dkmddi-_dxgkargcb_mapmdltoiommu
 */
typedef struct _DXGKARGCB_MAPMDLTOIOMMU {
    _In_ PMDL pMdl;
    _Out_ HANDLE hMemoryHandle;
} DXGKARGCB_MAPMDLTOIOMMU;

typedef _Inout_ DXGKARGCB_MAPMDLTOIOMMU *INOUT_PDXGKARGCB_MAPMDLTOIOMMU;

/* takes the reach away again. page: ns-d3dkmddi-_dxgkargcb_unmapmdlfromiommu */
typedef struct _DXGKARGCB_UNMAPMDLFROMIOMMU {
    _In_ HANDLE hMemoryHandle;
} DXGKARGCB_UNMAPMDLFROMIOMMU;

typedef _In_ CONST DXGKARGCB_UNMAPMDLFROMIOMMU *IN_CONST_PDXGKARGCB_UNMAPMDLFROMIOMMU;

/*
 * the ten callbacks. hAdapter is the device handle from the interface. only the last returns nothing.
 * pages: nc-d3dkmddi-<name in lower case>
 */
/* clang-format off */
typedef _Check_return_ _Function_class_DXGK_(DXGKCB_ALLOCATECONTIGUOUSMEMORY) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_ALLOCATECONTIGUOUSMEMORY)(
    IN_CONST_HANDLE hAdapter, INOUT_PDXGKARGCB_ALLOCATECONTIGUOUSMEMORY pAllocateContiguousMemory);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_FREECONTIGUOUSMEMORY) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_FREECONTIGUOUSMEMORY)(
    IN_CONST_HANDLE hAdapter, IN_CONST_PDXGKARGCB_FREECONTIGUOUSMEMORY pFreeContiguousMemory);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_ALLOCATEPAGESFORMDL) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_ALLOCATEPAGESFORMDL)(
    IN_CONST_HANDLE hAdapter, INOUT_PDXGKARGCB_ALLOCATEPAGESFORMDL pAllocatePagesForMdl);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_FREEPAGESFROMMDL) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_FREEPAGESFROMMDL)(
    IN_CONST_HANDLE hAdapter, IN_CONST_PDXGKARGCB_FREEPAGESFROMMDL pFreePagesFromMdl);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_PINFRAMEBUFFERFORSAVE) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_PINFRAMEBUFFERFORSAVE)(
    IN_CONST_HANDLE hAdapter, INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE pPinFrameBufferForSave);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_UNPINFRAMEBUFFERFORSAVE) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_UNPINFRAMEBUFFERFORSAVE)(
    IN_CONST_HANDLE hAdapter, IN_CONST_PDXGKARGCB_UNPINFRAMEBUFFERFORSAVE pUnpinFrameBufferForSave);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_MAPFRAMEBUFFERPOINTER) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_MAPFRAMEBUFFERPOINTER)(
    IN_CONST_HANDLE hAdapter, INOUT_PDXGKARGCB_MAPFRAMEBUFFERPOINTER pMapFrameBufferPointer);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_UNMAPFRAMEBUFFERPOINTER) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_UNMAPFRAMEBUFFERPOINTER)(
    IN_CONST_HANDLE hAdapter, IN_CONST_PDXGKARGCB_UNMAPFRAMEBUFFERPOINTER pUnmapFrameBufferPointer);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_MAPMDLTOIOMMU) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_MAPMDLTOIOMMU)(
    IN_CONST_HANDLE hAdapter, INOUT_PDXGKARGCB_MAPMDLTOIOMMU pMapMdlToIoMmu);

typedef _Function_class_DXGK_(DXGKCB_UNMAPMDLFROMIOMMU) _IRQL_requires_(PASSIVE_LEVEL)
VOID (APIENTRY CALLBACK *DXGKCB_UNMAPMDLFROMIOMMU)(
    IN_CONST_HANDLE hAdapter, IN_CONST_PDXGKARGCB_UNMAPMDLFROMIOMMU pUnmapMdlFromIoMmu);
/* clang-format on */

#endif /* >= WDDM2_4 */

/* ---- WDDM 2.9: physical memory objects ------------------------------------------------------- */

#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_9)

/*
 * where an object's pages come from.
 * page: ne-d3dkmddi-dxgk_physical_memory_type
 */
typedef enum _DXGK_PHYSICAL_MEMORY_TYPE {
    DXGK_PHYSICAL_MEMORY_TYPE_MDL = 0,               /* any pages within bounds, not always neighbours */
    DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY = 1, /* one block */
    DXGK_PHYSICAL_MEMORY_TYPE_SECTION = 2,           /* pageable, made to be mapped into processes */
    DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE = 3,          /* a range the driver owns; nothing is allocated */
} DXGK_PHYSICAL_MEMORY_TYPE;

/*
 * who is to see a CPU mapping. USER_MODE means the current process, which must also be the current one
 * when the mapping ends; IO_SPACE objects may be mapped KERNEL_MODE only.
 * page: ne-d3dkmddi-dxgk_access_mode
 */
typedef enum _DXGK_ACCESS_MODE {
    DXGK_ACCESS_MODE_KERNEL_MODE = 0,
    DXGK_ACCESS_MODE_USER_MODE = 1,
} DXGK_ACCESS_MODE;

/* number of a page as the device counts them: logical when DMA is remapped, else physical */
typedef UINT_PTR DXGK_PAGE_NUMBER;

/*
 * the driver's answer: the highest byte address its device can put on the bus. decides at start whether
 * DMA must be remapped; linked adapters all report the smallest of theirs.
 * page: ns-d3dkmddi-dxgk_physical_memory_caps
 */
typedef struct _DXGK_PHYSICAL_MEMORY_CAPS {
    _Out_ PHYSICAL_ADDRESS HighestVisibleAddress;
} DXGK_PHYSICAL_MEMORY_CAPS;

/*
 * the driver's answer: what it can do with an IOMMU. the first two agree with the same claims in
 * DXGK_VIDMMCAPS; DmaRemappingSupported promises that the driver uses this whole family.
 * page: ns-d3dkmddi-dxgk_iommu_caps
 */
typedef struct _DXGK_IOMMU_CAPS {
    DXGKMEM_ANON union {
        DXGKMEM_ANON struct {
            UINT32 IommuIsolationSupported : 1;  /* 0x00000001 */
            UINT32 IommuIsolationRequired : 1;   /* 0x00000002 */
            UINT32 DmaRemappingSupported : 1;    /* 0x00000004 */
            UINT32 GpuVaIommuRequired : 1;       /* 0x00000008 */
            UINT32 GpuVaIommuGlobalRequired : 1; /* 0x00000010 */
            UINT32 Reserved : 27;                /* 0xFFFFFFE0 */
        };
        UINT32 Value;
    };
} DXGK_IOMMU_CAPS;

/*
 * Contiguous tells which member of the ADL's union is alive. it may be set without having been asked for,
 * so it has to be tested always. belongs to ns-d3dkmddi-dxgk_adl
 */
typedef struct _DXGK_ADL_FLAGS {
    DXGKMEM_ANON union {
        DXGKMEM_ANON struct {
            UINT32 Contiguous : 1; /* 0x00000001 */
            UINT32 Reserved : 31;  /* 0xFFFFFFFE */
        };
        UINT32 Value;
    };
} DXGK_ADL_FLAGS;

/*
 * an address descriptor list: the pages of part of an object, as the device must name them, in order. the
 * pages are locked and the device may reach them exactly while the list lives. no CPU mapping may be made
 * from these numbers. PageCount counts pages.
 * page: ns-d3dkmddi-dxgk_adl
 */
typedef struct _DXGK_ADL {
    UINT32 PageCount;
    DXGK_ADL_FLAGS Flags;
    DXGKMEM_ANON union {
        DXGK_PAGE_NUMBER BasePageNumber; /* Contiguous set: the first of PageCount neighbours */
        CONST DXGK_PAGE_NUMBER *Pages;   /* Contiguous clear: exactly PageCount numbers */
    };
} DXGK_ADL;

/*
 * makes an object. with an adapter it also opens the object there, and both handles come back; without one
 * hAdapterMemoryObject comes back NULL, and the object must be opened before an ADL can be made. any
 * adapter of a link stands for the whole link. Size is in bytes; Context is kept for debugging, never
 * followed.
 * page: ns-d3dkmddi-dxgkargcb_create_physical_memory_object
 */
typedef struct _DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT {
    _In_opt_ HANDLE hAdapter;
    _In_ SIZE_T Size;
    _In_opt_ ULONG_PTR Context;
    _In_ DXGK_PHYSICAL_MEMORY_TYPE Type;
    _In_ DXGK_MEMORY_CACHING_TYPE CacheType;
    DXGKMEM_ANON union {
        /* parameters of MmAllocatePagesForMdlEx: inclusive bounds, bytes; Flags are MM_ALLOCATE_* */
        struct {
            _In_ PHYSICAL_ADDRESS LowAddress;
            _In_ PHYSICAL_ADDRESS HighAddress;
            _In_ PHYSICAL_ADDRESS SkipBytes;
            _In_ UINT Flags;
        } Mdl;
        /* parameters of MmAllocateContiguousMemorySpecifyCache: the boundary is 0 or a power of two */
        struct {
            _In_ PHYSICAL_ADDRESS LowestAcceptableAddress;
            _In_ PHYSICAL_ADDRESS HighestAcceptableAddress;
            _In_ PHYSICAL_ADDRESS BoundaryAddressMultiple;
        } ContiguousMemory;
        /*
         * parameters of ZwCreateSection. always SEC_COMMIT; CacheType is CACHED or WRITE_COMBINED;
         * PageProtection is PAGE_READONLY, _READWRITE, _WRITECOPY or _EXECUTE and holds no cache bits
         */
        struct {
            _In_ ACCESS_MASK DesiredAccess;
            _In_ POBJECT_ATTRIBUTES ObjectAttributes;
            _In_ ULONG PageProtection;
            _In_ ULONG AllocationAttributes;
        } Section;
        /* first byte of the range, a multiple of PAGE_SIZE; its length is Size */
        struct {
            _In_ PHYSICAL_ADDRESS BaseAddress;
        } IOSpace;
    };
    _Out_ HANDLE hPhysicalMemoryObject;
    _Out_ HANDLE hAdapterMemoryObject;
} DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT;

typedef _Inout_ DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *IN_OUT_PDXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT;

/*
 * ends an object. naming the adapter object closes it as well, and then it must not be closed again. a
 * live ADL bug checks, since its locked pages would leak.
 * page: ns-d3dkmddi-dxgkargcb_destroy_physical_memory_object
 */
typedef struct _DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT {
    _In_ HANDLE hPhysicalMemoryObject;
    _In_opt_ HANDLE hAdapterMemoryObject;
} DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT;

typedef _In_ CONST
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *IN_CONST_PDXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT;

/*
 * opens an object on the logical adapter that hAdapter belongs to. an object is open on one of them at
 * most, so a second open fails, and so does opening what was created with an adapter.
 * page: ns-d3dkmddi-dxgkargcb_open_physical_memory_object
 */
typedef struct _DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT {
    _In_ HANDLE hPhysicalMemoryObject;
    _In_ HANDLE hAdapter;
    _Out_ HANDLE hAdapterMemoryObject;
} DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT;

typedef _Inout_ DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *IN_OUT_PDXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT;

/*
 * closes what open, or create with an adapter, opened; unless destroy is to do it.
 * page: ns-d3dkmddi-dxgkargcb_close_physical_memory_object
 */
typedef struct _DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT {
    _In_ HANDLE hAdapterMemoryObject;
} DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT;

typedef _In_ CONST DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *IN_CONST_PDXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT;

/*
 * a CPU mapping of part of an object; no adapter is needed. in: the wanted range in bytes, of any
 * alignment. out: Size is what was mapped, perhaps more, and Offset is the distance from pMappedAddress to
 * the wanted byte. the reference marks Size as input only and describes it as both.
 * page: ns-d3dkmddi-dxgkargcb_map_physical_memory
 */
typedef struct _DXGKARGCB_MAP_PHYSICAL_MEMORY {
    _In_ HANDLE hPhysicalMemoryObject;
    _In_ DXGK_ACCESS_MODE AccessMode;
    _Inout_ SIZE_T Offset;
    _Inout_ SIZE_T Size;
    _Out_ void *pMappedAddress;
} DXGKARGCB_MAP_PHYSICAL_MEMORY;

typedef _Inout_ DXGKARGCB_MAP_PHYSICAL_MEMORY *IN_OUT_PDXGKARGCB_MAP_PHYSICAL_MEMORY;

/*
 * ends a mapping: by the base address and the Size that came back from map, not those passed in.
 * page: ns-d3dkmddi-dxgkargcb_unmap_physical_memory
 */
typedef struct _DXGKARGCB_UNMAP_PHYSICAL_MEMORY {
    _In_ HANDLE hPhysicalMemoryObject;
    _In_ void *pBaseAddress;
    _In_ SIZE_T Size;
} DXGKARGCB_UNMAP_PHYSICAL_MEMORY;

typedef _In_ CONST DXGKARGCB_UNMAP_PHYSICAL_MEMORY *IN_CONST_PDXGKARGCB_UNMAP_PHYSICAL_MEMORY;

/*
 * makes an ADL. Offset, counted from the start of the object, and Size are multiples of PAGE_SIZE.
 * RequireContiguous is for CONTIGUOUS_MEMORY and IO_SPACE objects only; PreferContiguous is a wish; reserved
 * bits are 0. the list belongs to the callee: what comes back is a pointer to it, not a copy.
 * page: ns-d3dkmddi-dxgkargcb_allocate_adl
 */
typedef struct _DXGKARGCB_ALLOCATE_ADL {
    _In_ HANDLE hAdapterMemoryObject;
    _In_ SIZE_T Offset;
    _In_ SIZE_T Size;
    union {
        DXGKMEM_ANON struct {
            UINT32 RequireContiguous : 1; /* 0x00000001 */
            UINT32 PreferContiguous : 1;  /* 0x00000002 */
            UINT32 Reserved : 30;         /* 0xFFFFFFFC */
        };
        UINT32 Value;
    } Flags; /* in */
    _Out_ DXGK_ADL *pAdl;
} DXGKARGCB_ALLOCATE_ADL;

typedef _Inout_ DXGKARGCB_ALLOCATE_ADL *IN_OUT_PDXGKARGCB_ALLOCATE_ADL;

/*
 * ends an ADL: the same pointer and the same adapter object as when it was made. the device must not touch
 * the pages any more.
 * page: ns-d3dkmddi-dxgkargcb_free_adl
 */
typedef struct _DXGKARGCB_FREE_ADL {
    _In_ HANDLE hAdapterMemoryObject;
    _In_ DXGK_ADL *pAdl;
} DXGKARGCB_FREE_ADL;

typedef _In_ CONST DXGKARGCB_FREE_ADL *IN_CONST_PDXGKARGCB_FREE_ADL;

/*
 * the older pin call for drivers that speak ADLs. the list ends with the unpin call, not with free.
 * page: ns-d3dkmddi-dxgkargcb_pinframebufferforsave2
 */
typedef struct _DXGKARGCB_PINFRAMEBUFFERFORSAVE2 {
    _In_ UINT PhysicalAdapterIndex;
    _In_ SIZE_T CommitSize;
    union {
        DXGKMEM_ANON struct {
            UINT PreferContiguous : 1; /* 0x00000001 */
            UINT Reserved : 31;        /* 0xFFFFFFFE */
        };
        UINT Value;
    } Flags; /* in */
    _Out_ DXGK_ADL *pAdl;
} DXGKARGCB_PINFRAMEBUFFERFORSAVE2;

typedef _Inout_ DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE2;

/*
 * the nine callbacks. the first eight carry no adapter of their own: it is in the structure or behind a
 * handle. those that end something return nothing, so a mistake there cannot be told to the caller.
 * pages: nc-d3dkmddi-<name in lower case>
 */
/* clang-format off */
typedef _Check_return_ _Function_class_DXGK_(DXGKCB_CREATEPHYSICALMEMORYOBJECT) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_CREATEPHYSICALMEMORYOBJECT)(
    IN_OUT_PDXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT pArgs);

typedef _Function_class_DXGK_(DXGKCB_DESTROYPHYSICALMEMORYOBJECT) _IRQL_requires_(PASSIVE_LEVEL)
VOID (APIENTRY CALLBACK *DXGKCB_DESTROYPHYSICALMEMORYOBJECT)(
    IN_CONST_PDXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT pArgs);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_OPENPHYSICALMEMORYOBJECT) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_OPENPHYSICALMEMORYOBJECT)(
    IN_OUT_PDXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT pArgs);

typedef _Function_class_DXGK_(DXGKCB_CLOSEPHYSICALMEMORYOBJECT) _IRQL_requires_(PASSIVE_LEVEL)
VOID (APIENTRY CALLBACK *DXGKCB_CLOSEPHYSICALMEMORYOBJECT)(
    IN_CONST_PDXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT pArgs);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_MAPPHYSICALMEMORY) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_MAPPHYSICALMEMORY)(
    IN_OUT_PDXGKARGCB_MAP_PHYSICAL_MEMORY pArgs);

typedef _Function_class_DXGK_(DXGKCB_UNMAPPHYSICALMEMORY) _IRQL_requires_(PASSIVE_LEVEL)
VOID (APIENTRY CALLBACK *DXGKCB_UNMAPPHYSICALMEMORY)(
    IN_CONST_PDXGKARGCB_UNMAP_PHYSICAL_MEMORY pArgs);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_ALLOCATEADL) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_ALLOCATEADL)(
    IN_OUT_PDXGKARGCB_ALLOCATE_ADL pArgs);

typedef _Function_class_DXGK_(DXGKCB_FREEADL) _IRQL_requires_(PASSIVE_LEVEL)
VOID (APIENTRY CALLBACK *DXGKCB_FREEADL)(
    IN_CONST_PDXGKARGCB_FREE_ADL pArgs);

typedef _Check_return_ _Function_class_DXGK_(DXGKCB_PINFRAMEBUFFERFORSAVE2) _IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS (APIENTRY CALLBACK *DXGKCB_PINFRAMEBUFFERFORSAVE2)(
    IN_CONST_HANDLE hAdapter, INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE2 pPinFrameBufferForSave2);
/* clang-format on */

#endif /* >= WDDM2_9 */

#if defined(_MSC_VER) && !defined(__clang__)
#pragma warning(pop)
#endif

#endif /* !DXGKMEM_USE_WDK_DDI */

#endif /* DXGKMEM_DDI_H */
