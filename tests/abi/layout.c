/* SPDX-License-Identifier: MIT */
/*
 * the interface's layout, asserted at compile time: every size and offset, on 64-bit and 32-bit targets,
 * every number, the type of every field and callback, and the place of every bit. check.sh compiles this
 * for each compiler, target and interface version.
 *
 * each assertion has a number, counted from 1 in the order of this file. -DFALSIFY=n makes number n
 * expect something else, so that the compile must fail: an assertion that cannot fail proves nothing.
 */
#include "abi_assert.h"
#include "layout_table.h"

/* ---- platform types --------------------------------------------------------------------------- */

INTEGER(NTSTATUS, 4, 4, 1);
INTEGER(UINT, 4, 4, 0);
INTEGER(UINT32, 4, 4, 0);
INTEGER(LONG, 4, 4, 1);
INTEGER(ULONG, 4, 4, 0);
INTEGER(ACCESS_MASK, 4, 4, 0);
INTEGER(ULONG_PTR, 8, 4, 0);
INTEGER(UINT_PTR, 8, 4, 0);
INTEGER(SIZE_T, 8, 4, 0);
INTEGER(UCHAR, 1, 1, 0);
INTEGER(BOOLEAN, 1, 1, 0);
INTEGER(USHORT, 2, 2, 0);
INTEGER(LONGLONG, 8, 8, 1);
INTEGER(ULONGLONG, 8, 8, 0);
EQUAL(SAME_TYPE(HANDLE, void *), 1);
EQUAL(SAME_TYPE(PVOID, void *), 1);
EQUAL(SAME_TYPE(VOID *, void *), 1);
EQUAL(SAME_TYPE(POBJECT_ATTRIBUTES, struct _OBJECT_ATTRIBUTES *), 1);
EQUAL(SAME_TYPE(PMDL, struct _MDL *), 1);

/* Windows aligns it to 8 on every target; i386 Linux would not by itself */
SIZE(PHYSICAL_ADDRESS, 8, 8);
EQUAL(ABI_ALIGN(PHYSICAL_ADDRESS), 8);
FIELD(PHYSICAL_ADDRESS, LowPart, ULONG, 0, 0);
FIELD(PHYSICAL_ADDRESS, HighPart, LONG, 4, 4);
FIELD(PHYSICAL_ADDRESS, u.LowPart, ULONG, 0, 0);
FIELD(PHYSICAL_ADDRESS, u.HighPart, LONG, 4, 4);
FIELD(PHYSICAL_ADDRESS, QuadPart, LONGLONG, 0, 0);
EQUAL(SAME_TYPE(PHYSICAL_ADDRESS *, LARGE_INTEGER *), 1);
struct abi_after_byte {
    UCHAR byte;
    PHYSICAL_ADDRESS address;
};
PLACE(struct abi_after_byte, address, 8, 8);

/* ---- numbers ---------------------------------------------------------------------------------- */

STATUS(STATUS_SUCCESS, 0x00000000u);
STATUS(STATUS_UNSUCCESSFUL, 0xC0000001u);
STATUS(STATUS_NOT_IMPLEMENTED, 0xC0000002u);
STATUS(STATUS_INVALID_HANDLE, 0xC0000008u);
STATUS(STATUS_INVALID_PARAMETER, 0xC000000Du);
STATUS(STATUS_NO_MEMORY, 0xC0000017u);
STATUS(STATUS_CONFLICTING_ADDRESSES, 0xC0000018u);
STATUS(STATUS_ACCESS_DENIED, 0xC0000022u);
STATUS(STATUS_OBJECT_TYPE_MISMATCH, 0xC0000024u);
STATUS(STATUS_SECTION_TOO_BIG, 0xC0000040u);
STATUS(STATUS_SHARING_VIOLATION, 0xC0000043u);
STATUS(STATUS_QUOTA_EXCEEDED, 0xC0000044u);
STATUS(STATUS_INVALID_PAGE_PROTECTION, 0xC0000045u);
STATUS(STATUS_DATATYPE_MISALIGNMENT, 0x80000002u);
STATUS(STATUS_INSUFFICIENT_RESOURCES, 0xC000009Au);
STATUS(STATUS_NOT_SUPPORTED, 0xC00000BBu);
STATUS(STATUS_INVALID_DEVICE_STATE, 0xC0000184u);
STATUS(STATUS_DEVICE_REMOVED, 0xC00002B6u);
STATUS(STATUS_DEVICE_BUSY, 0x80000011u);

