/* SPDX-License-Identifier: MIT */
/*
 * Host services of a test program's own, whose locks do nothing but let a test act at the moment when a call is
 * about to take one: what another thread may do there, one place after the other and the same in every run.
 * Included once in a program.
 */
#ifndef DXGKMEM_TESTS_UNIT_TEST_RACES_H
#define DXGKMEM_TESTS_UNIT_TEST_RACES_H

#include "tests/support/wrapped.h"

#include <stdlib.h>

#include "core/callbacks.h"
#include "core/memory.h"

/* -- host services ------------------------------------------------------------------ */

static unsigned hook_rank, hook_skip;
static void (*hook)(void);
static bool no_memory;
static unsigned shard;

void *dxgkmem_host_alloc(size_t bytes)
{
    return no_memory ? NULL : calloc(1, bytes);
}

void dxgkmem_host_free(void *memory, size_t bytes)
{
    (void)bytes;
    free(memory);
}

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
    (void)lock;
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
    (void)lock;
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank)
{
    void (*now)(void) = hook;
    (void)lock;
    if (now == NULL || rank != hook_rank)
        return;
    if (hook_skip != 0) {
        hook_skip--;
        return;
    }
    hook = NULL;
    now();
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
    (void)lock;
}

unsigned dxgkmem_host_shard(void)
{
    return shard;
}

uint64_t dxgkmem_host_random(void)
{
    return 42;
}

void dxgkmem_host_bug_check(uint32_t code, const uint64_t parameters[4])
{
    (void)code;
    (void)parameters;
    abort();
}

static jmp_buf *panic_exit;

void dxgkmem_host_panic(const char *file, int line, const char *what)
{
    (void)file;
    (void)line;
    (void)what;
    if (panic_exit != NULL)
        longjmp(*panic_exit, 1);
    abort();
}

/* `act` happens when a lock of this rank is about to be taken, after so many of them. */
static void at_lock(unsigned rank, unsigned after, void (*act)(void))
{
    hook_rank = rank;
    hook_skip = after;
    hook = act;
}

static void expect_hooked(void)
{
    assert_null(hook);
}

/* -- what happens meanwhile ----------------------------------------------------------- */

static struct thing thing;

static void close_thing(void)
{
    thing_close(thing.open);
}

static void destroy_unopened(void)
{
    thing_destroy((struct thing){thing.object, NULL});
}

static int setup(void **state)
{
    hook = NULL;
    shard = 0;
    return world_setup(state);
}

#endif
