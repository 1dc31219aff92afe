/* SPDX-License-Identifier: MIT */
/* One life of the driver, and the way out of it. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* a life is left from the stack of a signal, and of a thread of the driver's */
#include "kit.h"

#include <setjmp.h>

static sigjmp_buf way_out;

static void leave(void)
{
    siglongjmp(way_out, 1);
}

__attribute__((noinline)) static void live(void)
{
    kit_stack_set_limit(__builtin_frame_address(0), (const void *)(uintptr_t)live);
    dxgkmem_harness.life(&kit);
    __asm__ volatile(""); /* so that it is no tail call, and the limit stays a frame of its own */
}

bool kit_life(void)
{
    volatile bool left = false;

    if (sigsetjmp(way_out, 1) == 0) {
        kit_leave = leave;
        live();
        wdk_run_pending();
    } else {
        left = true;
    }
    kit_leave = NULL;
    kit_world_end(left);
    kit_stack_set_limit(NULL, NULL);
    return !left;
}