EQUAL(PAGE_SIZE, 0x1000);
EQUAL(1 << PAGE_SHIFT, 0x1000);
EQUAL(PAGE_READONLY, 0x02);
EQUAL(PAGE_READWRITE, 0x04);
EQUAL(PAGE_WRITECOPY, 0x08);
EQUAL(PAGE_EXECUTE, 0x10);
EQUAL(DXGKMEM_PAGE_READONLY, 0x02u);
EQUAL(DXGKMEM_PAGE_READWRITE, 0x04u);
EQUAL(DXGKMEM_PAGE_WRITECOPY, 0x08u);
EQUAL(DXGKMEM_PAGE_EXECUTE, 0x10u);
EQUAL(SEC_COMMIT, 0x8000000);
EQUAL(MM_DONT_ZERO_ALLOCATION, 0x1);
EQUAL(MM_ALLOCATE_FROM_LOCAL_NODE_ONLY, 0x2);
EQUAL(MM_ALLOCATE_FULLY_REQUIRED, 0x4);
EQUAL(MM_ALLOCATE_NO_WAIT, 0x8);
EQUAL(MM_ALLOCATE_PREFER_CONTIGUOUS, 0x10);
EQUAL(MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS, 0x20);
EQUAL(MM_ALLOCATE_FAST_LARGE_PAGES, 0x40);
EQUAL(MM_ALLOCATE_AND_HOT_REMOVE, 0x100);
EQUAL(PASSIVE_LEVEL, 0);
EQUAL(APC_LEVEL, 1);
EQUAL(DISPATCH_LEVEL, 2);
#if !defined(ABI_AFTER_NTDDK_H) || defined(__x86_64__) /* a 32-bit kernel's own header says 31 */
EQUAL(HIGH_LEVEL, 15);
#endif
EQUAL(VIDEO_DXGKRNL_FATAL_ERROR, 0x113);
EQUAL(DRIVER_VERIFIER_DMA_VIOLATION, 0xE6);

/* ---- calling convention ----------------------------------------------------------------------- */

#if defined(_WIN32) && defined(__i386__)
EQUAL(SAME_TYPE(DXGKMEM_DDI_UNRELATED, NTSTATUS(__attribute__((stdcall)) *)(void)), 1);
#elif !defined(_WIN32) && defined(__x86_64__)
#if defined(DXGKMEM_DDI_MS_ABI)
EQUAL(SAME_TYPE(DXGKMEM_DDI_UNRELATED, NTSTATUS(__attribute__((ms_abi)) *)(void)), 1);
#else
EQUAL(SAME_TYPE(DXGKMEM_DDI_UNRELATED, NTSTATUS (*)(void)), 1);
#endif
#endif

/* ---- WDDM 2.4 --------------------------------------------------------------------------------- */

#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_4)

SIZE(DXGK_MEMORY_CACHING_TYPE, 4, 4);
EQUAL((int)DXGK_MEMORY_CACHING_TYPE_NON_CACHED, 0);
EQUAL((int)DXGK_MEMORY_CACHING_TYPE_CACHED, 1);
EQUAL((int)DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED, 2);
EQUAL(SAME_TYPE(enum _DXGK_MEMORY_CACHING_TYPE *, DXGK_MEMORY_CACHING_TYPE *), 1);

SIZE(DXGK_QUERYADAPTERINFOTYPE, 4, 4);
EQUAL((int)DXGKQAITYPE_FRAMEBUFFERSAVESIZE, 21);

SIZE(DXGK_FRAMEBUFFERSAVEAREA, 0x08, 0x04);
FIELD(DXGK_FRAMEBUFFERSAVEAREA, MaximumSize, SIZE_T, 0x00, 0x00);

#define T DXGKARGCB_ALLOCATECONTIGUOUSMEMORY
SIZE(T, 0x38, 0x30);
FIELD(T, NumberOfBytes, SIZE_T, 0x00, 0x00);
FIELD(T, LowestAcceptableAddress, PHYSICAL_ADDRESS, 0x08, 0x08);
FIELD(T, HighestAcceptableAddress, PHYSICAL_ADDRESS, 0x10, 0x10);
FIELD(T, BoundaryAddressMultiple, PHYSICAL_ADDRESS, 0x18, 0x18);
FIELD(T, CacheType, DXGK_MEMORY_CACHING_TYPE, 0x20, 0x20);
FIELD(T, hMemoryHandle, HANDLE, 0x28, 0x24);
FIELD(T, pMemory, PVOID, 0x30, 0x28);
#undef T

#define T DXGKARGCB_FREECONTIGUOUSMEMORY
SIZE(T, 0x08, 0x04);
FIELD(T, hMemoryHandle, HANDLE, 0x00, 0x00);
#undef T

