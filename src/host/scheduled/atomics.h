/* SPDX-License-Identifier: MIT */
/*
 * Put in front of core by the compiler's command line
 * (-include) where threads take turns: every atomic access is a point. A macro
 * is not expanded within itself, so what it calls is the compiler's builtin.
 */
#ifndef DXGKMEM_SCHEDULED_ATOMICS_H
#define DXGKMEM_SCHEDULED_ATOMICS_H

#include "scheduled.h"

#define SCHEDULED_AT(kind, pointer)                                                                          \
    scheduled_point(SCHEDULED_##kind, (const volatile void *)(pointer), __FILE__, __LINE__)

#define __atomic_load_n(pointer, order) (SCHEDULED_AT(READ, pointer), __atomic_load_n(pointer, order))
#define __atomic_store_n(pointer, value, order)                                                              \
    (SCHEDULED_AT(WRITE, pointer), __atomic_store_n(pointer, value, order))
#define __atomic_exchange_n(pointer, value, order)                                                           \
    (SCHEDULED_AT(WRITE, pointer), __atomic_exchange_n(pointer, value, order))
#define __atomic_compare_exchange_n(pointer, expected, desired, weak, success, failure)                      \
    (SCHEDULED_AT(WRITE, pointer),                                                                           \
     __atomic_compare_exchange_n(pointer, expected, desired, weak, success, failure))
#define __atomic_fetch_add(pointer, value, order)                                                            \
    (SCHEDULED_AT(WRITE, pointer), __atomic_fetch_add(pointer, value, order))
#define __atomic_fetch_sub(pointer, value, order)                                                            \
    (SCHEDULED_AT(WRITE, pointer), __atomic_fetch_sub(pointer, value, order))
#define __atomic_add_fetch(pointer, value, order)                                                            \
    (SCHEDULED_AT(WRITE, pointer), __atomic_add_fetch(pointer, value, order))
#define __atomic_sub_fetch(pointer, value, order)                                                            \
    (SCHEDULED_AT(WRITE, pointer), __atomic_sub_fetch(pointer, value, order))
#define __atomic_fetch_or(pointer, value, order)                                                             \
    (SCHEDULED_AT(WRITE, pointer), __atomic_fetch_or(pointer, value, order))
#define __atomic_fetch_and(pointer, value, order)                                                            \
    (SCHEDULED_AT(WRITE, pointer), __atomic_fetch_and(pointer, value, order))

#endif
