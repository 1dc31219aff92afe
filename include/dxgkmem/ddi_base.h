/* SPDX-License-Identifier: MIT */
/*
 * the platform types that the display driver interface is written in.
 *
 * on a Windows driver build these come from the WDK. everywhere else (user mode on Linux, the Linux
 * kernel, a bare target) nothing declares them, so this file does, with the sizes, signs and alignments
 * of the Windows target of the same pointer width. nothing here needs a C library: a freestanding
 * compiler's own <stdint.h>, <stddef.h> and <stdbool.h> are enough.
 *
 * which declarations are in force:
 *   DXGKMEM_USE_WDK      the types below are the platform's. set it yourself, or include <ntddk.h>,
 *                        <wdm.h> or <d3dkmddi.h> first and it sets itself.
 *   DXGKMEM_USE_WDK_DDI  the interface in ddi.h is the platform's too. derived: true when you set
 *                        DXGKMEM_USE_WDK, or when <d3dkmddi.h> was included first. <ntddk.h> alone does
 *                        not set it, because driver kits exist that have that file and not this interface.
 * a file found by __has_include proves nothing: stand-ins of that name may be on the include path.
 *
 * in Windows user mode, define WIN32_NO_STATUS and include <windows.h> before this file, not after:
 * its union LARGE_INTEGER is then used, and its few unsigned STATUS_ macros stay out of the way.
 */
#ifndef DXGKMEM_DDI_BASE_H
#define DXGKMEM_DDI_BASE_H

#if defined(DXGKMEM_USE_WDK) || defined(_D3DKMDDI_H_)
#ifndef DXGKMEM_USE_WDK_DDI
#define DXGKMEM_USE_WDK_DDI 1
#endif
#endif

#if !defined(DXGKMEM_USE_WDK) && (defined(_NTDDK_) || defined(_WDMDDK_) || defined(_D3DKMDDI_H_))
#define DXGKMEM_USE_WDK 1
#endif

#if defined(DXGKMEM_USE_WDK)
#if !defined(_NTDDK_) && !defined(_WDMDDK_)
#include <ntddk.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#elif defined(__KERNEL__) && defined(__linux__)
#include <linux/limits.h>
#include <linux/stddef.h>
#include <linux/types.h>
/* the kernel's PAGE_SIZE must be seen before the one below, or the two would clash later */
#include <asm/page.h>
/* the kernel has no <stdint.h>: these are what of it is used here */
#ifndef UINT16_MAX
#define UINT16_MAX U16_MAX
#endif
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#endif
#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#ifndef UINT64_C
#define UINT64_C(number) number##ull
#endif
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* ---- compiler -------------------------------------------------------------------------------- */

/* unnamed structs are an extension in C++ and before C11; this keeps -Wpedantic quiet about ours */
#ifndef DXGKMEM_ANON
#if defined(__GNUC__) || defined(__clang__)
#define DXGKMEM_ANON __extension__
#else
#define DXGKMEM_ANON
#endif
#endif

/*
 * the convention of every callback. Windows has two on 32-bit x86 and one elsewhere. on other systems the
 * compiler's own is the default, because core and client are built together; DXGKMEM_DDI_MS_ABI selects
 * the Windows x64 one, for binaries that were built for Windows and are loaded by something else.
 */
#ifndef DXGKMEM_DDI_CALL
#if defined(_WIN32) && (defined(__i386__) || defined(_M_IX86))
#define DXGKMEM_DDI_CALL __stdcall
#elif defined(DXGKMEM_DDI_MS_ABI) && !defined(_WIN32) && defined(__x86_64__)
#define DXGKMEM_DDI_CALL __attribute__((ms_abi))
#elif defined(DXGKMEM_DDI_MS_ABI) && !defined(_WIN32)
#error "DXGKMEM_DDI_MS_ABI needs an x86-64 target"
#else
#define DXGKMEM_DDI_CALL
#endif
#endif
/* both words stand in each callback's declaration, as in Microsoft's; one of them is enough */
#ifndef APIENTRY
#define APIENTRY DXGKMEM_DDI_CALL
#endif
#ifndef CALLBACK
#define CALLBACK DXGKMEM_DDI_CALL
#endif

/* ---- source annotations: they say direction and IRQL to Microsoft's analyser and nothing to others -- */

#ifndef _In_
#define _In_
#endif
#ifndef _In_opt_
#define _In_opt_
#endif
#ifndef _Inout_
#define _Inout_
#endif
#ifndef _Out_
#define _Out_
#endif
#ifndef _Check_return_
#define _Check_return_
#endif
#ifndef _IRQL_requires_
#define _IRQL_requires_(irql)
#endif
#ifndef _Function_class_DXGK_
#define _Function_class_DXGK_(name)
#endif

