/* SPDX-License-Identifier: MIT */
/* Passing on, function by function. */
#include "tests/support/wrapped.h"

struct wrapped wrapped;

static struct dxgkmem_machine *inner(void)
{
    return dxgkmem_sim_machine(world.sim);
}

#define PASS(op, first, pages) (note(op, first, pages), inner()->ops)

static void note(enum wrapped_op op, uint64_t first, uint64_t pages)
{
    __atomic_fetch_add(&wrapped.calls[op], 1, __ATOMIC_RELAXED);
    if (wrapped.before != NULL)
        wrapped.before(op, first, pages);
}

static bool failing(enum wrapped_op op)
{
    if (wrapped.failing != op)
        return false;
    wrapped.failing = WRAPPED_OPS;
    return true;
}

/* What is found where a call that failed was to put something: nobody may look at it. */
static struct dxgkmem_memory *const leavings = (struct dxgkmem_memory *)&wrapped;

static unsigned irql(struct dxgkmem_machine *machine)
{
    (void)machine;
    return inner()->ops->irql(inner());
}

static uint64_t process(struct dxgkmem_machine *machine)
{
    (void)machine;
    return inner()->ops->process(inner());
}

static bool may_allocate(struct dxgkmem_machine *machine)
{
    (void)machine;
    return PASS(OP_MAY_ALLOCATE, 0, 0)->may_allocate(inner()) && !failing(OP_MAY_ALLOCATE);
}

static uint64_t highest_ram_page(struct dxgkmem_machine *machine)
{
    (void)machine;
    return inner()->ops->highest_ram_page(inner());
}

static uint64_t highest_page(struct dxgkmem_machine *machine)
{
    (void)machine;
    return inner()->ops->highest_page(inner());
}

static bool touches_ram(struct dxgkmem_machine *machine, struct dxgkmem_run run)
{
    (void)machine;
    return PASS(OP_TOUCHES_RAM, run.page, run.pages)->touches_ram(inner(), run);
}

static NTSTATUS memory_create(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
                              struct dxgkmem_memory **memory)
{
    (void)machine;
    note(OP_MEMORY_CREATE, request->lowest_page, request->pages);
    if (failing(OP_MEMORY_CREATE)) {
        *memory = leavings;
        return wrapped.failure;
    }
    return inner()->ops->memory_create(inner(), request, memory);
}

static NTSTATUS memory_hold(struct dxgkmem_machine *machine, const uint64_t *page, uint64_t pages,
                            struct dxgkmem_memory **memory)
{
    (void)machine;
    note(OP_MEMORY_HOLD, page[0], pages);
    if (failing(OP_MEMORY_HOLD)) {
        *memory = leavings;
        return wrapped.failure;
    }
    return inner()->ops->memory_hold(inner(), page, pages, memory);
}

static void memory_destroy(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
    (void)machine;
    PASS(OP_MEMORY_DESTROY, 0, 0)->memory_destroy(inner(), memory);
}

static void memory_zero(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
    (void)machine;
    PASS(OP_MEMORY_ZERO, 0, 0)->memory_zero(inner(), memory);
}

static NTSTATUS memory_lock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                            uint64_t pages)
{
    (void)machine;
    note(OP_MEMORY_LOCK, first, pages);
    if (failing(OP_MEMORY_LOCK))
        return wrapped.failure;
    return inner()->ops->memory_lock(inner(), memory, first, pages);
}

static void memory_unlock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                          uint64_t pages)
{
    (void)machine;
    PASS(OP_MEMORY_UNLOCK, first, pages)->memory_unlock(inner(), memory, first, pages);
}

static struct dxgkmem_run memory_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                     uint64_t first)
{
    (void)machine;
    return PASS(OP_MEMORY_RUN, first, 0)->memory_run(inner(), memory, first);
}

static NTSTATUS map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                    uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base)
{
    (void)machine;
    note(OP_MAP, first, pages);
    if (failing(OP_MAP))
        return wrapped.failure;
    return inner()->ops->map(inner(), memory, first, pages, mode, access, base);
}

static void unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
                  uint64_t of_process)
{
    (void)machine;
    PASS(OP_UNMAP, 0, pages)->unmap(inner(), memory, base, pages, of_process);
}

static NTSTATUS domain_create(struct dxgkmem_machine *machine, struct dxgkmem_domain **domain)
{
    (void)machine;
    note(OP_DOMAIN_CREATE, 0, 0);
    if (failing(OP_DOMAIN_CREATE)) {
        *domain = (struct dxgkmem_domain *)leavings;
        return wrapped.failure;
    }
    return inner()->ops->domain_create(inner(), domain);
}

static void domain_destroy(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain)
{
    (void)machine;
    PASS(OP_DOMAIN_DESTROY, 0, 0)->domain_destroy(inner(), domain);
}

static NTSTATUS domain_attach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device)
{
    (void)machine;
    note(OP_DOMAIN_ATTACH, device, 0);
    if (failing(OP_DOMAIN_ATTACH))
        return wrapped.failure;
    return inner()->ops->domain_attach(inner(), domain, device);
}

static void domain_detach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device)
{
    (void)machine;
    PASS(OP_DOMAIN_DETACH, device, 0)->domain_detach(inner(), domain, device);
}

static NTSTATUS domain_map(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                           struct dxgkmem_run run, unsigned access)
{
    (void)machine;
    note(OP_DOMAIN_MAP, logical, run.pages);
    if (failing(OP_DOMAIN_MAP))
        return wrapped.failure;
    return inner()->ops->domain_map(inner(), domain, logical, run, access);
}

static void domain_unmap(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                         uint64_t pages)
{
    (void)machine;
    PASS(OP_DOMAIN_UNMAP, logical, pages)->domain_unmap(inner(), domain, logical, pages);
}

static void domain_flush(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                         uint64_t pages)
{
    (void)machine;
    PASS(OP_DOMAIN_FLUSH, logical, pages)->domain_flush(inner(), domain, logical, pages);
}

static const struct dxgkmem_machine_ops wrapped_ops = {
    .irql = irql,
    .process = process,
    .may_allocate = may_allocate,
    .highest_ram_page = highest_ram_page,
    .highest_page = highest_page,
    .touches_ram = touches_ram,
    .memory_create = memory_create,
    .memory_hold = memory_hold,
    .memory_destroy = memory_destroy,
    .memory_zero = memory_zero,
    .memory_lock = memory_lock,
    .memory_unlock = memory_unlock,
    .memory_run = memory_run,
    .map = map,
    .unmap = unmap,
    .domain_create = domain_create,
    .domain_destroy = domain_destroy,
    .domain_attach = domain_attach,
    .domain_detach = domain_detach,
    .domain_map = domain_map,
    .domain_unmap = domain_unmap,
    .domain_flush = domain_flush,
};

struct dxgkmem_machine *wrapped_machine(void)
{
    static struct dxgkmem_machine machine = {&wrapped_ops};
    memset(&wrapped, 0, sizeof(wrapped));
    wrapped.failing = WRAPPED_OPS;
    return &machine;
}

uint64_t wrapped_calls(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < WRAPPED_OPS; i++)
        sum += wrapped.calls[i];
    return sum;
}
