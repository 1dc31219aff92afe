// SPDX-License-Identifier: MIT
/*
 * Where bytes arrive: every page of an ADL is the right page of the object, for either direction.
 */
#include <linux/string.h>

#include "cases.h"

static void check_all_pages(struct world *world, struct thing *thing)
{
	SIZE_T i;

	for (i = 0; i < thing->adl->PageCount; i++) {
		u8 *cpu = thing->cpu + i * PAGE;

		expect(world, device_writes(world, 0, adl_address(thing->adl, i), cpu));
		fill(cpu, PAGE, (u8)(100 + i));
		expect(world, device_reads(world, 0, adl_address(thing->adl, i), cpu));
	}
}

static void scattered_identity(struct world *world, struct thing *thing)
{
	SIZE_T i;

	expect(world, !thing->adl->Flags.Contiguous);
	for (i = 0; i < 3; i++)
		expect(world, adl_address(thing->adl, i) == physical_of(thing->cpu + i * PAGE));
	check_all_pages(world, thing);
}

/* One access over the border of two pages that are no neighbours but for the device. */
static void scattered_remapped(struct world *world, struct thing *thing)
{
	expect(world, thing->adl->Flags.Contiguous);
	expect(world, physical_of(thing->cpu + PAGE) != physical_of(thing->cpu) + PAGE);
	check_all_pages(world, thing);
	memset(thing->cpu, 0, thing->bytes);
	device_takes(world, 0, 9);
	edu_write(&world->edu[0], adl_address(thing->adl, 0) + 0x800, EDU_BYTES);
	expect(world, is_filled(thing->cpu + 0x800, EDU_BYTES, 9));
}

static create_arguments within_four(SIZE_T pages)
{
	create_arguments arguments = contiguous(pages);

	arguments.ContiguousMemory.BoundaryAddressMultiple = physical(4 * PAGE);
	return arguments;
}

static void contiguous_object(struct world *world, struct thing *thing)
{
	u64 address = physical_of(thing->cpu);
	SIZE_T i;

	for (i = 1; i < 3; i++)
		expect(world, physical_of(thing->cpu + i * PAGE) == address + i * PAGE);
	expect(world, address % (4 * PAGE) <= PAGE);
	expect(world, thing->adl->Flags.Contiguous);
	expect(world, adl_address(thing->adl, 0) % (4 * PAGE) <= PAGE);
	check_all_pages(world, thing);
}

static void arrives(struct world *world, struct thing *thing)
{
	expect(world, device_writes(world, 0, adl_address(thing->adl, 0), thing->cpu));
}

/* The first thing a device sees of new memory. The memory was somebody else's just now. */
static void zero_when_first_seen(struct world *world, struct thing *old)
{
	static u8 zeros[4096];
	struct thing new;

	memset(old->cpu, 0x5a, old->bytes);
	thing_destroy(world, old);
	if (!thing_create(world, mdl(4), &new))
		return;
	expect(world, !memchr_inv(new.cpu, 0, new.bytes));
	if (expect(world, NT_SUCCESS(thing_adl(world, &new, 0, 4, false))))
		expect(world, device_reads(world, 0, adl_address(new.adl, 1), zeros));
	thing_destroy(world, &new);
}

/* A frame buffer's save area: while it is pinned the device reads what it wrote there. */
static void frame_buffer(struct world *world, struct thing *none)
{
	DXGKARGCB_PINFRAMEBUFFERFORSAVE2 pin = { .CommitSize = 2 * PAGE };
	DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin = {};
	static u8 saved[4096];
	u64 address;

	if (!expect(world, NT_SUCCESS(world->ddi.DxgkCbPinFrameBufferForSave2(world->adapter[0], &pin))))
		return;
	address = adl_address(pin.pAdl, 1);
	fill(saved, PAGE, 11);
	device_takes(world, 0, 11);
	edu_write(&world->edu[0], address, EDU_BYTES);
	expect(world, device_reads(world, 0, address, saved));
	expect(world, NT_SUCCESS(world->ddi.DxgkCbUnpinFrameBufferForSave(world->adapter[0], &unpin)));
	expect(world, !device_reads(world, 0, address, saved));
}

static const struct dma_case cases[] = {
	{ "scattered, identity", IDENTITY, { scattered, 3, 0, 3 }, scattered_identity },
	{ "scattered, remapped", REMAPPED, { scattered, 3, 0, 3 }, scattered_remapped },
	{ "contiguous, identity", IDENTITY, { within_four, 3, 0, 3, true }, contiguous_object },
	{ "contiguous, remapped", REMAPPED, { within_four, 3, 0, 3, true }, contiguous_object },
	{ "not cached", REMAPPED, { non_cached, 1, 0, 1 }, arrives },
	{ "write-combined", REMAPPED, { write_combined, 1, 0, 1 }, arrives },
	{ "zero when first seen", IDENTITY, { mdl, 4 }, zero_when_first_seen },
	{ "frame buffer", REMAPPED, {}, frame_buffer },
};

const struct dma_group arrive_group = { cases, ARRAY_SIZE(cases) };
