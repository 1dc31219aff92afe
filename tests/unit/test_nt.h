/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the Windows machine share: one of it on the stand-in kernel of tests/kernel/fake,
 * domains that count what was mapped, short forms of its functions, and requests.
 */
#ifndef DXGKMEM_TEST_NT_H
#define DXGKMEM_TEST_NT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "machine/nt/machine.h"

#define BITS 36u
#define IO_PAGE 5000u /* between the two ranges of RAM */

/* -- domains: what was mapped, and nothing else ----------------------------------------------- */

static struct domains {
    struct dxgkmem_machine machine;
    unsigned alive, attached;
    uint64_t mapped;
} domains;

static inline NTSTATUS domain_create(struct dxgkmem_machine *machine, struct dxgkmem_domain **domain)
{
    (void)machine;
    domains.alive++;
    *domain = (struct dxgkmem_domain *)(void *)&domains;
    return STATUS_SUCCESS;
}

static inline void domain_destroy(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain)
{
    (void)machine;
    (void)domain;
    domains.alive--;
}

static inline NTSTATUS domain_attach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                                     uint64_t device)
{
    (void)machine;
    (void)domain;
    domains.attached += device == 7;
    return STATUS_SUCCESS;
}

static inline void domain_detach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                                 uint64_t device)
{
    (void)machine;
    (void)domain;
    domains.attached -= device == 7;
}

static inline NTSTATUS domain_map(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                                  uint64_t logical, struct dxgkmem_run run, unsigned access)
{
    (void)machine;
    (void)domain;
    (void)logical;
    (void)access;
    domains.mapped += run.pages;
    return STATUS_SUCCESS;
}

static inline void domain_unmap(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                                uint64_t logical, uint64_t pages)
{
    (void)machine;
    (void)domain;
    (void)logical;
    domains.mapped -= pages;
}

static inline void domain_flush(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                                uint64_t logical, uint64_t pages)
{
    (void)machine;
    (void)domain;
    (void)logical;
    (void)pages;
}

static const struct dxgkmem_machine_ops domain_operations = {
    .domain_create = domain_create,
    .domain_destroy = domain_destroy,
    .domain_attach = domain_attach,
    .domain_detach = domain_detach,
    .domain_map = domain_map,
    .domain_unmap = domain_unmap,
    .domain_flush = domain_flush,
};

/* -- the machine ------------------------------------------------------------------------------------ */

static struct nt_machine *nt;
static struct dxgkmem_machine *machine;

static inline int set_up(void **state)
{
    const struct nt_machine_config config = {.address_bits = BITS, .domains = &domains.machine};

    (void)state;
    fake_reset();
    domains = (struct domains){.machine = {&domain_operations}};
    assert_int_equal(nt_machine_create(&config, &nt), STATUS_SUCCESS);
    machine = nt_machine_of(nt);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    nt_machine_destroy(nt);
    assert_int_equal(fake_left(), 0);
    assert_int_equal(domains.alive + domains.attached + domains.mapped, 0);
    return 0;
}

static inline struct dxgkmem_memory_request request_of(DXGK_PHYSICAL_MEMORY_TYPE type, uint64_t pages)
{
    return (struct dxgkmem_memory_request){
        .type = type,
        .cache = type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION ? DXGK_MEMORY_CACHING_TYPE_CACHED
                                                           : DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED,
        .pages = pages,
        .lowest_page = type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE ? IO_PAGE : 0,
        .highest_page = ((uint64_t)1 << (BITS - 12)) - 1,
        .page_protection = PAGE_READWRITE,
        .desired_access = 0,
    };
}

static inline struct dxgkmem_memory *create(const struct dxgkmem_memory_request *request)
{
    struct dxgkmem_memory *memory = NULL;

    assert_int_equal(machine->ops->memory_create(machine, request, &memory), STATUS_SUCCESS);
    if (request->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        machine->ops->memory_zero(machine, memory);
    return memory;
}

static inline void *map(struct dxgkmem_memory *memory, uint64_t first, uint64_t pages, DXGK_ACCESS_MODE mode,
                        unsigned access)
{
    void *base = NULL;

    assert_int_equal(machine->ops->map(machine, memory, first, pages, mode, access, &base), STATUS_SUCCESS);
    return base;
}

static inline void unmap(struct dxgkmem_memory *memory, void *base, uint64_t pages, uint64_t process)
{
    machine->ops->unmap(machine, memory, base, pages, process);
}

#define READ_WRITE (DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE)
#define KERNEL DXGK_ACCESS_MODE_KERNEL_MODE
#define USER DXGK_ACCESS_MODE_USER_MODE

#endif
