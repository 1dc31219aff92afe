/* SPDX-License-Identifier: MIT */
/*
 * A machine in front of the simulated one of world.h: it passes every call on, counts
 * it, and lets a test look in before each, so that the order of calls can be checked
 * and a test can act in the middle of a callback.
 */
#ifndef DXGKMEM_TESTS_SUPPORT_WRAPPED_H
#define DXGKMEM_TESTS_SUPPORT_WRAPPED_H

#include "tests/support/world.h"

enum wrapped_op {
    OP_MAY_ALLOCATE,
    OP_TOUCHES_RAM,
    OP_MEMORY_CREATE,
    OP_MEMORY_HOLD,
    OP_MEMORY_DESTROY,
    OP_MEMORY_ZERO,
    OP_MEMORY_LOCK,
    OP_MEMORY_UNLOCK,
    OP_MEMORY_RUN,
    OP_MAP,
    OP_UNMAP,
    OP_DOMAIN_CREATE,
    OP_DOMAIN_DESTROY,
    OP_DOMAIN_ATTACH,
    OP_DOMAIN_DETACH,
    OP_DOMAIN_MAP,
    OP_DOMAIN_UNMAP,
    OP_DOMAIN_FLUSH,
    WRAPPED_OPS
};

struct wrapped {
    uint64_t calls[WRAPPED_OPS];
    /* Before the call is passed on; first and pages are those of the call, else 0. May be NULL. */
    void (*before)(enum wrapped_op op, uint64_t first, uint64_t pages);
    /* The next call of this op fails with this status, once; WRAPPED_OPS: none. */
    enum wrapped_op failing;
    NTSTATUS failure;
};
extern struct wrapped wrapped;

/* For dxgkmem_config.machine; world_make_machine must have been called. Forgets counts and hooks. */
struct dxgkmem_machine *wrapped_machine(void);
uint64_t wrapped_calls(void);

#endif