#ifndef CONST
#define CONST const
#endif

/* ---- types ----------------------------------------------------------------------------------- */

#if !defined(DXGKMEM_USE_WDK)

#ifndef VOID
#define VOID void
#endif

/*
 * on Windows each name is spelled as <windows.h> spells it, so that a second typedef of the same name is
 * a legal repetition. elsewhere `long` may be 64 bit, and these must stay 32.
 */
#if defined(_WIN32)
typedef long NTSTATUS;
typedef long LONG;
typedef unsigned long ULONG;
typedef unsigned long ACCESS_MASK;
#else
typedef int32_t NTSTATUS;
typedef int32_t LONG;
typedef uint32_t ULONG;
typedef uint32_t ACCESS_MASK;
#endif

#if defined(_WIN32) && !defined(_WIN64)
typedef unsigned long ULONG_PTR;
typedef unsigned int UINT_PTR;
#else
typedef uintptr_t ULONG_PTR;
typedef uintptr_t UINT_PTR;
#endif
typedef ULONG_PTR SIZE_T;

typedef void *HANDLE;
typedef void *PVOID;
typedef unsigned char UCHAR;
typedef unsigned char BOOLEAN;
typedef unsigned short USHORT;
typedef unsigned int UINT32;
typedef long long LONGLONG;
typedef unsigned long long ULONGLONG;

/* never looked into by the interface: only passed through */
typedef struct _OBJECT_ATTRIBUTES *POBJECT_ATTRIBUTES;
typedef struct _MDL *PMDL;

/*
 * a 64-bit number that 32-bit code can take apart. QuadPart is forced to 8-byte alignment: Windows
 * aligns it so on every target, while i386 Linux would put it on any multiple of 4 inside a structure.
 */
#if !defined(_WINNT_)
#if defined(_MSC_VER) && !defined(__clang__)
#pragma warning(push)
#pragma warning(disable : 4201)
#define DXGKMEM_ALIGN8
#else
#define DXGKMEM_ALIGN8 __attribute__((aligned(8)))
#endif
typedef union _LARGE_INTEGER {
    DXGKMEM_ANON struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart DXGKMEM_ALIGN8;
} LARGE_INTEGER;
#if defined(_MSC_VER) && !defined(__clang__)
#pragma warning(pop)
#endif
#undef DXGKMEM_ALIGN8
#endif

/* a byte address on the memory bus, or a bound on one; signed in type, never negative in meaning */
typedef LARGE_INTEGER PHYSICAL_ADDRESS;

#endif /* !DXGKMEM_USE_WDK */

/* kernel headers may stop short of <windef.h>; saying it twice is legal */
typedef unsigned int UINT;

/* ---- status values --------------------------------------------------------------------------- */

/* success and information are not negative; warnings (8.......) and errors (C.......) are */
#ifndef NT_SUCCESS
#define NT_SUCCESS(status) (((NTSTATUS)(status)) >= 0)
#endif

#ifndef STATUS_SUCCESS
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#endif
#ifndef STATUS_DATATYPE_MISALIGNMENT
#define STATUS_DATATYPE_MISALIGNMENT ((NTSTATUS)0x80000002)
#endif
#ifndef STATUS_DEVICE_BUSY
#define STATUS_DEVICE_BUSY ((NTSTATUS)0x80000011)
#endif
#ifndef STATUS_UNSUCCESSFUL
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#endif
#ifndef STATUS_NOT_IMPLEMENTED
#define STATUS_NOT_IMPLEMENTED ((NTSTATUS)0xC0000002)
#endif
#ifndef STATUS_INVALID_HANDLE
#define STATUS_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#endif
#ifndef STATUS_INVALID_PARAMETER
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#endif
#ifndef STATUS_NO_MEMORY
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#endif
#ifndef STATUS_CONFLICTING_ADDRESSES
#define STATUS_CONFLICTING_ADDRESSES ((NTSTATUS)0xC0000018)
#endif
#ifndef STATUS_ACCESS_DENIED
#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#endif
#ifndef STATUS_OBJECT_TYPE_MISMATCH
#define STATUS_OBJECT_TYPE_MISMATCH ((NTSTATUS)0xC0000024)
#endif
#ifndef STATUS_SECTION_TOO_BIG
#define STATUS_SECTION_TOO_BIG ((NTSTATUS)0xC0000040)
#endif
#ifndef STATUS_SHARING_VIOLATION
#define STATUS_SHARING_VIOLATION ((NTSTATUS)0xC0000043)
#endif
#ifndef STATUS_QUOTA_EXCEEDED
#define STATUS_QUOTA_EXCEEDED ((NTSTATUS)0xC0000044)
#endif
#ifndef STATUS_INVALID_PAGE_PROTECTION
#define STATUS_INVALID_PAGE_PROTECTION ((NTSTATUS)0xC0000045)
#endif
#ifndef STATUS_INSUFFICIENT_RESOURCES
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)
#endif
#ifndef STATUS_INVALID_ADDRESS
#define STATUS_INVALID_ADDRESS ((NTSTATUS)0xC0000141)
#endif
#ifndef STATUS_NOT_SUPPORTED
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#endif
#ifndef STATUS_INVALID_DEVICE_STATE
#define STATUS_INVALID_DEVICE_STATE ((NTSTATUS)0xC0000184)
#endif
#ifndef STATUS_DEVICE_REMOVED
#define STATUS_DEVICE_REMOVED ((NTSTATUS)0xC00002B6)
#endif

