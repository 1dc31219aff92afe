/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the simulated machine share: making one, short forms of its
 * functions, and requests. They fail the test when something unexpected happens.
 */
#ifndef DXGKMEM_TEST_SIM_H
#define DXGKMEM_TEST_SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dxgkmem/sim.h>

#define ACCESS_RW (DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE)
#define ANYWHERE ((uint64_t)1 << 40)

/* A machine and the functions it is used through. */
struct rig {
    struct dxgkmem_sim *sim;
    struct dxgkmem_machine *machine;
    const struct dxgkmem_machine_ops *ops;
};

static inline struct rig rig_make(const struct dxgkmem_sim_config *config)
{
    struct rig rig;

    assert_int_equal(dxgkmem_sim_create(config, &rig.sim), STATUS_SUCCESS);
    rig.machine = dxgkmem_sim_machine(rig.sim);
    rig.ops = rig.machine->ops;
    return rig;
}

/* RAM in pages 16 to 16 + pages - 1, I/O at 0x1000. */
static inline struct rig rig_small(uint64_t pages)
{
    struct dxgkmem_sim_config config = {
        .range = {{.page = 16, .pages = pages}, {.page = 0x1000, .pages = 64, .io = true}},
        .ranges = 2,
        .address_bits = 36,
    };

    return rig_make(&config);
}

/* Ends it; nothing may have been complained about, and nothing be left. */
static inline void rig_end(struct rig *rig)
{
    assert_null(dxgkmem_sim_complaint(rig->sim));
    assert_int_equal(dxgkmem_sim_digest(rig->sim), 0);
    dxgkmem_sim_destroy(rig->sim);
}

static inline struct dxgkmem_memory_request request_of(DXGK_PHYSICAL_MEMORY_TYPE type, uint64_t pages)
{
    struct dxgkmem_memory_request request = {
        .type = type,
        .cache = DXGK_MEMORY_CACHING_TYPE_CACHED,
        .pages = pages,
        .highest_page = ANYWHERE,
    };

    return request;
}

static inline struct dxgkmem_memory *create_as(struct rig *rig, const struct dxgkmem_memory_request *request)
{
    struct dxgkmem_memory *memory = NULL;

    assert_int_equal(rig->ops->memory_create(rig->machine, request, &memory), STATUS_SUCCESS);
    assert_non_null(memory);
    return memory;
}

/* An object that is ready for use. */
static inline struct dxgkmem_memory *create(struct rig *rig, DXGK_PHYSICAL_MEMORY_TYPE type, uint64_t pages)
{
    struct dxgkmem_memory_request request = request_of(type, pages);
    struct dxgkmem_memory *memory = create_as(rig, &request);

    rig->ops->memory_zero(rig->machine, memory);
    return memory;
}

static inline struct dxgkmem_memory *create_io(struct rig *rig, uint64_t page, uint64_t pages)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE, pages);

    request.lowest_page = page;
    return create_as(rig, &request);
}

static inline void destroy(struct rig *rig, struct dxgkmem_memory *memory)
{
    rig->ops->memory_destroy(rig->machine, memory);
}

/* The page number of the nth page. */
static inline uint64_t nth_page(struct rig *rig, struct dxgkmem_memory *memory, uint64_t nth)
{
    return rig->ops->memory_run(rig->machine, memory, nth).page;
}

static inline void lock(struct rig *rig, struct dxgkmem_memory *memory, uint64_t first, uint64_t pages)
{
    assert_int_equal(rig->ops->memory_lock(rig->machine, memory, first, pages), STATUS_SUCCESS);
}

static inline void unlock(struct rig *rig, struct dxgkmem_memory *memory, uint64_t first, uint64_t pages)
{
    rig->ops->memory_unlock(rig->machine, memory, first, pages);
}

static inline void *map_as(struct rig *rig, struct dxgkmem_memory *memory, uint64_t first, uint64_t pages,
                           DXGK_ACCESS_MODE mode, unsigned access)
{
    void *base = NULL;

    assert_int_equal(rig->ops->map(rig->machine, memory, first, pages, mode, access, &base), STATUS_SUCCESS);
    assert_int_equal((uintptr_t)base & DXGKMEM_PAGE_MASK, 0);
    return base;
}

static inline void *map_kernel(struct rig *rig, struct dxgkmem_memory *memory, uint64_t first, uint64_t pages)
{
    return map_as(rig, memory, first, pages, DXGK_ACCESS_MODE_KERNEL_MODE, ACCESS_RW);
}

static inline void *map_user(struct rig *rig, struct dxgkmem_memory *memory, uint64_t first, uint64_t pages)
{
    return map_as(rig, memory, first, pages, DXGK_ACCESS_MODE_USER_MODE, ACCESS_RW);
}

static inline struct dxgkmem_domain *domain_with(struct rig *rig, uint64_t device)
{
    struct dxgkmem_domain *domain = NULL;

    assert_int_equal(rig->ops->domain_create(rig->machine, &domain), STATUS_SUCCESS);
    assert_int_equal(rig->ops->domain_attach(rig->machine, domain, device), STATUS_SUCCESS);
    return domain;
}

static inline void domain_end(struct rig *rig, struct dxgkmem_domain *domain, uint64_t device)
{
    rig->ops->domain_detach(rig->machine, domain, device);
    rig->ops->domain_destroy(rig->machine, domain);
}

/* Locks all pages of an object and maps them for a domain, one after the other from `logical` on. */
static inline void expose(struct rig *rig, struct dxgkmem_domain *domain, uint64_t logical,
                          struct dxgkmem_memory *memory, uint64_t pages, unsigned access)
{
    struct dxgkmem_run run;

    lock(rig, memory, 0, pages);
    for (uint64_t at = 0; at < pages; at += run.pages) {
        run = rig->ops->memory_run(rig->machine, memory, at);
        if (run.pages > pages - at)
            run.pages = pages - at;
        assert_int_equal(rig->ops->domain_map(rig->machine, domain, logical + at, run, access),
                         STATUS_SUCCESS);
    }
}

static inline void withdraw(struct rig *rig, struct dxgkmem_domain *domain, uint64_t logical,
                            struct dxgkmem_memory *memory, uint64_t pages)
{
    rig->ops->domain_unmap(rig->machine, domain, logical, pages);
    rig->ops->domain_flush(rig->machine, domain, logical, pages);
    unlock(rig, memory, 0, pages);
}

#define MDL DXGK_PHYSICAL_MEMORY_TYPE_MDL
#define CONTIGUOUS DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY
#define SECTION DXGK_PHYSICAL_MEMORY_TYPE_SECTION
#define IO_SPACE DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE

#endif
