/* SPDX-License-Identifier: MIT */
/* part of layout.c: the table of callbacks, whose size tells versions apart. */

/* version, its number, sizeof(DXGKRNL_INTERFACE) with 64-bit pointers */
#define VERSIONS(X)                                                                                          \
    X(VISTA, 0x1052, 0xB8)                                                                                   \
    X(VISTA_SP1, 0x1053, 0xB8)                                                                               \
    X(WIN7, 0x2005, 0xB8)                                                                                    \
    X(WIN8, 0x300E, 0x100)                                                                                   \
    X(WDDM1_3, 0x4002, 0x108)                                                                                \
    X(WDDM1_3_PATH_INDEPENDENT_ROTATION, 0x4003, 0x108)                                                      \
    X(WDDM2_0, 0x5023, 0x138)                                                                                \
    X(WDDM2_1, 0x6003, 0x148)                                                                                \
    X(WDDM2_1_5, 0x6010, 0x148)                                                                              \
    X(WDDM2_1_6, 0x6011, 0x148)                                                                              \
    X(WDDM2_2, 0x700A, 0x168)                                                                                \
    X(WDDM2_3, 0x8001, 0x170)                                                                                \
    X(WDDM2_4, 0x9006, 0x1C8)                                                                                \
    X(WDDM2_5, 0xA00B, 0x1D0)                                                                                \
    X(WDDM2_6, 0xB004, 0x1E0)                                                                                \
    X(WDDM2_7, 0xC004, 0x1E0)                                                                                \
    X(WDDM2_8, 0xD001, 0x1E8)                                                                                \
    X(WDDM2_9, 0xE003, 0x238)                                                                                \
    X(WDDM3_0, 0xF003, 0x238)                                                                                \
    X(WDDM3_1, 0x10004, 0x240)                                                                               \
    X(WDDM3_2, 0x11007, 0x240)

/* two 4-byte members and then pointers only, so half as much and the first two over again */
#define TABLE(on64) BY_WIDTH((size_t)(on64), (size_t)(on64) / 2 + 4)

/* number 1 and number 2: check.sh falsifies them in every version */
#define SIZE_IF_OURS(name, number, size) +(DXGKDDI_INTERFACE_VERSION == (number) ? TABLE(size) : 0)
EQUAL(sizeof(DXGKRNL_INTERFACE), (size_t)0 VERSIONS(SIZE_IF_OURS));
EQUAL(DXGKMEM_DDI_INTERFACE_SIZE(DXGKDDI_INTERFACE_VERSION), (size_t)0 VERSIONS(SIZE_IF_OURS));

