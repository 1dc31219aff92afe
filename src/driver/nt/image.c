/* SPDX-License-Identifier: MIT */
/*
 * Implements image.h: the stack cookie and what happens when it was overwritten; the load
 * configuration with the tables of control flow guard; where the edge counters lie.
 *
 * Nobody runs constructors in a driver. The counters of all files lie one behind the other, between
 * symbols that the linker sorts before and behind them by the names of their sections.
 */
#include <ntddk.h>

#include "image.h"

/* Not every kit knows its name. */
#ifndef DRIVER_OVERRAN_STACK_BUFFER
#define DRIVER_OVERRAN_STACK_BUFFER 0xf7u
#endif

/* -- the stack ---------------------------------------------------------------------------- */

uintptr_t __stack_chk_guard = 0x00002b992ddfa232u;
void __stack_chk_fail(void) __attribute__((noreturn));

void __stack_chk_fail(void)
{
    KeBugCheckEx(DRIVER_OVERRAN_STACK_BUFFER, (ULONG_PTR)__builtin_return_address(0), 0, 0, 0);
}

__attribute__((no_stack_protector)) void image_start(void)
{
    uintptr_t guard = (uintptr_t)KeQueryPerformanceCounter(NULL).QuadPart;

    guard = (guard ^ (uintptr_t)&guard) * (uintptr_t)0x9e3779b97f4a7c15u ^ __stack_chk_guard;
    /* A byte of 0 ends what string functions could write; two of them at the top, as Windows has it. */
    __stack_chk_guard = guard >> 16;
}

/* -- control flow guard ---------------------------------------------------------------------- */

/* The linker fills these in. */
extern char __guard_fids_table[], __guard_fids_count[], __guard_flags[];

static void guard_nothing(void)
{
}

#if defined(__x86_64__)
/* The target is in rax. */
__attribute__((naked)) static void guard_dispatch(void)
{
    __asm__("jmpq *%rax");
}
#else
#define guard_dispatch guard_nothing /* there, calls are checked and not dispatched */
#endif

/* The kernel points these to its own when it enforces the tables; they may not be written to otherwise. */
__attribute__((section(".00cfg"), used)) void (*const __guard_check_icall_fptr)(void) = guard_nothing;
__attribute__((section(".00cfg"), used)) void (*const __guard_dispatch_icall_fptr)(void) = guard_dispatch;

/* By name: kits differ in which of the later fields they know. */
struct load_config {
    uint32_t size, time;
    uint16_t major, minor;
    uint32_t global_flags_clear, global_flags_set, critical_section_timeout;
    uint64_t decommit_free_block, decommit_total_free, lock_prefix_table, maximum_allocation, virtual_memory;
    uint64_t process_affinity;
    uint32_t process_heap_flags;
    uint16_t csd_version, dependent_load_flags;
    uint64_t edit_list;
    const void *security_cookie;
    uint64_t se_handler_table, se_handler_count;
    const void *guard_check, *guard_dispatch;
    const void *guard_table;
    const void *guard_count, *guard_flags;
};

__attribute__((used)) const struct load_config _load_config_used = {
    .size = sizeof(struct load_config),
    .security_cookie = &__stack_chk_guard,
    .guard_check = &__guard_check_icall_fptr,
    .guard_dispatch = &__guard_dispatch_icall_fptr,
    .guard_table = __guard_fids_table,
    .guard_count = __guard_fids_count, /* numbers, as addresses */
    .guard_flags = __guard_flags,
};

/* -- coverage ------------------------------------------------------------------------------------ */

/* The counters begin behind the first and end at the second. Eight bytes each, by the compiler's rule. */
__attribute__((section(".SCOV$CA"), used)) uint64_t __start___sancov_cntrs;
__attribute__((section(".SCOV$CZ"), used)) uint64_t __stop___sancov_cntrs;

void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop);

/* What the constructors would call. */
void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop)
{
    UNREFERENCED_PARAMETER(start);
    UNREFERENCED_PARAMETER(stop);
}

uint8_t *image_coverage(size_t *bytes)
{
    uint8_t *first = (uint8_t *)&__start___sancov_cntrs + sizeof(uint64_t);
    uint8_t *end = (uint8_t *)&__stop___sancov_cntrs;

    *bytes = (size_t)(end - first);
    return *bytes != 0 ? first : NULL;
}
