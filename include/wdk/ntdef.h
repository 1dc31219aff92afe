/* SPDX-License-Identifier: MIT */
/* Stand-in for ntdef.h: types that everything else is written in, lists, strings. ddi_base.h owns what the callbacks need. */
#ifndef DXGKMEM_WDK_NTDEF_H
#define DXGKMEM_WDK_NTDEF_H

#include <dxgkmem/ddi_base.h>
#include <specstrings.h>
#include <string.h>

#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ != 2
#error "driver sources are compiled with -fshort-wchar, as dxgkmem_add_driver_test does: WCHAR has 16 bits"
#endif

#ifdef __cplusplus
#define EXTERN_C extern "C"
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#else
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#endif

/* -- the compiler ---------------------------------------------------------------------- */

#define NTAPI DXGKMEM_DDI_CALL
#define NTKERNELAPI
#define NTSYSAPI
#define DECLSPEC_IMPORT
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_ALIGN(bytes) __attribute__((aligned(bytes)))
#define DECLSPEC_SELECTANY __attribute__((weak))
#define FORCEINLINE static inline __attribute__((always_inline, unused))
#define FAR
#define NEAR
#define RESTRICTED_POINTER __restrict
#define UNALIGNED
#ifndef __forceinline
#define __forceinline inline __attribute__((always_inline))
#endif
#undef __int8
#undef __int16
#undef __int32
#undef __int64
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define __unaligned
#ifndef __cdecl
#define __cdecl
#define __stdcall
#define __fastcall
#endif
/* What drivers say with it; anything else fails to compile by its name. */
#undef __declspec
#define __declspec(what) __attribute__((DXGKMEM_DECLSPEC_##what))
#define DXGKMEM_DECLSPEC_align(bytes) aligned(bytes)
#define DXGKMEM_DECLSPEC_noinline noinline
#define DXGKMEM_DECLSPEC_noreturn noreturn
#define DXGKMEM_DECLSPEC_selectany weak
#define DXGKMEM_DECLSPEC_deprecated deprecated
#define DXGKMEM_DECLSPEC_code_seg(name)
#define DXGKMEM_DECLSPEC_allocate(name)
#define DXGKMEM_DECLSPEC_dllimport
#define DXGKMEM_DECLSPEC_novtable

#define UNREFERENCED_PARAMETER(name) ((void)(name))
#define DBG_UNREFERENCED_PARAMETER(name) ((void)(name))
#define UNREFERENCED_LOCAL_VARIABLE(name) ((void)(name))
#ifdef __cplusplus
#define C_ASSERT(true_thing) static_assert(true_thing, #true_thing)
#else
#define C_ASSERT(true_thing) _Static_assert(true_thing, #true_thing)
#endif
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define RTL_SIZEOF_THROUGH_FIELD(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define RTL_FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#define RTL_NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ARRAYSIZE(array) RTL_NUMBER_OF(array)
#define CONTAINING_RECORD(address, type, field) ((type *)(void *)((PCHAR)(address)-offsetof(type, field)))
#define ARGUMENT_PRESENT(pointer) ((pointer) != NULL)
#define Add2Ptr(pointer, bytes) ((PVOID)((PUCHAR)(pointer) + (bytes)))
#define MAXUSHORT 0xffff
#define MAXLONG 0x7fffffff
#define MAXLONGLONG 0x7fffffffffffffffll
#define MAXULONG 0xffffffffu
#define MAXULONGLONG 0xffffffffffffffffull
#define MAXULONG_PTR UINTPTR_MAX
#define MAXSIZE_T SIZE_MAX
#define ANYSIZE_ARRAY 1
#define ALIGN_DOWN_BY(length, alignment) ((ULONG_PTR)(length) & ~((ULONG_PTR)(alignment)-1))
#define ALIGN_UP_BY(length, alignment) ALIGN_DOWN_BY((ULONG_PTR)(length) + (alignment)-1, alignment)
#define ALIGN_DOWN(length, type) ALIGN_DOWN_BY(length, sizeof(type))
#define ALIGN_UP(length, type) ALIGN_UP_BY(length, sizeof(type))

/* -- numbers ------------------------------------------------------------------------------ */

typedef char CHAR, *PCHAR, *PSTR, *LPSTR;
typedef const char *PCSTR, *LPCSTR, *PCCHAR, *PCSZ;
typedef signed char CCHAR, INT8, *PINT8;
typedef short SHORT, CSHORT, INT16, *PSHORT, *PINT16;
typedef int INT, INT32, LONG32, *PINT, *PINT32;
typedef wchar_t WCHAR, *PWCHAR, *PWSTR, *LPWSTR;
typedef const wchar_t *PCWSTR, *LPCWSTR, *PCWCH;
typedef UCHAR UINT8, *PUCHAR, *PUINT8, *PBOOLEAN;
typedef USHORT UINT16, *PUSHORT, *PUINT16;
typedef LONG *PLONG;
typedef ULONG ULONG32, CLONG, *PULONG;
typedef unsigned int *PUINT, *PUINT32;
typedef LONGLONG LONG64, INT64, *PLONGLONG, *PLONG64, *PINT64;
typedef ULONGLONG ULONG64, UINT64, DWORDLONG, *PULONGLONG, *PULONG64, *PUINT64;
typedef intptr_t LONG_PTR, INT_PTR, SSIZE_T;
typedef ULONG_PTR *PULONG_PTR;
typedef SIZE_T *PSIZE_T;
typedef ULONG_PTR KAFFINITY, PFN_NUMBER, *PPFN_NUMBER;
typedef HANDLE *PHANDLE;
typedef PVOID *PPVOID;
typedef const void *PCVOID, *LPCVOID;
typedef LARGE_INTEGER *PLARGE_INTEGER, *PPHYSICAL_ADDRESS;
typedef ULONG LOGICAL;
typedef CCHAR KPROCESSOR_MODE_CHAR;
typedef UCHAR KIRQL, *PKIRQL;
typedef NTSTATUS *PNTSTATUS;
#define TRUE 1
#define FALSE 0

typedef union _ULARGE_INTEGER {
    DXGKMEM_ANON struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef struct _LUID {
    ULONG LowPart;
    LONG HighPart;
} LUID, *PLUID;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID, *LPGUID;

/* -- lists and strings ----------------------------------------------------------------------- */

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, ANSI_STRING, *PSTRING, *PANSI_STRING;
typedef const ANSI_STRING *PCANSI_STRING;

typedef struct _UNICODE_STRING {
    USHORT Length; /* bytes, not characters */
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;
#define UNICODE_NULL ((WCHAR)0)
#define DECLARE_CONST_UNICODE_STRING(name, literal)                                                          \
    static const WCHAR name##_buffer[] = literal;                                                            \
    static const UNICODE_STRING name = {sizeof(literal) - sizeof(WCHAR), sizeof(literal),                    \
                                        (PWSTR)name##_buffer}
#define RTL_CONSTANT_STRING(literal)                                                                         \
    {                                                                                                        \
        sizeof(literal) - sizeof((literal)[0]), sizeof(literal), (literal)                                   \
    }

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;
#define OBJ_CASE_INSENSITIVE 0x40u
#define OBJ_KERNEL_HANDLE 0x200u
#define InitializeObjectAttributes(p, n, a, r, s)                                                            \
    ((p)->Length = sizeof(OBJECT_ATTRIBUTES), (p)->RootDirectory = (r), (p)->Attributes = (a),               \
     (p)->ObjectName = (n), (p)->SecurityDescriptor = (s), (p)->SecurityQualityOfService = NULL)

#endif
