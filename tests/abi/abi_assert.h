/* SPDX-License-Identifier: MIT */
/* how layout.c asserts: what is compared, and how an assertion is made to fail on request. */
#ifndef DXGKMEM_TESTS_ABI_ASSERT_H
#define DXGKMEM_TESTS_ABI_ASSERT_H

#if defined(ABI_AFTER_WINDOWS_H)
#define WIN32_NO_STATUS
#include <windows.h>
#elif defined(ABI_AFTER_NTDDK_H)
#include <ntddk.h>
#endif

#ifndef DXGKDDI_INTERFACE_VERSION
#define ABI_DEFAULT_VERSION
#endif

#include <dxgkmem/ddi_interface.h>
#include <dxgkmem/ddi_paging.h>

#ifndef FALSIFY
#define FALSIFY 0
#endif

#if defined(__cplusplus)
#define ABI_ASSERT(condition, text) static_assert(condition, text)
#define ABI_ALIGN(type) alignof(type)
#define SAME_TYPE(a, b) (__is_same(a, b) ? 1 : 0)
#define TYPE_OF_FIELD_IS(type, field, wanted) SAME_TYPE(decltype(((type *)0)->field), wanted)
#else
#define ABI_ASSERT(condition, text) _Static_assert(condition, text)
#define ABI_ALIGN(type) _Alignof(type)
#define SAME_TYPE(a, b) _Generic((a)0, b : 1, default : 0)
#define TYPE_OF_FIELD_IS(type, field, wanted) _Generic(((type *)0)->field, wanted : 1, default : 0)
#endif

/* headers may have used the counter before this file; ours starts after it */
enum { abi_base = __COUNTER__ };
#define WRONG(n) ((n)-abi_base == FALSIFY ? 1 : 0)

#define EQUAL_N(n, actual, wanted, text) ABI_ASSERT((actual) == (wanted) + WRONG(n), "abi-check: " text)
#define EQUAL(actual, wanted) EQUAL_N(__COUNTER__, actual, wanted, #actual " is " #wanted)

/* the 64-bit number, and the 32-bit one of a Windows target, which other 32-bit targets must match */
#define BY_WIDTH(on64, on32) (sizeof(void *) == 8 ? (on64) : (on32))

#define SIZE(type, on64, on32) EQUAL(sizeof(type), BY_WIDTH(on64, on32))
#define PLACE(type, field, on64, on32) EQUAL(offsetof(type, field), BY_WIDTH(on64, on32))
#define FIELD(type, field, field_type, on64, on32)                                                           \
    PLACE(type, field, on64, on32);                                                                          \
    EQUAL(TYPE_OF_FIELD_IS(type, field, field_type), 1)
#define INTEGER(type, on64, on32, is_signed)                                                                 \
    SIZE(type, on64, on32);                                                                                  \
    EQUAL(((type)-1 < (type)1) ? 1 : 0, is_signed)
#define STATUS(name, number)                                                                                 \
    EQUAL((uint32_t)(name), number);                                                                         \
    EQUAL(NT_SUCCESS(name) ? 1 : 0, (number) < 0x80000000u ? 1 : 0)
#define CALLBACK_IS(name, result, parameters)                                                                \
    EQUAL(SAME_TYPE(name, result(APIENTRY CALLBACK *) parameters), 1)

#endif /* DXGKMEM_TESTS_ABI_ASSERT_H */
