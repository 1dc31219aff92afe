// SPDX-License-Identifier: MIT
/*
 * The machine by itself: bounds of pages, what its own checks refuse, I/O space, IRQL.
 */
#include <linux/io.h>
#include <linux/mm.h>

#include "cases.h"

static create_arguments low(SIZE_T pages)
{
	create_arguments arguments = mdl(pages);

	arguments.Mdl.HighAddress = physical(0xffffff);
	return arguments;
}

static void is_low(struct world *world, struct thing *thing)
{
	SIZE_T i;

	for (i = 0; i < thing->bytes; i += PAGE)
		expect(world, physical_of(thing->cpu + i) <= 0xffffff);
}

static create_arguments in_chunks(SIZE_T pages)
{
	create_arguments arguments = mdl(pages);

	arguments.Mdl.SkipBytes = physical(4 * PAGE);
	arguments.Mdl.Flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
	return arguments;
}

static void is_in_chunks(struct world *world, struct thing *thing)
{
	SIZE_T i;

	for (i = 0; i < thing->bytes; i += PAGE)
		expect(world, physical_of(thing->cpu + i) % (4 * PAGE) == i % (4 * PAGE));
}

static create_arguments from_16_mib(SIZE_T pages)
{
	create_arguments arguments = mdl(pages);

	arguments.Mdl.LowAddress = physical(0x1000000);
	arguments.Mdl.HighAddress = physical(0x10fffff);
	arguments.Mdl.SkipBytes = physical(0x100000);
	return arguments;
}

static void is_above(struct world *world, struct thing *thing)
{
	expect(world, physical_of(thing->cpu) >= 0x1000000);
}

static void no_ram_there(struct world *world, struct thing *none)
{
	create_arguments arguments = contiguous(1);

	arguments.hAdapter = world->adapter[0];
	arguments.ContiguousMemory.LowestAcceptableAddress = physical(1ULL << 40);
	expect(world, world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments) == STATUS_NO_MEMORY);
	expect(world, !arguments.hPhysicalMemoryObject);
}

static bool maps(struct world *world, struct dxgkmem_domain *domain, u64 logical, u64 pages)
{
	struct dxgkmem_run run = { .page = PHYS_PFN(physical_of(world->scratch.cpu)), .pages = pages };

	return NT_SUCCESS(
		world->machine->ops->domain_map(world->machine, domain, logical, run, DXGKMEM_ACCESS_READ));
}

static void unmap(struct world *world, struct dxgkmem_domain *domain, u64 logical, u64 pages)
{
	world->machine->ops->domain_unmap(world->machine, domain, logical, pages);
	world->machine->ops->domain_flush(world->machine, domain, logical, pages);
}

/* What is mapped is not mapped over, and the interrupt window is no memory. */
static void own_checks(struct world *world, struct thing *none)
{
	const struct dxgkmem_machine_ops *ops = world->machine->ops;
	struct dxgkmem_domain *domain;

	if (!expect(world, NT_SUCCESS(ops->domain_create(world->machine, &domain))))
		return;
	expect(world, maps(world, domain, 16, 1));
	expect(world, !maps(world, domain, 16, 1));
	expect(world, !maps(world, domain, 15, 2));
	expect(world, !maps(world, domain, 0xfedff, 2));
	expect(world, maps(world, domain, 15, 1));
	unmap(world, domain, 15, 2);
	expect(world, maps(world, domain, 16, 1));
	unmap(world, domain, 16, 1);
	ops->domain_destroy(world->machine, domain);
}

/* I/O space: never RAM, never twice; the registers of the other device through our own mapping. */
static void io_space(struct world *world, struct thing *none)
{
	u64 ram = PHYS_PFN(physical_of(world->scratch.cpu));
	u64 registers = PHYS_PFN(pci_resource_start(world->edu[1].pci, 0));
	create_arguments arguments = io_arguments(world->adapter[0], ram, PAGE);
	struct thing thing;

	expect(world, !NT_SUCCESS(world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments)));
	expect(world, world->violation == DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM);
	arguments = io_arguments(world->adapter[0], registers, PAGE);
	if (!thing_create(world, arguments, &thing))
		return;
	expect(world, readl((void __iomem __force *)thing.cpu) == 0x010000ed);
	expect(world, !NT_SUCCESS(world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments)));
	expect(world, world->violation == DXGKMEM_VIOLATION_IO_SPACE_OVERLAP);
	thing_destroy(world, &thing);
}

/* Where nothing may sleep, callbacks are refused, before they take a lock. */
static void irql(struct world *world, struct thing *none)
{
	create_arguments arguments = mdl(1);
	NTSTATUS status;

	preempt_disable();
	status = world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments);
	preempt_enable();
	expect(world, !NT_SUCCESS(status));
	expect(world, world->violation == DXGKMEM_VIOLATION_IRQL_TOO_HIGH);
}

static const struct dma_case cases[] = {
	{ "pages below 16 MiB", IDENTITY, { low, 4 }, is_low },
	{ "pages in chunks", IDENTITY, { in_chunks, 8 }, is_in_chunks },
	{ "pages from 16 MiB on", IDENTITY, { from_16_mib, 2 }, is_above },
	{ "no RAM there", IDENTITY, {}, no_ram_there },
	{ "the machine's own checks", IDENTITY, {}, own_checks },
	{ "I/O space", REMAPPED, {}, io_space },
	{ "IRQL", IDENTITY, {}, irql },
};

const struct dma_group machine_group = { cases, ARRAY_SIZE(cases) };
