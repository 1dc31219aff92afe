/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for the kernel routines that host/nt, machine/nt and driver/nt use, so that they compile
 * and run in a process: types by name, not by layout. The files beside this one implement what machine/nt
 * calls and check the documented rules of each routine; what only has to compile is declared and no more.
 */
#ifndef FAKE_NTIFS_H
#define FAKE_NTIFS_H

#include <dxgkmem/ddi_base.h>

#define NTAPI
#define NTKERNELAPI
#define TRUE 1
#define FALSE 0
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define C_ASSERT(holds) _Static_assert(holds, "C_ASSERT")

typedef unsigned char *PUCHAR;
typedef wchar_t WCHAR;
typedef short CSHORT;
typedef uintptr_t PFN_NUMBER;
typedef struct _EPROCESS *PEPROCESS;
typedef struct _KPROCESS *PKPROCESS;
typedef struct {
    void *attached;
} KAPC_STATE;
typedef enum { KernelMode, UserMode } KPROCESSOR_MODE;
typedef enum { MmNonCached, MmCached, MmWriteCombined } MEMORY_CACHING_TYPE;
typedef enum { IoReadAccess, IoWriteAccess, IoModifyAccess } LOCK_OPERATION;
enum { NonPagedPoolNx = 512 };

typedef struct _MDL {
    PEPROCESS Process;
    void *StartVa;
    ULONG ByteCount;
    PFN_NUMBER *Numbers;
} MDL;
#define MmGetMdlPfnArray(mdl) ((mdl)->Numbers)
#define MmGetMdlVirtualAddress(mdl) ((mdl)->StartVa)

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Attributes;
} OBJECT_ATTRIBUTES;
#define OBJ_KERNEL_HANDLE 0x200u
#define InitializeObjectAttributes(attributes, name, flags, root, descriptor)                                \
    (*(attributes) = (OBJECT_ATTRIBUTES){flags})

typedef struct {
    PHYSICAL_ADDRESS BaseAddress;
    LARGE_INTEGER NumberOfBytes;
} PHYSICAL_MEMORY_RANGE;

#define NormalPagePriority 16u
#define SECTION_QUERY 1u
#define SECTION_MAP_READ 4u
#define PAGE_NOCACHE 0x200u
#define PAGE_WRITECOMBINE 0x400u
#define EXCEPTION_EXECUTE_HANDLER 1

#define RtlZeroMemory(to, bytes) ((void)__builtin_memset(to, 0, bytes))
#define RtlFillMemory(to, bytes, byte) ((void)__builtin_memset(to, byte, bytes))
#define RtlCopyMemory(to, from, bytes) ((void)__builtin_memcpy(to, from, bytes))

/* -- processes, IRQL, pool ------------------------------------------------------------------- */

UCHAR KeGetCurrentIrql(void);
HANDLE PsGetCurrentProcessId(void);
PEPROCESS PsGetCurrentProcess(void);
void KeStackAttachProcess(PKPROCESS process, KAPC_STATE *state);
void KeUnstackDetachProcess(KAPC_STATE *state);
void ObReferenceObject(void *object);
void ObDereferenceObject(void *object);
void ExFreePool(void *memory);
void *ExAllocatePoolWithTag(int type, SIZE_T bytes, ULONG tag);
void ExFreePoolWithTag(void *memory, ULONG tag);

/* -- memory ------------------------------------------------------------------------------------- */

PHYSICAL_MEMORY_RANGE *MmGetPhysicalMemoryRanges(void);
PHYSICAL_ADDRESS MmGetPhysicalAddress(void *address);
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip, SIZE_T bytes,
                             MEMORY_CACHING_TYPE cache, ULONG flags);
void MmFreePagesFromMdl(PMDL mdl);
void *MmAllocateContiguousMemorySpecifyCache(SIZE_T bytes, PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high,
                                             PHYSICAL_ADDRESS boundary, MEMORY_CACHING_TYPE cache);
void MmFreeContiguousMemorySpecifyCache(void *address, SIZE_T bytes, MEMORY_CACHING_TYPE cache);
NTSTATUS ZwCreateSection(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                         LARGE_INTEGER *bytes, ULONG protection, ULONG kind, HANDLE file);
NTSTATUS ZwClose(HANDLE handle);
NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, void *type, KPROCESSOR_MODE mode,
                                   void **object, void *information);
NTSTATUS MmMapViewInSystemSpace(void *section, void **base, SIZE_T *bytes);
NTSTATUS MmUnmapViewInSystemSpace(void *base);
PMDL IoAllocateMdl(void *address, ULONG bytes, BOOLEAN secondary, BOOLEAN quota, void *irp);
void IoFreeMdl(PMDL mdl);
void IoBuildPartialMdl(PMDL whole, PMDL part, void *address, ULONG bytes);
void MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation);
void MmUnlockPages(PMDL mdl);
void *MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, void *address,
                                   ULONG bug_check, ULONG priority);
void MmUnmapLockedPages(void *base, PMDL mdl);
void MmUnmapIoSpace(void *base, SIZE_T bytes);

/* -- drivers ------------------------------------------------------------------------------------------ */

typedef struct {
    const WCHAR *Buffer;
} UNICODE_STRING;
#define RTL_CONSTANT_STRING(text)                                                                            \
    {                                                                                                        \
        text                                                                                                 \
    }