#define T DXGKARGCB_ALLOCATEPAGESFORMDL
SIZE(T, 0x38, 0x30);
FIELD(T, LowAddress, PHYSICAL_ADDRESS, 0x00, 0x00);
FIELD(T, HighAddress, PHYSICAL_ADDRESS, 0x08, 0x08);
FIELD(T, SkipBytes, PHYSICAL_ADDRESS, 0x10, 0x10);
FIELD(T, TotalBytes, SIZE_T, 0x18, 0x18);
FIELD(T, CacheType, DXGK_MEMORY_CACHING_TYPE, 0x20, 0x1C);
FIELD(T, Flags, ULONG, 0x24, 0x20);
FIELD(T, hMemoryHandle, HANDLE, 0x28, 0x24);
FIELD(T, pMdl, PMDL, 0x30, 0x28);
#undef T

#define T DXGKARGCB_FREEPAGESFROMMDL
SIZE(T, 0x08, 0x04);
FIELD(T, hMemoryHandle, HANDLE, 0x00, 0x00);
#undef T

#define T DXGKARGCB_PINFRAMEBUFFERFORSAVE
SIZE(T, 0x18, 0x0C);
FIELD(T, PhysicalAdapterIndex, UINT, 0x00, 0x00);
FIELD(T, CommitSize, SIZE_T, 0x08, 0x04);
FIELD(T, pMdl, PMDL, 0x10, 0x08);
#undef T

#define T DXGKARGCB_UNPINFRAMEBUFFERFORSAVE
SIZE(T, 0x04, 0x04);
FIELD(T, PhysicalAdapterIndex, UINT, 0x00, 0x00);
#undef T

#define T DXGKARGCB_MAPFRAMEBUFFERPOINTER
SIZE(T, 0x20, 0x10);
FIELD(T, PhysicalAdapterIndex, UINT, 0x00, 0x00);
FIELD(T, Size, SIZE_T, 0x08, 0x04);
FIELD(T, Offset, SIZE_T, 0x10, 0x08);
FIELD(T, pBaseAddress, PVOID, 0x18, 0x0C);
#undef T

#define T DXGKARGCB_UNMAPFRAMEBUFFERPOINTER
SIZE(T, 0x10, 0x08);
FIELD(T, PhysicalAdapterIndex, UINT, 0x00, 0x00);
FIELD(T, pBaseAddress, PVOID, 0x08, 0x04);
#undef T

#define T DXGKARGCB_MAPMDLTOIOMMU
SIZE(T, 0x10, 0x08);
FIELD(T, pMdl, PMDL, 0x00, 0x00);
FIELD(T, hMemoryHandle, HANDLE, 0x08, 0x04);
#undef T

#define T DXGKARGCB_UNMAPMDLFROMIOMMU
SIZE(T, 0x08, 0x04);
FIELD(T, hMemoryHandle, HANDLE, 0x00, 0x00);
#undef T

CALLBACK_IS(DXGKCB_ALLOCATECONTIGUOUSMEMORY, NTSTATUS, (void *, DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *));
CALLBACK_IS(DXGKCB_FREECONTIGUOUSMEMORY, NTSTATUS, (void *, const DXGKARGCB_FREECONTIGUOUSMEMORY *));
CALLBACK_IS(DXGKCB_ALLOCATEPAGESFORMDL, NTSTATUS, (void *, DXGKARGCB_ALLOCATEPAGESFORMDL *));
CALLBACK_IS(DXGKCB_FREEPAGESFROMMDL, NTSTATUS, (void *, const DXGKARGCB_FREEPAGESFROMMDL *));
CALLBACK_IS(DXGKCB_PINFRAMEBUFFERFORSAVE, NTSTATUS, (void *, DXGKARGCB_PINFRAMEBUFFERFORSAVE *));
CALLBACK_IS(DXGKCB_UNPINFRAMEBUFFERFORSAVE, NTSTATUS, (void *, const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *));
CALLBACK_IS(DXGKCB_MAPFRAMEBUFFERPOINTER, NTSTATUS, (void *, DXGKARGCB_MAPFRAMEBUFFERPOINTER *));
CALLBACK_IS(DXGKCB_UNMAPFRAMEBUFFERPOINTER, NTSTATUS, (void *, const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *));
CALLBACK_IS(DXGKCB_MAPMDLTOIOMMU, NTSTATUS, (void *, DXGKARGCB_MAPMDLTOIOMMU *));
CALLBACK_IS(DXGKCB_UNMAPMDLFROMIOMMU, VOID, (void *, const DXGKARGCB_UNMAPMDLFROMIOMMU *));