/* ---- memory ---------------------------------------------------------------------------------- */

#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE 0x1000
#endif

/*
 * the four protections a section may have. the DXGKMEM_ names are the ones to use in portable code: the
 * Linux kernel has a PAGE_READONLY of its own that means something else, so the plain names are absent there.
 */
#define DXGKMEM_PAGE_READONLY 0x02u
#define DXGKMEM_PAGE_READWRITE 0x04u
#define DXGKMEM_PAGE_WRITECOPY 0x08u
#define DXGKMEM_PAGE_EXECUTE 0x10u
#if !(defined(__KERNEL__) && defined(__linux__))
#ifndef PAGE_READONLY
#define PAGE_READONLY 0x02
#endif
#ifndef PAGE_READWRITE
#define PAGE_READWRITE 0x04
#endif
#ifndef PAGE_WRITECOPY
#define PAGE_WRITECOPY 0x08
#endif
#ifndef PAGE_EXECUTE
#define PAGE_EXECUTE 0x10
#endif
#endif

/* section memory backed by the page file and committed at once; the only kind this interface makes */
#ifndef SEC_COMMIT
#define SEC_COMMIT 0x8000000
#endif

/*
 * flags of MmAllocatePagesForMdlEx, which Mdl.Flags of the create call takes over. 0x80 is left out on
 * purpose: the reference page does not list it.
 */
#ifndef MM_DONT_ZERO_ALLOCATION
#define MM_DONT_ZERO_ALLOCATION 0x00000001
#endif
#ifndef MM_ALLOCATE_FROM_LOCAL_NODE_ONLY
#define MM_ALLOCATE_FROM_LOCAL_NODE_ONLY 0x00000002
#endif
#ifndef MM_ALLOCATE_FULLY_REQUIRED
#define MM_ALLOCATE_FULLY_REQUIRED 0x00000004
#endif
#ifndef MM_ALLOCATE_NO_WAIT
#define MM_ALLOCATE_NO_WAIT 0x00000008
#endif
#ifndef MM_ALLOCATE_PREFER_CONTIGUOUS
#define MM_ALLOCATE_PREFER_CONTIGUOUS 0x00000010
#endif
#ifndef MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS
#define MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS 0x00000020
#endif
#ifndef MM_ALLOCATE_FAST_LARGE_PAGES
#define MM_ALLOCATE_FAST_LARGE_PAGES 0x00000040
#endif
#ifndef MM_ALLOCATE_AND_HOT_REMOVE
#define MM_ALLOCATE_AND_HOT_REMOVE 0x00000100
#endif

/* ---- interrupt request levels, as on x64 ----------------------------------------------------- */

#ifndef PASSIVE_LEVEL
#define PASSIVE_LEVEL 0
#endif
#ifndef APC_LEVEL
#define APC_LEVEL 1
#endif
#ifndef DISPATCH_LEVEL
#define DISPATCH_LEVEL 2
#endif
#ifndef HIGH_LEVEL
#define HIGH_LEVEL 15
#endif

/* ---- bug checks ------------------------------------------------------------------------------ */

/* the graphics kernel found a driver breaking its rules */
#ifndef VIDEO_DXGKRNL_FATAL_ERROR
#define VIDEO_DXGKRNL_FATAL_ERROR 0x00000113
#endif
/* a device reached memory that it had no right to; its first parameter 0x26 is an IOMMU fault */
#ifndef DRIVER_VERIFIER_DMA_VIOLATION
#define DRIVER_VERIFIER_DMA_VIOLATION 0x000000E6
#endif

#endif /* DXGKMEM_DDI_BASE_H */
