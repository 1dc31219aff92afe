/* SPDX-License-Identifier: MIT */
/*
 * DXGKRNL_INTERFACE: the table of callbacks that a display miniport driver is handed when its device
 * starts. page: ns-dispmprt-_dxgkrnl_interface of the driver reference (dispmprt.h).
 *
 * the member's place is the contract. each version only adds at the end, so an older driver sees a prefix
 * of the same table. 2.7, 3.0 and 3.2 add nothing.
 */
#ifndef DXGKMEM_DDI_INTERFACE_H
#define DXGKMEM_DDI_INTERFACE_H

#include <dxgkmem/ddi.h>

/*
 * a callback that has nothing to do with physical memory. this project does not provide these: the members
 * are here so that the others stand at the right offset, and their true types are not restated. never call
 * through this type; cast to the real one if some host has filled the member in.
 */
typedef NTSTATUS(APIENTRY CALLBACK *DXGKMEM_DDI_UNRELATED)(void);

#if defined(DXGKMEM_USE_WDK_DDI)
#include <dispmprt.h>
#else

/*
 * Size is in bytes and Version is a DXGKDDI_INTERFACE_VERSION_ number; together they tell the driver which
 * members are there. DeviceHandle is the hAdapter of the callbacks. a member beyond Size must not be read.
 */
typedef struct _DXGKRNL_INTERFACE {
    ULONG Size;
    ULONG Version;
    HANDLE DeviceHandle;
    DXGKMEM_DDI_UNRELATED DxgkCbEvalAcpiMethod;
    DXGKMEM_DDI_UNRELATED DxgkCbGetDeviceInformation;
    DXGKMEM_DDI_UNRELATED DxgkCbIndicateChildStatus;
    DXGKMEM_DDI_UNRELATED DxgkCbMapMemory;
    DXGKMEM_DDI_UNRELATED DxgkCbQueueDpc;
    DXGKMEM_DDI_UNRELATED DxgkCbQueryServices;
    DXGKMEM_DDI_UNRELATED DxgkCbReadDeviceSpace;
    DXGKMEM_DDI_UNRELATED DxgkCbSynchronizeExecution;
    DXGKMEM_DDI_UNRELATED DxgkCbUnmapMemory;
    DXGKMEM_DDI_UNRELATED DxgkCbWriteDeviceSpace;
    DXGKMEM_DDI_UNRELATED DxgkCbIsDevicePresent;
    DXGKMEM_DDI_UNRELATED DxgkCbGetHandleData;
    DXGKMEM_DDI_UNRELATED DxgkCbGetHandleParent;
    DXGKMEM_DDI_UNRELATED DxgkCbEnumHandleChildren;
    DXGKMEM_DDI_UNRELATED DxgkCbNotifyInterrupt;
    DXGKMEM_DDI_UNRELATED DxgkCbNotifyDpc;
    DXGKMEM_DDI_UNRELATED DxgkCbQueryVidPnInterface;
    DXGKMEM_DDI_UNRELATED DxgkCbQueryMonitorInterface;
    DXGKMEM_DDI_UNRELATED DxgkCbGetCaptureAddress;
    DXGKMEM_DDI_UNRELATED DxgkCbLogEtwEvent;
    DXGKMEM_DDI_UNRELATED DxgkCbExcludeAdapterAccess;
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WIN8)
    DXGKMEM_DDI_UNRELATED DxgkCbCreateContextAllocation;
    DXGKMEM_DDI_UNRELATED DxgkCbDestroyContextAllocation;
    DXGKMEM_DDI_UNRELATED DxgkCbSetPowerComponentActive;
    DXGKMEM_DDI_UNRELATED DxgkCbSetPowerComponentIdle;
    DXGKMEM_DDI_UNRELATED DxgkCbAcquirePostDisplayOwnership;
    DXGKMEM_DDI_UNRELATED DxgkCbPowerRuntimeControlRequest;
    DXGKMEM_DDI_UNRELATED DxgkCbSetPowerComponentLatency;
    DXGKMEM_DDI_UNRELATED DxgkCbSetPowerComponentResidency;
    DXGKMEM_DDI_UNRELATED DxgkCbCompleteFStateTransition;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM1_3)
    DXGKMEM_DDI_UNRELATED DxgkCbCompletePStateTransition;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_0)
    DXGKMEM_DDI_UNRELATED DxgkCbMapContextAllocation;
    DXGKMEM_DDI_UNRELATED DxgkCbUpdateContextAllocation;
    DXGKMEM_DDI_UNRELATED DxgkCbReserveGpuVirtualAddressRange;
    DXGKMEM_DDI_UNRELATED DxgkCbAcquireHandleData;
    DXGKMEM_DDI_UNRELATED DxgkCbReleaseHandleData;
    DXGKMEM_DDI_UNRELATED DxgkCbHardwareContentProtectionTeardown;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_1)
    DXGKMEM_DDI_UNRELATED DxgkCbMultiPlaneOverlayDisabled;
    DXGKMEM_DDI_UNRELATED DxgkCbMitigatedRangeUpdate;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_2)
    DXGKMEM_DDI_UNRELATED DxgkCbInvalidateHwContext;
    DXGKMEM_DDI_UNRELATED DxgkCbIndicateConnectorChange;
    DXGKMEM_DDI_UNRELATED DxgkCbUnblockUEFIFrameBufferRanges;
    DXGKMEM_DDI_UNRELATED DxgkCbAcquirePostDisplayOwnership2;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_3)
    DXGKMEM_DDI_UNRELATED DxgkCbSetProtectedSessionStatus;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_4)
    DXGKCB_ALLOCATECONTIGUOUSMEMORY DxgkCbAllocateContiguousMemory;
    DXGKCB_FREECONTIGUOUSMEMORY DxgkCbFreeContiguousMemory;
    DXGKCB_ALLOCATEPAGESFORMDL DxgkCbAllocatePagesForMdl;
    DXGKCB_FREEPAGESFROMMDL DxgkCbFreePagesFromMdl;
    DXGKCB_PINFRAMEBUFFERFORSAVE DxgkCbPinFrameBufferForSave;
    DXGKCB_UNPINFRAMEBUFFERFORSAVE DxgkCbUnpinFrameBufferForSave;
    DXGKCB_MAPFRAMEBUFFERPOINTER DxgkCbMapFrameBufferPointer;
    DXGKCB_UNMAPFRAMEBUFFERPOINTER DxgkCbUnmapFrameBufferPointer;
    DXGKCB_MAPMDLTOIOMMU DxgkCbMapMdlToIoMmu;
    DXGKCB_UNMAPMDLFROMIOMMU DxgkCbUnmapMdlFromIoMmu;
    DXGKMEM_DDI_UNRELATED DxgkCbReportDiagnostic;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_5)
    DXGKMEM_DDI_UNRELATED DxgkCbSignalEvent;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_6)
    DXGKMEM_DDI_UNRELATED DxgkCbIsFeatureEnabled;
    DXGKMEM_DDI_UNRELATED DxgkCbSaveMemoryForHotUpdate;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_8)
    DXGKMEM_DDI_UNRELATED DxgkCbNotifyCursorSupportChange;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_9)
    DXGKMEM_DDI_UNRELATED DxgkCbQueryFeatureSupport;
    DXGKCB_CREATEPHYSICALMEMORYOBJECT DxgkCbCreatePhysicalMemoryObject;
    DXGKCB_DESTROYPHYSICALMEMORYOBJECT DxgkCbDestroyPhysicalMemoryObject;
    DXGKCB_MAPPHYSICALMEMORY DxgkCbMapPhysicalMemory;
    DXGKCB_UNMAPPHYSICALMEMORY DxgkCbUnmapPhysicalMemory;
    DXGKCB_ALLOCATEADL DxgkCbAllocateAdl;
    DXGKCB_FREEADL DxgkCbFreeAdl;
    DXGKCB_OPENPHYSICALMEMORYOBJECT DxgkCbOpenPhysicalMemoryObject;
    DXGKCB_CLOSEPHYSICALMEMORYOBJECT DxgkCbClosePhysicalMemoryObject;
    DXGKCB_PINFRAMEBUFFERFORSAVE2 DxgkCbPinFrameBufferForSave2;
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM3_1)
    DXGKMEM_DDI_UNRELATED DxgkCbDisconnectDoorbell;
