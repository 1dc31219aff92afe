/* SPDX-License-Identifier: MIT */
/*
 * A small miniport's memory manager, as an author would write it for the documented pattern; the kit runs it
 * unmodified. Everything the device reads is behind a struct smp_memory; one function releases it,
 * however much of it was made.
 *
 *   sample_memory.c   objects, mappings, ADLs
 *   sample_device.c   start and stop, the ring, early boot
 *   sample_paging.c   allocations, aperture segment, frame buffer, user mappings
 */
#pragma once

#include <ntddk.h>
#include <windef.h>
#include <winerror.h>
#include <wingdi.h>
#include <ntddvdeo.h>
#include <ntstrsafe.h>
#include <d3dkmddi.h>
#include <d3dkmthk.h>
#include <dispmprt.h>

#define SMP_TAG 'pmSx'
#define SMP_RING_BYTES 6000u /* no multiple of a page */
#define SMP_BOOT_BYTES 0x2000u
#define SMP_APERTURE_PAGES 64u
#define SMP_HIGHEST 0xffffffffffll

/* Registers of the device; the harness is the device. */
enum smp_register {
    SMP_RING_BASE,   /* byte address of the ring */
    SMP_RING_ENABLE, /* 1: the device fetches from the ring when it likes */
    SMP_DOORBELL,    /* it fetches the command at this offset now */
    SMP_LOG_BASE,    /* where it writes its log; 0: nowhere */
    SMP_ENTRY_INDEX, /* the aperture entry that the next value is for */
    SMP_ENTRY_PAGE,  /* 0: no page */
    SMP_SAVE_PAGE    /* the device saves the next page of its frame buffer there */
};
EXTERN_C VOID SmpHwWrite(enum smp_register Register, ULONG64 Value);

struct smp_memory {
    HANDLE object;
    HANDLE open; /* adapter memory object */
    DXGK_ADL *adl;
    PVOID base; /* of the CPU mapping; NULL: none */
    SIZE_T mapped;
    PUCHAR bytes; /* the first byte that was asked for */
};

struct smp_allocation {
    LIST_ENTRY entry;
    struct smp_memory memory;
    SIZE_T size;
};

struct smp_adapter {
    DXGKRNL_INTERFACE dxgk;
    BOOLEAN started;
    FAST_MUTEX lock; /* the list and the aperture */
    KSPIN_LOCK ring_lock;
    LIST_ENTRY allocations;
    struct smp_memory ring;
    struct smp_memory log; /* made before there was an adapter */
    struct smp_memory registers;
    ULONG ring_next;
    PULONG aperture_bits;
    RTL_BITMAP aperture;
};

EXTERN_C_START

/* sample_memory.c */
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    SmpMemoryCreate(const DXGKRNL_INTERFACE *Dxgk, HANDLE Adapter, DXGK_PHYSICAL_MEMORY_TYPE Type,
                    SIZE_T Size, ULONG64 Address, struct smp_memory *Memory);
NTSTATUS SmpMemoryMap(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory, SIZE_T Size,
                      DXGK_ACCESS_MODE Mode);
NTSTATUS SmpMemoryAttach(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory, SIZE_T Size,
                         BOOLEAN Contiguous);
VOID SmpMemoryUnmap(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory);
VOID SmpMemoryRelease(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory);
ULONG64 SmpAdlPage(const DXGK_ADL *Adl, ULONG Index);

/* sample_device.c */
NTSTATUS SmpStartDevice(struct smp_adapter *Adapter, IN_PDXGKRNL_INTERFACE Interface, ULONG64 RegisterBase,
                        SIZE_T RegisterBytes);
VOID SmpStopDevice(struct smp_adapter *Adapter);
NTSTATUS SmpSubmit(struct smp_adapter *Adapter, ULONG Command);

/* sample_paging.c */
NTSTATUS SmpCreateAllocation(struct smp_adapter *Adapter, SIZE_T Size, struct smp_allocation **Allocation);
VOID SmpDestroyAllocation(struct smp_adapter *Adapter, struct smp_allocation *Allocation);
NTSTATUS SmpBuildPagingBuffer(struct smp_adapter *Adapter, IN_PDXGKARG_BUILDPAGINGBUFFER Args);
NTSTATUS SmpSaveFrameBuffer(struct smp_adapter *Adapter, SIZE_T Size);
NTSTATUS SmpShareWithProcess(struct smp_adapter *Adapter, SIZE_T Size, ULONG Value);

EXTERN_C_END
