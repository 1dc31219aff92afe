// SPDX-License-Identifier: MIT
/*
 * Several ADLs over a page, several objects behind an address, several devices in a domain.
 */
#include "cases.h"

/* Two ADLs over one page: it stays reachable until the second ends. */
static void overlapping(struct world *world, struct thing *thing)
{
	u64 address[2] = { adl_address(thing->adl, 0), adl_address(thing->adl, 1) };
	DXGK_ADL *first = thing->adl, *second;

	if (!expect(world, NT_SUCCESS(thing_adl(world, thing, 1, 2, false)))) {
		thing->adl = first;
		return;
	}
	second = thing->adl;
	thing->adl = first;
	thing_free_adl(world, thing);
	thing->adl = second;
	expect(world, !device_writes(world, 0, address[0], thing->cpu));
	expect(world, device_writes(world, 0, address[1], thing->cpu + PAGE));
	thing_free_adl(world, thing);
	expect(world, !device_writes(world, 0, address[1], thing->cpu + PAGE));
}

/* A logical address that is used again means the new object, and nothing of the old. */
static void address_used_again(struct world *world, struct thing *old)
{
	u64 address = adl_address(old->adl, 0);
	struct thing new;

	if (!thing_create(world, mdl(1), &new))
		return;
	expect(world, device_writes(world, 0, address, old->cpu));
	thing_free_adl(world, old);
	if (expect(world, NT_SUCCESS(thing_adl(world, &new, 0, 1, false)))) {
		expect(world, adl_address(new.adl, 0) == address);
		expect(world, device_writes(world, 0, address, new.cpu));
		expect(world, !device_writes(world, 0, address, old->cpu));
	}
	thing_destroy(world, &new);
}

/* Linked adapters see the same memory, until one of them is removed. */
static void linked(struct world *world, struct thing *thing)
{
	u64 address = adl_address(thing->adl, 0);

	expect(world, device_writes(world, 0, address, thing->cpu));
	expect(world, device_writes(world, 1, address, thing->cpu));
	expect(world, NT_SUCCESS(dxgkmem_remove_adapter(world->adapter[1])));
	world->adapter[1] = NULL;
	fill(thing->cpu, PAGE, 1);
	edu_write(&world->edu[1], address, EDU_BYTES);
	expect(world, is_filled(thing->cpu, PAGE, 1));
	expect(world, device_writes(world, 0, address, thing->cpu));
}

static const struct dma_case cases[] = {
	{ "overlapping ADLs", IDENTITY, { mdl, 3, 0, 2 }, overlapping },
	{ "a logical address used again", REMAPPED, { mdl, 1, 0, 1 }, address_used_again },
	{ "linked adapters", IDENTITY, { mdl, 1, 0, 1 }, linked },
};

const struct dma_group shared_group = { cases, ARRAY_SIZE(cases) };