typedef struct {
    UCHAR Revision, SubAuthorityCount, IdentifierAuthority[6];
    ULONG SubAuthority[1];
} SID;
typedef struct {
    ULONG Aces;
    ACCESS_MASK Mask[4];
    const SID *Sid[4];
} ACL;
typedef struct {
    USHORT Control;
    const ACL *Dacl;
} SECURITY_DESCRIPTOR;
#define SID_REVISION 1
#define SECURITY_NT_AUTHORITY 0, 0, 0, 0, 0, 5
#define SECURITY_LOCAL_SYSTEM_RID 18u
#define SECURITY_BUILTIN_DOMAIN_RID 32u
#define DOMAIN_ALIAS_RID_ADMINS 544u
#define SECURITY_DESCRIPTOR_REVISION 1u
#define ACL_REVISION 2u
#define SE_DACL_PROTECTED 0x1000u
#define DACL_SECURITY_INFORMATION 4u
#define GENERIC_ALL 0x10000000u
#define WRITE_DAC 0x40000u

typedef struct {
    union {
        struct {
            ULONG OutputBufferLength, InputBufferLength, IoControlCode;
        } DeviceIoControl;
    } Parameters;
} IO_STACK_LOCATION;
typedef struct _IRP {
    struct {
        NTSTATUS Status;
        ULONG_PTR Information;
    } IoStatus;
    struct {
        void *SystemBuffer;
    } AssociatedIrp;
    BOOLEAN Cancel;
    IO_STACK_LOCATION Stack;
    unsigned Completed;
} * PIRP;
typedef struct {
    ULONG Flags;
} DEVICE_OBJECT;
typedef struct _DRIVER_OBJECT {
    DEVICE_OBJECT *DeviceObject;
    NTSTATUS (*MajorFunction[28])(DEVICE_OBJECT *device, PIRP irp);
    void (*DriverUnload)(struct _DRIVER_OBJECT *driver);
} DRIVER_OBJECT;
typedef NTSTATUS DRIVER_INITIALIZE(DRIVER_OBJECT *driver, UNICODE_STRING *path);
enum { IRP_MJ_CREATE = 0, IRP_MJ_CLOSE = 2, IRP_MJ_DEVICE_CONTROL = 14, IRP_MJ_CLEANUP = 18 };
#define IO_NO_INCREMENT 0
#define FILE_DEVICE_UNKNOWN 0x22u
#define FILE_DEVICE_SECURE_OPEN 0x100u
#define DO_DEVICE_INITIALIZING 0x80u
#define METHOD_BUFFERED 0u
#define FILE_READ_ACCESS 1u
#define FILE_WRITE_ACCESS 2u
#define CTL_CODE(type, function, method, access)                                                             \
    ((ULONG)((type) << 16 | (access) << 14 | (function) << 2 | (method)))
#define IoGetCurrentIrpStackLocation(irp) (&(irp)->Stack)

#define STATUS_INFO_LENGTH_MISMATCH ((NTSTATUS)0xC0000004)
#define STATUS_INVALID_DEVICE_REQUEST ((NTSTATUS)0xC0000010)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#define STATUS_DATA_ERROR ((NTSTATUS)0xC000003E)
#define STATUS_REVISION_MISMATCH ((NTSTATUS)0xC0000059)
#define STATUS_INVALID_PARAMETER_1 ((NTSTATUS)0xC00000EF)
#define STATUS_INVALID_PARAMETER_2 ((NTSTATUS)0xC00000F0)
#define STATUS_INVALID_PARAMETER_3 ((NTSTATUS)0xC00000F1)
#define STATUS_CANCELLED ((NTSTATUS)0xC0000120)
#define STATUS_INVALID_BUFFER_SIZE ((NTSTATUS)0xC0000206)

void IoCompleteRequest(PIRP irp, int boost);
NTSTATUS RtlCreateSecurityDescriptor(SECURITY_DESCRIPTOR *descriptor, ULONG revision);
NTSTATUS RtlCreateAcl(ACL *acl, ULONG bytes, ULONG revision);
NTSTATUS RtlAddAccessAllowedAce(ACL *acl, ULONG revision, ACCESS_MASK mask, SID *sid);
NTSTATUS RtlSetDaclSecurityDescriptor(SECURITY_DESCRIPTOR *descriptor, BOOLEAN present, ACL *acl,
                                      BOOLEAN preset);
NTSTATUS ObOpenObjectByPointer(void *object, ULONG attributes, void *state, ACCESS_MASK access, void *type,
                               KPROCESSOR_MODE mode, HANDLE *handle);
NTSTATUS ZwSetSecurityObject(HANDLE handle, ULONG what, SECURITY_DESCRIPTOR *descriptor);
NTSTATUS IoCreateDevice(DRIVER_OBJECT *driver, ULONG extension, UNICODE_STRING *name, ULONG type, ULONG flags,
                        BOOLEAN exclusive, DEVICE_OBJECT **device);
void IoDeleteDevice(DEVICE_OBJECT *device);
NTSTATUS IoCreateSymbolicLink(UNICODE_STRING *link, UNICODE_STRING *name);
NTSTATUS IoDeleteSymbolicLink(UNICODE_STRING *link);

/* -- compiled only --------------------------------------------------------------------------------- */

typedef struct {
    uintptr_t room[7];
} FAST_MUTEX;
void ExInitializeFastMutex(FAST_MUTEX *mutex);
void ExAcquireFastMutexUnsafe(FAST_MUTEX *mutex);
void ExReleaseFastMutexUnsafe(FAST_MUTEX *mutex);
void KeEnterCriticalRegion(void);
void KeLeaveCriticalRegion(void);
HANDLE PsGetCurrentThreadId(void);
void KeBugCheckEx(ULONG code, ULONG_PTR one, ULONG_PTR two, ULONG_PTR three, ULONG_PTR four)
    __attribute__((noreturn));
LARGE_INTEGER KeQueryPerformanceCounter(LARGE_INTEGER *frequency);

#endif