EQUAL(SAME_TYPE(INOUT_PDXGKARGCB_ALLOCATECONTIGUOUSMEMORY, DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_FREECONTIGUOUSMEMORY, const DXGKARGCB_FREECONTIGUOUSMEMORY *), 1);
EQUAL(SAME_TYPE(INOUT_PDXGKARGCB_ALLOCATEPAGESFORMDL, DXGKARGCB_ALLOCATEPAGESFORMDL *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_FREEPAGESFROMMDL, const DXGKARGCB_FREEPAGESFROMMDL *), 1);
EQUAL(SAME_TYPE(INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE, DXGKARGCB_PINFRAMEBUFFERFORSAVE *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_UNPINFRAMEBUFFERFORSAVE, const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *), 1);
EQUAL(SAME_TYPE(INOUT_PDXGKARGCB_MAPFRAMEBUFFERPOINTER, DXGKARGCB_MAPFRAMEBUFFERPOINTER *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_UNMAPFRAMEBUFFERPOINTER, const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *), 1);
EQUAL(SAME_TYPE(INOUT_PDXGKARGCB_MAPMDLTOIOMMU, DXGKARGCB_MAPMDLTOIOMMU *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_UNMAPMDLFROMIOMMU, const DXGKARGCB_UNMAPMDLFROMIOMMU *), 1);

#else
/* older versions do not have these names: a client may use them for itself */
typedef struct abi_absent *DXGK_MEMORY_CACHING_TYPE;
typedef struct abi_absent *DXGK_QUERYADAPTERINFOTYPE;
typedef struct abi_absent *DXGK_FRAMEBUFFERSAVEAREA;
typedef struct abi_absent *DXGKARGCB_ALLOCATECONTIGUOUSMEMORY;
typedef struct abi_absent *DXGKARGCB_FREECONTIGUOUSMEMORY;
typedef struct abi_absent *DXGKARGCB_ALLOCATEPAGESFORMDL;
typedef struct abi_absent *DXGKARGCB_FREEPAGESFROMMDL;
typedef struct abi_absent *DXGKARGCB_PINFRAMEBUFFERFORSAVE;
typedef struct abi_absent *DXGKARGCB_UNPINFRAMEBUFFERFORSAVE;
typedef struct abi_absent *DXGKARGCB_MAPFRAMEBUFFERPOINTER;
typedef struct abi_absent *DXGKARGCB_UNMAPFRAMEBUFFERPOINTER;
typedef struct abi_absent *DXGKARGCB_MAPMDLTOIOMMU;
typedef struct abi_absent *DXGKARGCB_UNMAPMDLFROMIOMMU;
typedef struct abi_absent *DXGKCB_ALLOCATECONTIGUOUSMEMORY;
typedef struct abi_absent *DXGKCB_FREECONTIGUOUSMEMORY;
typedef struct abi_absent *DXGKCB_ALLOCATEPAGESFORMDL;
typedef struct abi_absent *DXGKCB_FREEPAGESFROMMDL;
typedef struct abi_absent *DXGKCB_PINFRAMEBUFFERFORSAVE;
typedef struct abi_absent *DXGKCB_UNPINFRAMEBUFFERFORSAVE;
typedef struct abi_absent *DXGKCB_MAPFRAMEBUFFERPOINTER;
typedef struct abi_absent *DXGKCB_UNMAPFRAMEBUFFERPOINTER;
typedef struct abi_absent *DXGKCB_MAPMDLTOIOMMU;
typedef struct abi_absent *DXGKCB_UNMAPMDLFROMIOMMU;
#endif

/* ---- WDDM 2.9 --------------------------------------------------------------------------------- */

#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_9)

SIZE(DXGK_PHYSICAL_MEMORY_TYPE, 4, 4);
EQUAL((int)DXGK_PHYSICAL_MEMORY_TYPE_MDL, 0);
EQUAL((int)DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY, 1);
EQUAL((int)DXGK_PHYSICAL_MEMORY_TYPE_SECTION, 2);
EQUAL((int)DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE, 3);
EQUAL(SAME_TYPE(enum _DXGK_PHYSICAL_MEMORY_TYPE *, DXGK_PHYSICAL_MEMORY_TYPE *), 1);

SIZE(DXGK_ACCESS_MODE, 4, 4);
EQUAL((int)DXGK_ACCESS_MODE_KERNEL_MODE, 0);
EQUAL((int)DXGK_ACCESS_MODE_USER_MODE, 1);
EQUAL(SAME_TYPE(enum _DXGK_ACCESS_MODE *, DXGK_ACCESS_MODE *), 1);

