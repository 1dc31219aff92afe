/* SPDX-License-Identifier: MIT */
/* Implements machine.h: what the machine is like, and its table of functions. */
#include "internal.h"

static struct nt_machine *nt_of(struct dxgkmem_machine *machine)
{
    return (struct nt_machine *)(void *)machine;
}

static unsigned current_irql(struct dxgkmem_machine *machine)
{
    (void)machine;
    return KeGetCurrentIrql();
}

/* No process has the number 0: that is the idle process, in which no driver is called. */
static uint64_t current_process(struct dxgkmem_machine *machine)
{
    (void)machine;
    return (uint64_t)(uintptr_t)PsGetCurrentProcessId();
}

/* -- RAM ---------------------------------------------------------------------------------- */

/* Asked each time, because memory can be added. Without an answer all there may be is RAM. */
static uint64_t highest_ram_page(struct dxgkmem_machine *machine)
{
    PHYSICAL_MEMORY_RANGE *ranges = MmGetPhysicalMemoryRanges();
    uint64_t highest = 0;

    if (ranges == NULL)
        return nt_of(machine)->highest_page;
    for (const PHYSICAL_MEMORY_RANGE *range = ranges; range->NumberOfBytes.QuadPart != 0; range++) {
        uint64_t end = (uint64_t)range->BaseAddress.QuadPart + (uint64_t)range->NumberOfBytes.QuadPart;

        if ((end - 1) >> DXGKMEM_PAGE_SHIFT > highest)
            highest = (end - 1) >> DXGKMEM_PAGE_SHIFT;
    }
    ExFreePool(ranges);
    return highest;
}

static uint64_t highest_page(struct dxgkmem_machine *machine)
{
    return nt_of(machine)->highest_page;
}

static bool touches_ram(struct dxgkmem_machine *machine, struct dxgkmem_run run)
{
    PHYSICAL_MEMORY_RANGE *ranges = MmGetPhysicalMemoryRanges();
    bool touches = false;

    (void)machine;
    if (ranges == NULL)
        return true;
    for (const PHYSICAL_MEMORY_RANGE *range = ranges; range->NumberOfBytes.QuadPart != 0; range++) {
        uint64_t first = (uint64_t)range->BaseAddress.QuadPart >> DXGKMEM_PAGE_SHIFT;
        uint64_t last =
            ((uint64_t)range->BaseAddress.QuadPart + (uint64_t)range->NumberOfBytes.QuadPart - 1) >>
            DXGKMEM_PAGE_SHIFT;

        /* run.page + run.pages does not wrap: the run lies below 2^52 bytes. */
        if (run.page <= last && run.page + run.pages > first)
            touches = true;
    }
    ExFreePool(ranges);
    return touches;
}

/* -- domains ------------------------------------------------------------------------------------ */

static NTSTATUS domain_create(struct dxgkmem_machine *machine, struct dxgkmem_domain **domain)
{
    struct dxgkmem_machine *domains = nt_of(machine)->domains;

    return domains != NULL ? domains->ops->domain_create(domains, domain) : STATUS_NOT_SUPPORTED;
}

static void domain_destroy(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain)
{
    struct dxgkmem_machine *domains = nt_of(machine)->domains;

    domains->ops->domain_destroy(domains, domain);
}

static NTSTATUS domain_attach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device)
{
    struct dxgkmem_machine *domains = nt_of(machine)->domains;

    return domains->ops->domain_attach(domains, domain, device);
}

static void domain_detach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device)
{
    struct dxgkmem_machine *domains = nt_of(machine)->domains;

    domains->ops->domain_detach(domains, domain, device);
}

static NTSTATUS domain_map(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                           struct dxgkmem_run run, unsigned access)
{
    struct dxgkmem_machine *domains = nt_of(machine)->domains;

    return domains->ops->domain_map(domains, domain, logical, run, access);
}

static void domain_unmap(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                         uint64_t pages)
{
    struct dxgkmem_machine *domains = nt_of(machine)->domains;

    domains->ops->domain_unmap(domains, domain, logical, pages);
}

static void domain_flush(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                         uint64_t pages)
{
    struct dxgkmem_machine *domains = nt_of(machine)->domains;

    domains->ops->domain_flush(domains, domain, logical, pages);
}

/* -- the machine ----------------------------------------------------------------------------------- */

static const struct dxgkmem_machine_ops operations = {
    .irql = current_irql,
    .process = current_process,
    .highest_ram_page = highest_ram_page,
    .highest_page = highest_page,
    .touches_ram = touches_ram,
    .memory_create = nt_memory_create,
    .memory_destroy = nt_memory_destroy,
    .memory_zero = nt_memory_zero,
    .memory_lock = nt_memory_lock,
    .memory_unlock = nt_memory_unlock,
    .memory_run = nt_memory_run,
    .map = nt_map,
    .unmap = nt_unmap,
    .domain_create = domain_create,
    .domain_destroy = domain_destroy,
    .domain_attach = domain_attach,
    .domain_detach = domain_detach,
    .domain_map = domain_map,
    .domain_unmap = domain_unmap,
    .domain_flush = domain_flush,
};

/* Leaf 0x80000008 of cpuid; 0 where it cannot be asked. */
static unsigned processor_address_bits(void)
{
#if defined(__x86_64__)
    unsigned eax = 0x80000008u, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return eax & 0xff;
#else
    return 0;
#endif
}

NTSTATUS nt_machine_create(const struct nt_machine_config *config, struct nt_machine **machine)
{
    unsigned bits = config->address_bits != 0 ? config->address_bits : processor_address_bits();
    struct nt_machine *made;

    *machine = NULL;
    if (bits < 32 || bits > 52)
        return STATUS_INVALID_PARAMETER;
    made = dxgkmem_host_alloc(sizeof(*made));
    if (made == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    made->machine.ops = &operations;
    made->highest_page = ((uint64_t)1 << (bits - DXGKMEM_PAGE_SHIFT)) - 1;
    made->domains = config->domains;
    *machine = made;
    return STATUS_SUCCESS;
}

void nt_machine_destroy(struct nt_machine *machine)
{
    if (machine != NULL)
        dxgkmem_host_free(machine, sizeof(*machine));
}

struct dxgkmem_machine *nt_machine_of(struct nt_machine *machine)
{
    return &machine->machine;
}
