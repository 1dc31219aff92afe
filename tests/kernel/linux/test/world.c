// SPDX-License-Identifier: MIT
/*
 * Implements world.h.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "user.h"
#include "world.h"

#include "machine/linux/machine.h"

/* So many bytes of a page the device writes; not from its beginning, so that an offset that is lost shows. */
#define SPOT 256
#define SPOT_BYTES 512

#define GARBAGE 0x77

bool expect_that(struct world *world, bool holds, const char *what, int line)
{
	if (!holds) {
		world->failures++;
		pr_err("test: FAIL %s: line %d: %s\n", world->name, line, what);
	}
	return holds;
}

/* bytes that tell where they belong */

void fill(u8 *memory, SIZE_T bytes, u8 seed)
{
	SIZE_T i;

	for (i = 0; i < bytes; i++)
		memory[i] = user_byte(i, seed);
}

bool is_filled(const u8 *memory, SIZE_T bytes, u8 seed)
{
	SIZE_T i;

	for (i = 0; i < bytes; i++)
		if (memory[i] != user_byte(i, seed))
			return false;
	return true;
}

/* objects */

create_arguments mdl(SIZE_T pages)
{
	return mdl_arguments(NULL, pages * PAGE);
}

static create_arguments mdl_of(SIZE_T pages, DXGK_MEMORY_CACHING_TYPE cache)
{
	create_arguments arguments = mdl(pages);

	arguments.CacheType = cache;
	return arguments;
}

create_arguments non_cached(SIZE_T pages)
{
	return mdl_of(pages, DXGK_MEMORY_CACHING_TYPE_NON_CACHED);
}

create_arguments write_combined(SIZE_T pages)
{
	return mdl_of(pages, DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED);
}

create_arguments scattered(SIZE_T pages)
{
	create_arguments arguments = mdl(pages);

	arguments.Mdl.HighAddress = physical(PAGE - 1);
	arguments.Mdl.SkipBytes = physical(2 * PAGE);
	return arguments;
}

create_arguments contiguous(SIZE_T pages)
{
	return contiguous_arguments(NULL, pages * PAGE);
}

create_arguments read_only_section(SIZE_T pages)
{
	return section_arguments(NULL, pages * PAGE, DXGKMEM_PAGE_READONLY);
}

u64 physical_of(const u8 *cpu)
{
	return page_to_phys(vmalloc_to_page(cpu));
}

bool thing_create(struct world *world, create_arguments arguments, struct thing *thing)
{
	DXGKARGCB_MAP_PHYSICAL_MEMORY map = { .Size = arguments.Size };

	memset(thing, 0, sizeof(*thing));
	arguments.hAdapter = world->adapter[0];
	if (!expect(world, NT_SUCCESS(world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments))))
		return false;
	thing->object = arguments.hPhysicalMemoryObject;
	thing->open = arguments.hAdapterMemoryObject;
	thing->bytes = arguments.Size;
	map.hPhysicalMemoryObject = thing->object;
	if (!expect(world, NT_SUCCESS(world->ddi.DxgkCbMapPhysicalMemory(&map)))) {
		thing_destroy(world, thing);
		return false;
	}
	thing->cpu = map.pMappedAddress;
	return true;
}

NTSTATUS thing_adl(struct world *world, struct thing *thing, SIZE_T first, SIZE_T pages, bool contiguous)
{
	DXGKARGCB_ALLOCATE_ADL arguments = {
		.hAdapterMemoryObject = thing->open,
		.Offset = first * PAGE,
		.Size = pages * PAGE,
	};
	NTSTATUS status;

	arguments.Flags.RequireContiguous = contiguous;
	status = world->ddi.DxgkCbAllocateAdl(&arguments);
	thing->adl = arguments.pAdl;
	return status;
}

void thing_free_adl(struct world *world, struct thing *thing)
{
	DXGKARGCB_FREE_ADL arguments = { .hAdapterMemoryObject = thing->open, .pAdl = thing->adl };

	world->ddi.DxgkCbFreeAdl(&arguments);
	thing->adl = NULL;
}

void thing_unmap(struct world *world, struct thing *thing)
{
	DXGKARGCB_UNMAP_PHYSICAL_MEMORY arguments = {
		.hPhysicalMemoryObject = thing->object,
		.pBaseAddress = thing->cpu,
		.Size = thing->bytes,
	};

	world->ddi.DxgkCbUnmapPhysicalMemory(&arguments);
	thing->cpu = NULL;
}

void thing_close(struct world *world, struct thing *thing)
{
	DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT arguments = { .hAdapterMemoryObject = thing->open };

	world->ddi.DxgkCbClosePhysicalMemoryObject(&arguments);
	thing->open = NULL;
}

void thing_destroy(struct world *world, struct thing *thing)
{
	DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT arguments = {
		.hPhysicalMemoryObject = thing->object,
		.hAdapterMemoryObject = thing->open,
	};

	if (!thing->object)
		return;
	if (thing->adl)
		thing_free_adl(world, thing);
	if (thing->cpu)
		thing_unmap(world, thing);
	world->ddi.DxgkCbDestroyPhysicalMemoryObject(&arguments);
	memset(thing, 0, sizeof(*thing));
}