EQUAL((int)DXGKQAITYPE_PHYSICAL_MEMORY_CAPS, 34);
EQUAL((int)DXGKQAITYPE_IOMMU_CAPS, 35);

SIZE(DXGK_PAGE_NUMBER, 8, 4);
EQUAL(SAME_TYPE(DXGK_PAGE_NUMBER, UINT_PTR), 1);
SIZE(DXGK_IOMMU_CAPS, 4, 4);
FIELD(DXGK_IOMMU_CAPS, Value, UINT32, 0, 0);
SIZE(DXGK_ADL_FLAGS, 4, 4);
FIELD(DXGK_ADL_FLAGS, Value, UINT32, 0, 0);
FIELD(DXGKARGCB_ALLOCATE_ADL, Flags.Value, UINT32, 0x18, 0x0C);
FIELD(DXGKARGCB_PINFRAMEBUFFERFORSAVE2, Flags.Value, UINT, 0x10, 0x08);

#define T DXGK_PHYSICAL_MEMORY_CAPS
SIZE(T, 0x08, 0x08);
FIELD(T, HighestVisibleAddress, PHYSICAL_ADDRESS, 0x00, 0x00);
#undef T

#define T DXGK_ADL
SIZE(T, 0x10, 0x0C);
FIELD(T, PageCount, UINT32, 0x00, 0x00);
FIELD(T, Flags, DXGK_ADL_FLAGS, 0x04, 0x04);
FIELD(T, BasePageNumber, DXGK_PAGE_NUMBER, 0x08, 0x08);
FIELD(T, Pages, CONST DXGK_PAGE_NUMBER *, 0x08, 0x08);
#undef T

#define T DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT
SIZE(T, 0x50, 0x40);
FIELD(T, hAdapter, HANDLE, 0x00, 0x00);
FIELD(T, Size, SIZE_T, 0x08, 0x04);
FIELD(T, Context, ULONG_PTR, 0x10, 0x08);
FIELD(T, Type, DXGK_PHYSICAL_MEMORY_TYPE, 0x18, 0x0C);
FIELD(T, CacheType, DXGK_MEMORY_CACHING_TYPE, 0x1C, 0x10);
FIELD(T, Mdl.LowAddress, PHYSICAL_ADDRESS, 0x20, 0x18);
FIELD(T, Mdl.HighAddress, PHYSICAL_ADDRESS, 0x28, 0x20);
FIELD(T, Mdl.SkipBytes, PHYSICAL_ADDRESS, 0x30, 0x28);
FIELD(T, Mdl.Flags, UINT, 0x38, 0x30);
FIELD(T, ContiguousMemory.LowestAcceptableAddress, PHYSICAL_ADDRESS, 0x20, 0x18);
FIELD(T, ContiguousMemory.HighestAcceptableAddress, PHYSICAL_ADDRESS, 0x28, 0x20);
FIELD(T, ContiguousMemory.BoundaryAddressMultiple, PHYSICAL_ADDRESS, 0x30, 0x28);
FIELD(T, Section.DesiredAccess, ACCESS_MASK, 0x20, 0x18);
FIELD(T, Section.ObjectAttributes, POBJECT_ATTRIBUTES, 0x28, 0x1C);
FIELD(T, Section.PageProtection, ULONG, 0x30, 0x20);
FIELD(T, Section.AllocationAttributes, ULONG, 0x34, 0x24);
FIELD(T, IOSpace.BaseAddress, PHYSICAL_ADDRESS, 0x20, 0x18);
FIELD(T, hPhysicalMemoryObject, HANDLE, 0x40, 0x38);
FIELD(T, hAdapterMemoryObject, HANDLE, 0x48, 0x3C);
#undef T

#define T DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT
SIZE(T, 0x10, 0x08);
FIELD(T, hPhysicalMemoryObject, HANDLE, 0x00, 0x00);
FIELD(T, hAdapterMemoryObject, HANDLE, 0x08, 0x04);
#undef T

#define T DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT
SIZE(T, 0x18, 0x0C);
FIELD(T, hPhysicalMemoryObject, HANDLE, 0x00, 0x00);
FIELD(T, hAdapter, HANDLE, 0x08, 0x04);
FIELD(T, hAdapterMemoryObject, HANDLE, 0x10, 0x08);
#undef T

#define T DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT
SIZE(T, 0x08, 0x04);
FIELD(T, hAdapterMemoryObject, HANDLE, 0x00, 0x00);
#undef T

