// SPDX-License-Identifier: MIT
/*
 * What is blocked: beside an ADL, and once it, the open, the object or the adapter has ended.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "cases.h"

static void without_adl(struct world *world, struct thing *thing)
{
	int i;

	for (i = 0; i < 3; i++) {
		u8 *page = thing->cpu + i * PAGE;

		expect(world, !device_writes(world, 0, physical_of(page), page));
		expect(world, !device_reads(world, 0, physical_of(page), page));
	}
}

/* The pages around an ADL, and an access that runs out of it. */
static void around(struct world *world, struct thing *thing)
{
	u8 *page[3] = { thing->cpu, thing->cpu + PAGE, thing->cpu + 2 * PAGE };
	u64 address = adl_address(thing->adl, 0);

	expect(world, device_writes(world, 0, address, page[1]));
	expect(world, !device_writes(world, 0, address - PAGE, page[0]));
	expect(world, !device_writes(world, 0, address + PAGE, page[2]));
	fill(page[2], PAGE, 5);
	edu_write(&world->edu[0], address + 0x800, EDU_BYTES);
	expect(world, is_filled(page[2], PAGE, 5));
}

static void beyond_remapped(struct world *world, struct thing *thing)
{
	u64 address = adl_address(thing->adl, 0);

	expect(world, device_writes(world, 0, address, thing->cpu));
	expect(world, !device_writes(world, 0, address + PAGE, thing->cpu + PAGE));
	expect(world, !device_writes(world, 0, physical_of(thing->cpu), thing->cpu));
}

/*
 * The translation was used just before, so that the IOMMU remembers it; an access
 * right after FREEADL must not find it.
 */
static void after_free(struct world *world, struct thing *thing)
{
	u64 address[2] = { adl_address(thing->adl, 0), adl_address(thing->adl, 1) };

	expect(world, device_writes(world, 0, address[0], thing->cpu));
	expect(world, device_writes(world, 0, address[1], thing->cpu + PAGE));
	thing_free_adl(world, thing);
	expect(world, !device_writes(world, 0, address[0], thing->cpu));
	expect(world, !device_writes(world, 0, address[1], thing->cpu + PAGE));
	expect(world, !device_reads(world, 0, address[1], thing->cpu + PAGE));
}

static void after_close(struct world *world, struct thing *thing)
{
	u64 address = adl_address(thing->adl, 0);

	expect(world, device_writes(world, 0, address, thing->cpu));
	thing_free_adl(world, thing);
	thing_close(world, thing);
	expect(world, !device_writes(world, 0, address, thing->cpu));
}

/* The page is kept from other owners, so that what a device does to it can be seen when nobody has it. */
static void after_destroy(struct world *world, struct thing *thing)
{
	struct page *page = vmalloc_to_page(thing->cpu);
	u64 address = adl_address(thing->adl, 0);

	get_page(page);
	expect(world, device_writes(world, 0, address, thing->cpu));
	thing_destroy(world, thing);
	expect(world, !device_writes(world, 0, address, page_address(page)));
	put_page(page);
}

/* A close that is refused, because of the ADL, takes nothing from the device. */
static void refused_close(struct world *world, struct thing *thing)
{
	DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT arguments = { .hAdapterMemoryObject = thing->open };

	world->ddi.DxgkCbClosePhysicalMemoryObject(&arguments);
	expect(world, world->violation == DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL);
	expect(world, device_writes(world, 0, adl_address(thing->adl, 0), thing->cpu));
}

/* Removal ends the ADL, with a report; the device is left without a way. */
static void after_removal(struct world *world, struct thing *thing)
{
	u64 address = adl_address(thing->adl, 0);

	expect(world, device_writes(world, 0, address, thing->cpu));
	world_remove_adapters(world);
	expect(world, world->violation == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
	fill(thing->cpu, PAGE, 1);
	edu_write(&world->edu[0], address, EDU_BYTES);
	expect(world, is_filled(thing->cpu, PAGE, 1));
	edu_write(&world->edu[0], physical_of(thing->cpu), EDU_BYTES);
	expect(world, is_filled(thing->cpu, PAGE, 1));
	/* The adapter memory objects ended with the adapter. */
	thing->open = world->scratch.open = NULL;
	thing->adl = world->scratch.adl = NULL;
}

static void read_only(struct world *world, struct thing *thing)
{
	u64 address = adl_address(thing->adl, 0);

	device_takes(world, 0, 3);
	edu_write(&world->edu[0], address, EDU_BYTES);
	expect(world, !memchr_inv(thing->cpu, 0, PAGE));
	expect(world, device_reads(world, 0, address, thing->cpu));
}

static const struct dma_case cases[] = {
	{ "without an ADL", IDENTITY, { contiguous, 3 }, without_adl },
	{ "around an ADL", IDENTITY, { contiguous, 3, 1, 1, true }, around },
	{ "beyond an ADL, remapped", REMAPPED, { mdl, 2, 0, 1 }, beyond_remapped },
	{ "after FREEADL, identity", IDENTITY, { mdl, 2, 0, 2 }, after_free },
	{ "after FREEADL, remapped", REMAPPED, { mdl, 2, 0, 2 }, after_free },
	{ "after CLOSE", IDENTITY, { mdl, 1, 0, 1 }, after_close },
	{ "after DESTROY", IDENTITY, { mdl, 1, 0, 1 }, after_destroy },
	{ "after DESTROY, remapped", REMAPPED, { mdl, 1, 0, 1 }, after_destroy },
	{ "a refused CLOSE", REMAPPED, { mdl, 1, 0, 1 }, refused_close },
	{ "after the adapter's removal", IDENTITY, { mdl, 1, 0, 1 }, after_removal },
	{ "read-only section", IDENTITY, { read_only_section, 1, 0, 1 }, read_only },
	{ "read-only section, remapped", REMAPPED, { read_only_section, 1, 0, 1 }, read_only },
};

const struct dma_group blocked_group = { cases, ARRAY_SIZE(cases) };
