/* SPDX-License-Identifier: MIT */
/* Stand-in for intrin.h: the intrinsics of the field; interlocked ones are those of the compiler. */
#ifndef DXGKMEM_WDK_INTRIN_H
#define DXGKMEM_WDK_INTRIN_H

#include <ntdef.h>

FORCEINLINE LONG InterlockedIncrement(LONG volatile *to)
{
    return __atomic_add_fetch(to, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedDecrement(LONG volatile *to)
{
    return __atomic_sub_fetch(to, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedExchange(LONG volatile *to, LONG value)
{
    return __atomic_exchange_n(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedExchangeAdd(LONG volatile *to, LONG value)
{
    return __atomic_fetch_add(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedAdd(LONG volatile *to, LONG value)
{
    return __atomic_add_fetch(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedOr(LONG volatile *to, LONG value)
{
    return __atomic_fetch_or(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedAnd(LONG volatile *to, LONG value)
{
    return __atomic_fetch_and(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedCompareExchange(LONG volatile *to, LONG value, LONG comparand)
{
    (void)__atomic_compare_exchange_n(to, &comparand, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return comparand;
}
FORCEINLINE LONG64 InterlockedIncrement64(LONG64 volatile *to)
{
    return __atomic_add_fetch(to, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedDecrement64(LONG64 volatile *to)
{
    return __atomic_sub_fetch(to, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedExchange64(LONG64 volatile *to, LONG64 value)
{
    return __atomic_exchange_n(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedExchangeAdd64(LONG64 volatile *to, LONG64 value)
{
    return __atomic_fetch_add(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedCompareExchange64(LONG64 volatile *to, LONG64 value, LONG64 comparand)
{
    (void)__atomic_compare_exchange_n(to, &comparand, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return comparand;
}
FORCEINLINE PVOID InterlockedExchangePointer(PVOID volatile *to, PVOID value)
{
    return __atomic_exchange_n(to, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE PVOID InterlockedCompareExchangePointer(PVOID volatile *to, PVOID value, PVOID comparand)
{
    (void)__atomic_compare_exchange_n(to, &comparand, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return comparand;
}
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedOr InterlockedOr
#define _InterlockedAnd InterlockedAnd
#define ReadAcquire(from) __atomic_load_n((from), __ATOMIC_ACQUIRE)
#define ReadNoFence(from) __atomic_load_n((from), __ATOMIC_RELAXED)
#define WriteRelease(to, value) __atomic_store_n((to), (value), __ATOMIC_RELEASE)
#define WriteNoFence(to, value) __atomic_store_n((to), (value), __ATOMIC_RELAXED)
#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define MemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define _ReadWriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define YieldProcessor() ((void)0)
#define __debugbreak() __builtin_trap()
#define _ReturnAddress() __builtin_return_address(0)

FORCEINLINE UCHAR _BitScanForward(ULONG *index, ULONG mask)
{
    if (mask != 0)
        *index = (ULONG)__builtin_ctz(mask);
    return mask != 0;
}
FORCEINLINE UCHAR _BitScanReverse(ULONG *index, ULONG mask)
{
    if (mask != 0)
        *index = 31u - (ULONG)__builtin_clz(mask);
    return mask != 0;
}
FORCEINLINE UCHAR _BitScanForward64(ULONG *index, ULONG64 mask)
{
    if (mask != 0)
        *index = (ULONG)__builtin_ctzll(mask);
    return mask != 0;
}
FORCEINLINE UCHAR _BitScanReverse64(ULONG *index, ULONG64 mask)
{
    if (mask != 0)
        *index = 63u - (ULONG)__builtin_clzll(mask);
    return mask != 0;
}

#endif