#endif
} DXGKRNL_INTERFACE, *PDXGKRNL_INTERFACE;

#endif /* !DXGKMEM_USE_WDK_DDI */

/*
 * how many bytes of the table a version has, on this target: all through that version's last member.
 * a host copies this much and no more to a driver of that version. members that this translation unit
 * was not compiled with (DXGKDDI_INTERFACE_VERSION too low) cannot be copied, so the answer never exceeds
 * sizeof(DXGKRNL_INTERFACE) as seen here; a version older than the table itself gets 0.
 */
#define DXGKMEM_DDI_THROUGH(member)                                                                          \
    (offsetof(DXGKRNL_INTERFACE, member) + sizeof(((DXGKRNL_INTERFACE *)0)->member))

#define DXGKMEM_DDI_SIZE_VISTA DXGKMEM_DDI_THROUGH(DxgkCbExcludeAdapterAccess)
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WIN8)
#define DXGKMEM_DDI_SIZE_WIN8 DXGKMEM_DDI_THROUGH(DxgkCbCompleteFStateTransition)
#else
#define DXGKMEM_DDI_SIZE_WIN8 DXGKMEM_DDI_SIZE_VISTA
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM1_3)
#define DXGKMEM_DDI_SIZE_WDDM1_3 DXGKMEM_DDI_THROUGH(DxgkCbCompletePStateTransition)
#else
#define DXGKMEM_DDI_SIZE_WDDM1_3 DXGKMEM_DDI_SIZE_WIN8
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_0)
#define DXGKMEM_DDI_SIZE_WDDM2_0 DXGKMEM_DDI_THROUGH(DxgkCbHardwareContentProtectionTeardown)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_0 DXGKMEM_DDI_SIZE_WDDM1_3
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_1)
#define DXGKMEM_DDI_SIZE_WDDM2_1 DXGKMEM_DDI_THROUGH(DxgkCbMitigatedRangeUpdate)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_1 DXGKMEM_DDI_SIZE_WDDM2_0
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_2)
#define DXGKMEM_DDI_SIZE_WDDM2_2 DXGKMEM_DDI_THROUGH(DxgkCbAcquirePostDisplayOwnership2)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_2 DXGKMEM_DDI_SIZE_WDDM2_1
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_3)
#define DXGKMEM_DDI_SIZE_WDDM2_3 DXGKMEM_DDI_THROUGH(DxgkCbSetProtectedSessionStatus)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_3 DXGKMEM_DDI_SIZE_WDDM2_2
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_4)
#define DXGKMEM_DDI_SIZE_WDDM2_4 DXGKMEM_DDI_THROUGH(DxgkCbReportDiagnostic)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_4 DXGKMEM_DDI_SIZE_WDDM2_3
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_5)
#define DXGKMEM_DDI_SIZE_WDDM2_5 DXGKMEM_DDI_THROUGH(DxgkCbSignalEvent)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_5 DXGKMEM_DDI_SIZE_WDDM2_4
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_6)
#define DXGKMEM_DDI_SIZE_WDDM2_6 DXGKMEM_DDI_THROUGH(DxgkCbSaveMemoryForHotUpdate)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_6 DXGKMEM_DDI_SIZE_WDDM2_5
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_8)
#define DXGKMEM_DDI_SIZE_WDDM2_8 DXGKMEM_DDI_THROUGH(DxgkCbNotifyCursorSupportChange)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_8 DXGKMEM_DDI_SIZE_WDDM2_6
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_9)
#define DXGKMEM_DDI_SIZE_WDDM2_9 DXGKMEM_DDI_THROUGH(DxgkCbPinFrameBufferForSave2)
#else
#define DXGKMEM_DDI_SIZE_WDDM2_9 DXGKMEM_DDI_SIZE_WDDM2_8
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM3_1)
#define DXGKMEM_DDI_SIZE_WDDM3_1 DXGKMEM_DDI_THROUGH(DxgkCbDisconnectDoorbell)
#else
#define DXGKMEM_DDI_SIZE_WDDM3_1 DXGKMEM_DDI_SIZE_WDDM2_9
#endif