u64 adl_address(const DXGK_ADL *adl, SIZE_T page)
{
	return (adl->Flags.Contiguous ? adl->BasePageNumber + page : adl->Pages[page]) * PAGE;
}

/* the device */

void device_takes(struct world *world, unsigned int edu, u8 seed)
{
	fill(world->scratch.cpu, PAGE, seed);
	edu_read(&world->edu[edu], adl_address(world->scratch.adl, 0), EDU_BYTES);
}

bool device_writes(struct world *world, unsigned int edu, u64 address, u8 *cpu)
{
	bool landed, around;

	fill(cpu, PAGE, 1);
	device_takes(world, edu, 2);
	edu_write(&world->edu[edu], address + SPOT, SPOT_BYTES);
	landed = is_filled(cpu + SPOT, SPOT_BYTES, 2);
	fill(world->scratch.cpu, PAGE, 1);
	around = !memcmp(cpu, world->scratch.cpu, SPOT) &&
		 !memcmp(cpu + SPOT + SPOT_BYTES, world->scratch.cpu + SPOT + SPOT_BYTES,
			 PAGE - SPOT - SPOT_BYTES);
	expect(world, around);
	expect(world, landed || !memcmp(cpu + SPOT, world->scratch.cpu + SPOT, SPOT_BYTES));
	return landed;
}

bool device_reads(struct world *world, unsigned int edu, u64 address, u8 *cpu)
{
	u8 *got = world->scratch.cpu + PAGE;

	memset(got, 0xee, PAGE);
	device_takes(world, edu, GARBAGE);
	edu_read(&world->edu[edu], address, EDU_BYTES);
	edu_write(&world->edu[edu], adl_address(world->scratch.adl, 1), EDU_BYTES);
	return !memcmp(got, cpu, EDU_BYTES);
}

/* the world */

static void take_violation(void *context, const struct dxgkmem_violation *violation)
{
	struct world *world = context;

	world->violations++;
	world->violation = violation->code;
}

static bool add_adapters(struct world *world, enum kind kind)
{
	struct dxgkmem_adapter_config config = adapter_identity(0, kind == OLDER ? V29 : V31);
	struct dxgkmem_adapter_info info;
	int i;

	config.iommu_caps.DmaRemappingSupported = 1;
	if (kind == REMAPPED)
		config.remapping = DXGKMEM_REMAPPING_ALWAYS;
	for (i = 0; i < 2; i++) {
		config.device = world->device[i];
		if (!expect(world, NT_SUCCESS(dxgkmem_add_adapter(&config, &world->adapter[i]))))
			return false;
		config.link_to = world->adapter[0];
	}
	return expect(world, NT_SUCCESS(dxgkmem_query_adapter(world->adapter[0], &info))) &&
	       expect(world, info.remapped == (kind == REMAPPED)) &&
	       expect(world, NT_SUCCESS(dxgkmem_query_interface(world->adapter[0], &world->ddi)));
}

bool world_begin(struct world *world, const char *name, struct edu *edu, enum kind kind)
{
	struct dxgkmem_config config = { .violation = take_violation, .violation_context = world };
	unsigned int i;

	memset(world, 0, sizeof(*world));
	world->name = name;
	world->edu = edu;
	world->machine = dxgkmem_linux_machine_create();
	if (!expect(world, world->machine))
		return false;
	config.machine = world->machine;
	if (!expect(world, NT_SUCCESS(dxgkmem_start(&config))))
		return false;
	for (i = 0; i < 2; i++) {
		if (!expect(world,
			    !dxgkmem_linux_claim_device(world->machine, &edu[i].pci->dev, &world->device[i])))
			return false;
		world->devices++;
	}
	return add_adapters(world, kind) && thing_create(world, mdl(2), &world->scratch) &&
	       expect(world, NT_SUCCESS(thing_adl(world, &world->scratch, 0, 2, false)));
}

void world_remove_adapters(struct world *world)
{
	int i;

	for (i = 1; i >= 0; i--)
		if (world->adapter[i])
			expect(world, NT_SUCCESS(dxgkmem_remove_adapter(world->adapter[i])));
	memset(world->adapter, 0, sizeof(world->adapter));
}

void world_end(struct world *world)
{
	struct dxgkmem_leaks leaks = {};

	if (!world->machine)
		return;
	thing_destroy(world, &world->scratch);
	world_remove_adapters(world);
	dxgkmem_stop(&leaks);
	expect(world, !leaks.objects && !leaks.adapter_objects && !leaks.adls && !leaks.mappings &&
			      !leaks.frame_buffers && !leaks.memories);
	while (world->devices)
		dxgkmem_linux_release_device(world->machine, world->device[--world->devices]);
	dxgkmem_linux_machine_destroy(world->machine);
}