#define T DXGKARGCB_MAP_PHYSICAL_MEMORY
SIZE(T, 0x28, 0x14);
FIELD(T, hPhysicalMemoryObject, HANDLE, 0x00, 0x00);
FIELD(T, AccessMode, DXGK_ACCESS_MODE, 0x08, 0x04);
FIELD(T, Offset, SIZE_T, 0x10, 0x08);
FIELD(T, Size, SIZE_T, 0x18, 0x0C);
FIELD(T, pMappedAddress, void *, 0x20, 0x10);
#undef T

#define T DXGKARGCB_UNMAP_PHYSICAL_MEMORY
SIZE(T, 0x18, 0x0C);
FIELD(T, hPhysicalMemoryObject, HANDLE, 0x00, 0x00);
FIELD(T, pBaseAddress, void *, 0x08, 0x04);
FIELD(T, Size, SIZE_T, 0x10, 0x08);
#undef T

#define T DXGKARGCB_ALLOCATE_ADL
SIZE(T, 0x28, 0x14);
FIELD(T, hAdapterMemoryObject, HANDLE, 0x00, 0x00);
FIELD(T, Offset, SIZE_T, 0x08, 0x04);
FIELD(T, Size, SIZE_T, 0x10, 0x08);
PLACE(T, Flags, 0x18, 0x0C);
FIELD(T, pAdl, DXGK_ADL *, 0x20, 0x10);
#undef T

#define T DXGKARGCB_FREE_ADL
SIZE(T, 0x10, 0x08);
FIELD(T, hAdapterMemoryObject, HANDLE, 0x00, 0x00);
FIELD(T, pAdl, DXGK_ADL *, 0x08, 0x04);
#undef T

#define T DXGKARGCB_PINFRAMEBUFFERFORSAVE2
SIZE(T, 0x20, 0x10);
FIELD(T, PhysicalAdapterIndex, UINT, 0x00, 0x00);
FIELD(T, CommitSize, SIZE_T, 0x08, 0x04);
PLACE(T, Flags, 0x10, 0x08);
FIELD(T, pAdl, DXGK_ADL *, 0x18, 0x0C);
#undef T

CALLBACK_IS(DXGKCB_CREATEPHYSICALMEMORYOBJECT, NTSTATUS, (DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *));
CALLBACK_IS(DXGKCB_DESTROYPHYSICALMEMORYOBJECT, VOID, (const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *));
CALLBACK_IS(DXGKCB_OPENPHYSICALMEMORYOBJECT, NTSTATUS, (DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *));
CALLBACK_IS(DXGKCB_CLOSEPHYSICALMEMORYOBJECT, VOID, (const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *));
CALLBACK_IS(DXGKCB_MAPPHYSICALMEMORY, NTSTATUS, (DXGKARGCB_MAP_PHYSICAL_MEMORY *));
CALLBACK_IS(DXGKCB_UNMAPPHYSICALMEMORY, VOID, (const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *));
CALLBACK_IS(DXGKCB_ALLOCATEADL, NTSTATUS, (DXGKARGCB_ALLOCATE_ADL *));
CALLBACK_IS(DXGKCB_FREEADL, VOID, (const DXGKARGCB_FREE_ADL *));
CALLBACK_IS(DXGKCB_PINFRAMEBUFFERFORSAVE2, NTSTATUS, (void *, DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *));

EQUAL(SAME_TYPE(IN_OUT_PDXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT, DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *),
      1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT,
                const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *),
      1);
EQUAL(SAME_TYPE(IN_OUT_PDXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT, DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT,
                const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *),
      1);
EQUAL(SAME_TYPE(IN_OUT_PDXGKARGCB_MAP_PHYSICAL_MEMORY, DXGKARGCB_MAP_PHYSICAL_MEMORY *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_UNMAP_PHYSICAL_MEMORY, const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *), 1);
EQUAL(SAME_TYPE(IN_OUT_PDXGKARGCB_ALLOCATE_ADL, DXGKARGCB_ALLOCATE_ADL *), 1);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARGCB_FREE_ADL, const DXGKARGCB_FREE_ADL *), 1);
EQUAL(SAME_TYPE(INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE2, DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *), 1);

/* ---- paging operations --------------------------------------------------------------------------- */