/* the same as a constant expression; the argument is evaluated several times */
#define DXGKMEM_DDI_INTERFACE_SIZE(version)                                                                  \
    ((version) >= DXGKDDI_INTERFACE_VERSION_WDDM3_1   ? DXGKMEM_DDI_SIZE_WDDM3_1                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_9 ? DXGKMEM_DDI_SIZE_WDDM2_9                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_8 ? DXGKMEM_DDI_SIZE_WDDM2_8                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_6 ? DXGKMEM_DDI_SIZE_WDDM2_6                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_5 ? DXGKMEM_DDI_SIZE_WDDM2_5                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_4 ? DXGKMEM_DDI_SIZE_WDDM2_4                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_3 ? DXGKMEM_DDI_SIZE_WDDM2_3                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_2 ? DXGKMEM_DDI_SIZE_WDDM2_2                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_1 ? DXGKMEM_DDI_SIZE_WDDM2_1                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM2_0 ? DXGKMEM_DDI_SIZE_WDDM2_0                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WDDM1_3 ? DXGKMEM_DDI_SIZE_WDDM1_3                             \
     : (version) >= DXGKDDI_INTERFACE_VERSION_WIN8    ? DXGKMEM_DDI_SIZE_WIN8                                \
     : (version) >= DXGKDDI_INTERFACE_VERSION_VISTA   ? DXGKMEM_DDI_SIZE_VISTA                               \
                                                      : (size_t)0)

static inline size_t dxgkmem_ddi_interface_size(uint32_t version)
{
    return DXGKMEM_DDI_INTERFACE_SIZE(version);
}

/* whether a number is one of the versions that there are */
static inline bool dxgkmem_ddi_version_known(uint32_t version)
{
    switch (version) {
    case DXGKDDI_INTERFACE_VERSION_VISTA:
    case DXGKDDI_INTERFACE_VERSION_VISTA_SP1:
    case DXGKDDI_INTERFACE_VERSION_WIN7:
    case DXGKDDI_INTERFACE_VERSION_WIN8:
    case DXGKDDI_INTERFACE_VERSION_WDDM1_3:
    case DXGKDDI_INTERFACE_VERSION_WDDM1_3_PATH_INDEPENDENT_ROTATION:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_0:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_1:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_1_5:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_1_6:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_2:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_3:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_4:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_5:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_6:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_7:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_8:
    case DXGKDDI_INTERFACE_VERSION_WDDM2_9:
    case DXGKDDI_INTERFACE_VERSION_WDDM3_0:
    case DXGKDDI_INTERFACE_VERSION_WDDM3_1:
    case DXGKDDI_INTERFACE_VERSION_WDDM3_2:
        return true;
    default:
        return false;
    }
}

#endif /* DXGKMEM_DDI_INTERFACE_H */