/* a version newer than the one compiled for gets what is there */
#define AT_MOST_OURS(size) (TABLE(size) < sizeof(DXGKRNL_INTERFACE) ? TABLE(size) : sizeof(DXGKRNL_INTERFACE))
#define VERSION_ROW(name, number, size)                                                                      \
    EQUAL(DXGKDDI_INTERFACE_VERSION_##name, number);                                                         \
    EQUAL(DXGKMEM_DDI_INTERFACE_SIZE(number), AT_MOST_OURS(size));
VERSIONS(VERSION_ROW)

#ifdef ABI_DEFAULT_VERSION
EQUAL(DXGKDDI_INTERFACE_VERSION, 0x11007);
#endif

EQUAL(DXGKMEM_DDI_INTERFACE_SIZE(0u), 0u);
EQUAL(DXGKMEM_DDI_INTERFACE_SIZE(0x1051u), 0u);
EQUAL(DXGKMEM_DDI_INTERFACE_SIZE(0x9005u), AT_MOST_OURS(0x170));
EQUAL(DXGKMEM_DDI_INTERFACE_SIZE(0xE002u), AT_MOST_OURS(0x1E8));
EQUAL(DXGKMEM_DDI_INTERFACE_SIZE(0xFFFFFFFFu), sizeof(DXGKRNL_INTERFACE));

FIELD(DXGKRNL_INTERFACE, Size, ULONG, 0x00, 0x00);
FIELD(DXGKRNL_INTERFACE, Version, ULONG, 0x04, 0x04);
FIELD(DXGKRNL_INTERFACE, DeviceHandle, HANDLE, 0x08, 0x08);
EQUAL(TYPE_OF_FIELD_IS(DXGKRNL_INTERFACE, DeviceHandle, void *), 1);
EQUAL(SAME_TYPE(PDXGKRNL_INTERFACE, struct _DXGKRNL_INTERFACE *), 1);
CALLBACK_IS(DXGKMEM_DDI_UNRELATED, NTSTATUS, (void));

#define UNRELATED DXGKMEM_DDI_UNRELATED
#define MEMBER(name, type, on64) FIELD(DXGKRNL_INTERFACE, name, type, on64, (on64) / 2 + 4)
MEMBER(DxgkCbEvalAcpiMethod, UNRELATED, 0x010);
MEMBER(DxgkCbGetDeviceInformation, UNRELATED, 0x018);
MEMBER(DxgkCbIndicateChildStatus, UNRELATED, 0x020);
MEMBER(DxgkCbMapMemory, UNRELATED, 0x028);
MEMBER(DxgkCbQueueDpc, UNRELATED, 0x030);
MEMBER(DxgkCbQueryServices, UNRELATED, 0x038);
MEMBER(DxgkCbReadDeviceSpace, UNRELATED, 0x040);
MEMBER(DxgkCbSynchronizeExecution, UNRELATED, 0x048);
MEMBER(DxgkCbUnmapMemory, UNRELATED, 0x050);
MEMBER(DxgkCbWriteDeviceSpace, UNRELATED, 0x058);
MEMBER(DxgkCbIsDevicePresent, UNRELATED, 0x060);
MEMBER(DxgkCbGetHandleData, UNRELATED, 0x068);
MEMBER(DxgkCbGetHandleParent, UNRELATED, 0x070);
MEMBER(DxgkCbEnumHandleChildren, UNRELATED, 0x078);
MEMBER(DxgkCbNotifyInterrupt, UNRELATED, 0x080);
MEMBER(DxgkCbNotifyDpc, UNRELATED, 0x088);
MEMBER(DxgkCbQueryVidPnInterface, UNRELATED, 0x090);
MEMBER(DxgkCbQueryMonitorInterface, UNRELATED, 0x098);
MEMBER(DxgkCbGetCaptureAddress, UNRELATED, 0x0A0);
MEMBER(DxgkCbLogEtwEvent, UNRELATED, 0x0A8);
MEMBER(DxgkCbExcludeAdapterAccess, UNRELATED, 0x0B0);
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WIN8)
MEMBER(DxgkCbCreateContextAllocation, UNRELATED, 0x0B8);
MEMBER(DxgkCbDestroyContextAllocation, UNRELATED, 0x0C0);
MEMBER(DxgkCbSetPowerComponentActive, UNRELATED, 0x0C8);
MEMBER(DxgkCbSetPowerComponentIdle, UNRELATED, 0x0D0);
MEMBER(DxgkCbAcquirePostDisplayOwnership, UNRELATED, 0x0D8);
MEMBER(DxgkCbPowerRuntimeControlRequest, UNRELATED, 0x0E0);
MEMBER(DxgkCbSetPowerComponentLatency, UNRELATED, 0x0E8);
MEMBER(DxgkCbSetPowerComponentResidency, UNRELATED, 0x0F0);
MEMBER(DxgkCbCompleteFStateTransition, UNRELATED, 0x0F8);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM1_3)
MEMBER(DxgkCbCompletePStateTransition, UNRELATED, 0x100);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_0)
MEMBER(DxgkCbMapContextAllocation, UNRELATED, 0x108);
MEMBER(DxgkCbUpdateContextAllocation, UNRELATED, 0x110);
MEMBER(DxgkCbReserveGpuVirtualAddressRange, UNRELATED, 0x118);
MEMBER(DxgkCbAcquireHandleData, UNRELATED, 0x120);
MEMBER(DxgkCbReleaseHandleData, UNRELATED, 0x128);
MEMBER(DxgkCbHardwareContentProtectionTeardown, UNRELATED, 0x130);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_1)
MEMBER(DxgkCbMultiPlaneOverlayDisabled, UNRELATED, 0x138);
MEMBER(DxgkCbMitigatedRangeUpdate, UNRELATED, 0x140);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_2)
MEMBER(DxgkCbInvalidateHwContext, UNRELATED, 0x148);
MEMBER(DxgkCbIndicateConnectorChange, UNRELATED, 0x150);
MEMBER(DxgkCbUnblockUEFIFrameBufferRanges, UNRELATED, 0x158);
MEMBER(DxgkCbAcquirePostDisplayOwnership2, UNRELATED, 0x160);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_3)
MEMBER(DxgkCbSetProtectedSessionStatus, UNRELATED, 0x168);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_4)
MEMBER(DxgkCbAllocateContiguousMemory, DXGKCB_ALLOCATECONTIGUOUSMEMORY, 0x170);
MEMBER(DxgkCbFreeContiguousMemory, DXGKCB_FREECONTIGUOUSMEMORY, 0x178);
MEMBER(DxgkCbAllocatePagesForMdl, DXGKCB_ALLOCATEPAGESFORMDL, 0x180);
MEMBER(DxgkCbFreePagesFromMdl, DXGKCB_FREEPAGESFROMMDL, 0x188);
MEMBER(DxgkCbPinFrameBufferForSave, DXGKCB_PINFRAMEBUFFERFORSAVE, 0x190);
MEMBER(DxgkCbUnpinFrameBufferForSave, DXGKCB_UNPINFRAMEBUFFERFORSAVE, 0x198);
MEMBER(DxgkCbMapFrameBufferPointer, DXGKCB_MAPFRAMEBUFFERPOINTER, 0x1A0);
MEMBER(DxgkCbUnmapFrameBufferPointer, DXGKCB_UNMAPFRAMEBUFFERPOINTER, 0x1A8);
MEMBER(DxgkCbMapMdlToIoMmu, DXGKCB_MAPMDLTOIOMMU, 0x1B0);
MEMBER(DxgkCbUnmapMdlFromIoMmu, DXGKCB_UNMAPMDLFROMIOMMU, 0x1B8);
MEMBER(DxgkCbReportDiagnostic, UNRELATED, 0x1C0);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_5)
MEMBER(DxgkCbSignalEvent, UNRELATED, 0x1C8);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_6)
MEMBER(DxgkCbIsFeatureEnabled, UNRELATED, 0x1D0);
MEMBER(DxgkCbSaveMemoryForHotUpdate, UNRELATED, 0x1D8);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_8)
MEMBER(DxgkCbNotifyCursorSupportChange, UNRELATED, 0x1E0);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM2_9)
MEMBER(DxgkCbQueryFeatureSupport, UNRELATED, 0x1E8);
MEMBER(DxgkCbCreatePhysicalMemoryObject, DXGKCB_CREATEPHYSICALMEMORYOBJECT, 0x1F0);
MEMBER(DxgkCbDestroyPhysicalMemoryObject, DXGKCB_DESTROYPHYSICALMEMORYOBJECT, 0x1F8);
MEMBER(DxgkCbMapPhysicalMemory, DXGKCB_MAPPHYSICALMEMORY, 0x200);
MEMBER(DxgkCbUnmapPhysicalMemory, DXGKCB_UNMAPPHYSICALMEMORY, 0x208);
MEMBER(DxgkCbAllocateAdl, DXGKCB_ALLOCATEADL, 0x210);
MEMBER(DxgkCbFreeAdl, DXGKCB_FREEADL, 0x218);
MEMBER(DxgkCbOpenPhysicalMemoryObject, DXGKCB_OPENPHYSICALMEMORYOBJECT, 0x220);
MEMBER(DxgkCbClosePhysicalMemoryObject, DXGKCB_CLOSEPHYSICALMEMORYOBJECT, 0x228);
MEMBER(DxgkCbPinFrameBufferForSave2, DXGKCB_PINFRAMEBUFFERFORSAVE2, 0x230);
#endif
#if (DXGKDDI_INTERFACE_VERSION >= DXGKDDI_INTERFACE_VERSION_WDDM3_1)
MEMBER(DxgkCbDisconnectDoorbell, UNRELATED, 0x238);
#endif