EQUAL((int)DXGK_OPERATION_TRANSFER, 0);
EQUAL((int)DXGK_OPERATION_FILL, 1);
EQUAL((int)DXGK_OPERATION_DISCARD_CONTENT, 2);
EQUAL((int)DXGK_OPERATION_READ_PHYSICAL, 3);
EQUAL((int)DXGK_OPERATION_WRITE_PHYSICAL, 4);
EQUAL((int)DXGK_OPERATION_MAP_APERTURE_SEGMENT, 5);
EQUAL((int)DXGK_OPERATION_UNMAP_APERTURE_SEGMENT, 6);
EQUAL((int)DXGK_OPERATION_MAP_APERTURE_SEGMENT2, 17);
SIZE(DXGK_MAPAPERTUREFLAGS, 4, 4);
FIELD(DXGK_MAPAPERTUREFLAGS, Value, UINT, 0, 0);

/* the members behind the union and most of the union are not restated: no size of the whole */
FIELD(DXGKARG_BUILDPAGINGBUFFER, pDmaBuffer, void *, 0, 0);
FIELD(DXGKARG_BUILDPAGINGBUFFER, DmaSize, UINT, 8, 4);
FIELD(DXGKARG_BUILDPAGINGBUFFER, pDmaBufferPrivateData, void *, 16, 8);
FIELD(DXGKARG_BUILDPAGINGBUFFER, DmaBufferPrivateDataSize, UINT, 24, 12);
FIELD(DXGKARG_BUILDPAGINGBUFFER, Operation, DXGK_BUILDPAGINGBUFFER_OPERATION, 28, 16);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MultipassOffset, UINT, 32, 20);
FIELD(DXGKARG_BUILDPAGINGBUFFER, UnmapApertureSegment.hDevice, HANDLE, 40, 24);
FIELD(DXGKARG_BUILDPAGINGBUFFER, UnmapApertureSegment.hAllocation, HANDLE, 48, 28);
FIELD(DXGKARG_BUILDPAGINGBUFFER, UnmapApertureSegment.SegmentId, UINT, 56, 32);
FIELD(DXGKARG_BUILDPAGINGBUFFER, UnmapApertureSegment.OffsetInPages, SIZE_T, 64, 36);
FIELD(DXGKARG_BUILDPAGINGBUFFER, UnmapApertureSegment.NumberOfPages, SIZE_T, 72, 40);
FIELD(DXGKARG_BUILDPAGINGBUFFER, UnmapApertureSegment.DummyPage, PHYSICAL_ADDRESS, 80, 48);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.hDevice, HANDLE, 40, 24);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.hAllocation, HANDLE, 48, 28);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.SegmentId, UINT, 56, 32);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.OffsetInPages, SIZE_T, 64, 36);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.NumberOfPages, SIZE_T, 72, 40);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.Adl, DXGK_ADL, 80, 44);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.Flags, DXGK_MAPAPERTUREFLAGS, 96, 56);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.AdlOffset, ULONG, 100, 60);
FIELD(DXGKARG_BUILDPAGINGBUFFER, MapApertureSegment2.CpuVisibleAddress, PVOID, 104, 64);
EQUAL(SAME_TYPE(IN_CONST_PDXGKARG_BUILDPAGINGBUFFER, const DXGKARG_BUILDPAGINGBUFFER *), 1);
EQUAL(SAME_TYPE(IN_PDXGKARG_BUILDPAGINGBUFFER, DXGKARG_BUILDPAGINGBUFFER *), 1);

/*
 * bits. a union cannot be looked into by a constant expression, so this is asserted by the optimiser: the
 * call is gone when the comparison is known to hold, and an error when it remains.
 */
#ifdef __cplusplus
extern "C" {
#endif
void abi_wrong(void) __attribute__((error("abi-check: a bit field or a size function is wrong")));
void abi_bits(void);
#ifdef __cplusplus
}
#endif

/* the field holds all of its bits when exactly the mask's are set, and none when all others are */
#define BITS_N(n, type, value, field, mask, shift)                                                           \
    do {                                                                                                     \
        type object;                                                                                         \
        object.value = (mask);                                                                               \
        if ((uint32_t)object.field != ((mask) >> (shift)) + WRONG(n))                                        \
            abi_wrong();                                                                                     \
        object.value = ~(mask);                                                                              \
        if ((uint32_t)object.field != 0)                                                                     \
            abi_wrong();                                                                                     \
    } while (0)
#define BITS(type, value, field, mask, shift) BITS_N(__COUNTER__, type, value, field, mask, shift)
#define FUNCTION_N(n, actual, wanted)                                                                        \
    do {                                                                                                     \
        if ((actual) != (wanted) + WRONG(n))                                                                 \
            abi_wrong();                                                                                     \
    } while (0)
#define FUNCTION(actual, wanted) FUNCTION_N(__COUNTER__, actual, wanted)

void abi_bits(void)
{
    BITS(DXGK_IOMMU_CAPS, Value, IommuIsolationSupported, 0x00000001u, 0);
    BITS(DXGK_IOMMU_CAPS, Value, IommuIsolationRequired, 0x00000002u, 1);
    BITS(DXGK_IOMMU_CAPS, Value, DmaRemappingSupported, 0x00000004u, 2);
    BITS(DXGK_IOMMU_CAPS, Value, GpuVaIommuRequired, 0x00000008u, 3);
    BITS(DXGK_IOMMU_CAPS, Value, GpuVaIommuGlobalRequired, 0x00000010u, 4);
    BITS(DXGK_IOMMU_CAPS, Value, Reserved, 0xFFFFFFE0u, 5);
    BITS(DXGK_ADL_FLAGS, Value, Contiguous, 0x00000001u, 0);
    BITS(DXGK_ADL_FLAGS, Value, Reserved, 0xFFFFFFFEu, 1);
    BITS(DXGK_ADL, Flags.Value, Flags.Contiguous, 0x00000001u, 0);
    BITS(DXGKARGCB_ALLOCATE_ADL, Flags.Value, Flags.RequireContiguous, 0x00000001u, 0);
    BITS(DXGKARGCB_ALLOCATE_ADL, Flags.Value, Flags.PreferContiguous, 0x00000002u, 1);
    BITS(DXGKARGCB_ALLOCATE_ADL, Flags.Value, Flags.Reserved, 0xFFFFFFFCu, 2);
    BITS(DXGKARGCB_PINFRAMEBUFFERFORSAVE2, Flags.Value, Flags.PreferContiguous, 0x00000001u, 0);
    BITS(DXGKARGCB_PINFRAMEBUFFERFORSAVE2, Flags.Value, Flags.Reserved, 0xFFFFFFFEu, 1);
    BITS(DXGK_MAPAPERTUREFLAGS, Value, CacheCoherent, 0x00000001u, 0);
    BITS(DXGK_MAPAPERTUREFLAGS, Value, Reserved, 0xFFFFFFFEu, 1);
    FUNCTION(dxgkmem_ddi_interface_size(DXGKDDI_INTERFACE_VERSION), sizeof(DXGKRNL_INTERFACE));
    FUNCTION(dxgkmem_ddi_interface_size(0x9006u), TABLE(0x1C8));
}

#else
typedef struct abi_absent *DXGK_PHYSICAL_MEMORY_TYPE;
typedef struct abi_absent *DXGK_ACCESS_MODE;
typedef struct abi_absent *DXGK_PAGE_NUMBER;
typedef struct abi_absent *DXGK_IOMMU_CAPS;
typedef struct abi_absent *DXGK_ADL_FLAGS;
typedef struct abi_absent *DXGK_PHYSICAL_MEMORY_CAPS;
typedef struct abi_absent *DXGK_ADL;
typedef struct abi_absent *DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT;
typedef struct abi_absent *DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT;
typedef struct abi_absent *DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT;
typedef struct abi_absent *DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT;
typedef struct abi_absent *DXGKARGCB_MAP_PHYSICAL_MEMORY;
typedef struct abi_absent *DXGKARGCB_UNMAP_PHYSICAL_MEMORY;
typedef struct abi_absent *DXGKARGCB_ALLOCATE_ADL;
typedef struct abi_absent *DXGKARGCB_FREE_ADL;
typedef struct abi_absent *DXGKARGCB_PINFRAMEBUFFERFORSAVE2;
typedef struct abi_absent *DXGKCB_CREATEPHYSICALMEMORYOBJECT;
typedef struct abi_absent *DXGKCB_DESTROYPHYSICALMEMORYOBJECT;
typedef struct abi_absent *DXGKCB_OPENPHYSICALMEMORYOBJECT;
typedef struct abi_absent *DXGKCB_CLOSEPHYSICALMEMORYOBJECT;
typedef struct abi_absent *DXGKCB_MAPPHYSICALMEMORY;
typedef struct abi_absent *DXGKCB_UNMAPPHYSICALMEMORY;
typedef struct abi_absent *DXGKCB_ALLOCATEADL;
typedef struct abi_absent *DXGKCB_FREEADL;
typedef struct abi_absent *DXGKCB_PINFRAMEBUFFERFORSAVE2;
typedef struct abi_absent *DXGK_MAPAPERTUREFLAGS;
typedef struct abi_absent *DXGKARG_BUILDPAGINGBUFFER;
#endif

#ifdef ABI_COUNT
abi_end = __COUNTER__;
#endif
