// SPDX-License-Identifier: MIT
/*
 * Implements cases.h. Whether DMA went through is judged by the bytes in memory
 * and in the device, never by what anybody reports.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "cases.h"

#include "machine/linux/machine.h"

/* The page that a CPU mapping shows. */
static struct page *page_of(const u8 *cpu)
{
	return vmalloc_to_page(cpu);
}

static u64 physical_of(const u8 *cpu)
{
	return page_to_phys(page_of(cpu));
}

/* Both, or nothing is left and the case has failed. */
static bool thing_with_adl(struct world *world, create_arguments arguments, SIZE_T first, SIZE_T pages,
			   bool contiguous, struct thing *thing)
{
	if (!thing_create(world, arguments, thing))
		return false;
	if (expect(world, NT_SUCCESS(thing_adl(world, thing, first, pages, contiguous))))
		return true;
	thing_destroy(world, thing);
	return false;
}

/* where bytes arrive */

/* Every page of an ADL is the right page of the object, for either direction. */
static void check_all_pages(struct world *world, struct thing *thing, SIZE_T first)
{
	SIZE_T i;

	for (i = 0; i < thing->adl->PageCount; i++) {
		u8 *cpu = thing->cpu + (first + i) * PAGE_BYTES;

		expect(world, device_writes(world, 0, adl_address(thing->adl, i), cpu));
		fill(cpu, PAGE_BYTES, (u8)(100 + i));
		expect(world, device_reads(world, 0, adl_address(thing->adl, i), cpu));
	}
}

static void scattered_identity(struct world *world)
{
	struct thing thing;
	SIZE_T i;

	if (!thing_with_adl(world, scattered(3), 0, 3, false, &thing))
		return;
	expect(world, !thing.adl->Flags.Contiguous);
	for (i = 0; i < 3; i++)
		expect(world, adl_address(thing.adl, i) == physical_of(thing.cpu + i * PAGE_BYTES));
	check_all_pages(world, &thing, 0);
	thing_destroy(world, &thing);
}

/* One access over the border of two pages that are no neighbours but for the device. */
static void scattered_remapped(struct world *world)
{
	struct thing thing;

	if (!thing_with_adl(world, scattered(3), 0, 3, false, &thing))
		return;
	expect(world, thing.adl->Flags.Contiguous);
	expect(world, physical_of(thing.cpu + PAGE_BYTES) != physical_of(thing.cpu) + PAGE_BYTES);
	check_all_pages(world, &thing, 0);
	memset(thing.cpu, 0, thing.bytes);
	fill(world->scratch.cpu, PAGE_BYTES, 9);
	edu_read(&world->edu[0], adl_address(world->scratch.adl, 0), EDU_BYTES);
	edu_write(&world->edu[0], adl_address(thing.adl, 0) + 0x800, EDU_BYTES);
	expect(world, is_filled(thing.cpu + 0x800, EDU_BYTES, 9));
	thing_destroy(world, &thing);
}

static void contiguous_object(struct world *world)
{
	create_arguments arguments = contiguous(3);
	struct thing thing;
	SIZE_T i;

	arguments.ContiguousMemory.BoundaryAddressMultiple.QuadPart = 4 * PAGE_BYTES;
	if (!thing_create(world, arguments, &thing))
		return;
	for (i = 1; i < 3; i++)
		expect(world,
		       physical_of(thing.cpu + i * PAGE_BYTES) == physical_of(thing.cpu) + i * PAGE_BYTES);
	expect(world, physical_of(thing.cpu) % (4 * PAGE_BYTES) <= PAGE_BYTES);
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 3, true)))) {
		expect(world, thing.adl->Flags.Contiguous);
		expect(world, adl_address(thing.adl, 0) % (4 * PAGE_BYTES) <= PAGE_BYTES);
		check_all_pages(world, &thing, 0);
	}
	thing_destroy(world, &thing);
}

static void cache_types(struct world *world)
{
	static const DXGK_MEMORY_CACHING_TYPE types[] = { DXGK_MEMORY_CACHING_TYPE_NON_CACHED,
							  DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED };
	struct thing thing;
	int i;

	for (i = 0; i < 2; i++) {
		create_arguments arguments = mdl(1);

		arguments.CacheType = types[i];
		if (!thing_create(world, arguments, &thing))
			return;
		if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 1, false))))
			expect(world, device_writes(world, 0, adl_address(thing.adl, 0), thing.cpu));
		thing_destroy(world, &thing);
	}
}

/* The first thing a device sees of new memory. The memory was somebody else's just now. */
static void zero_when_first_seen(struct world *world)
{
	static u8 zeros[4096];
	struct thing thing;
	int i;

	for (i = 0; i < 2; i++) {
		if (!thing_create(world, mdl(4), &thing))
			return;
		expect(world, !memchr_inv(thing.cpu, 0, thing.bytes));
		if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 4, false))))
			expect(world, device_reads(world, 0, adl_address(thing.adl, 1), zeros));
		memset(thing.cpu, 0x5a, thing.bytes);
		thing_destroy(world, &thing);
	}
}

/* what is blocked */

/* Memory without an ADL; then the pages around one, and an access that runs out of it. */
static void outside(struct world *world)
{
	struct thing thing;
	u8 *page[3];
	int i;

	if (!thing_create(world, contiguous(3), &thing))
		return;
	for (i = 0; i < 3; i++) {
		page[i] = thing.cpu + i * PAGE_BYTES;
		expect(world, !device_writes(world, 0, physical_of(page[i]), page[i]));
	}
	expect(world, !device_reads(world, 0, physical_of(page[0]), page[0]));
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 1, 1, true)))) {
		u64 address = adl_address(thing.adl, 0);

		expect(world, device_writes(world, 0, address, page[1]));
		expect(world, !device_writes(world, 0, address - PAGE_BYTES, page[0]));
		expect(world, !device_writes(world, 0, address + PAGE_BYTES, page[2]));
		fill(page[2], PAGE_BYTES, 5);
		edu_write(&world->edu[0], address + 0x800, EDU_BYTES);
		expect(world, is_filled(page[2], PAGE_BYTES, 5));
	}
	thing_destroy(world, &thing);
}

static void beyond_remapped(struct world *world)
{
	struct thing thing;

	if (!thing_create(world, mdl(2), &thing))
		return;
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 1, false)))) {
		u64 address = adl_address(thing.adl, 0);

		expect(world, device_writes(world, 0, address, thing.cpu));
		expect(world, !device_writes(world, 0, address + PAGE_BYTES, thing.cpu + PAGE_BYTES));
		expect(world, !device_writes(world, 0, physical_of(thing.cpu), thing.cpu));
	}
	thing_destroy(world, &thing);
}

/*
 * The translation was used just before, so that the IOMMU remembers it; an access
 * right after FREEADL must not find it.
 */
static void after_free(struct world *world)
{
	struct thing thing;

	if (!thing_create(world, mdl(2), &thing))
		return;
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 2, false)))) {
		u64 address[2] = { adl_address(thing.adl, 0), adl_address(thing.adl, 1) };

		expect(world, device_writes(world, 0, address[0], thing.cpu));
		expect(world, device_writes(world, 0, address[1], thing.cpu + PAGE_BYTES));
		thing_free_adl(world, &thing);
		expect(world, !device_writes(world, 0, address[0], thing.cpu));
		expect(world, !device_writes(world, 0, address[1], thing.cpu + PAGE_BYTES));
		expect(world, !device_reads(world, 0, address[1], thing.cpu + PAGE_BYTES));
	}
	thing_destroy(world, &thing);
}

/* Keeps a page from other owners, so that what a device does to it can be seen when nobody has it. */
static u8 *keep(struct thing *thing)
{
	get_page(page_of(thing->cpu));
	return page_address(page_of(thing->cpu));
}

static void let_go(u8 *kept)
{
	put_page(virt_to_page(kept));
}

static void after_close(struct world *world)
{
	struct thing thing;
	u64 address;

	if (!thing_with_adl(world, mdl(1), 0, 1, false, &thing))
		return;
	address = adl_address(thing.adl, 0);
	expect(world, device_writes(world, 0, address, thing.cpu));
	thing_free_adl(world, &thing);
	thing_close(world, &thing);
	expect(world, !device_writes(world, 0, address, thing.cpu));
	thing_destroy(world, &thing);
}

static void after_destroy(struct world *world)
{
	struct thing thing;
	u64 address;
	u8 *kept;

	if (!thing_create(world, mdl(1), &thing))
		return;
	kept = keep(&thing);
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 1, false)))) {
		address = adl_address(thing.adl, 0);
		expect(world, device_writes(world, 0, address, thing.cpu));
		thing_destroy(world, &thing);
		expect(world, !device_writes(world, 0, address, kept));
	} else {
		thing_destroy(world, &thing);
	}
	let_go(kept);
}

/* A close that is refused, because of the ADL, takes nothing from the device. */
static void refused_close(struct world *world)
{
	DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT arguments;
	struct thing thing;

	if (!thing_with_adl(world, mdl(1), 0, 1, false, &thing))
		return;
	arguments.hAdapterMemoryObject = thing.open;
	world->ddi.DxgkCbClosePhysicalMemoryObject(&arguments);
	expect(world, world->violation == DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL);
	expect(world, device_writes(world, 0, adl_address(thing.adl, 0), thing.cpu));
	thing_destroy(world, &thing);
}

/* Removal ends the ADL, with a report; the device is left without a way. */
static void after_removal(struct world *world)
{
	struct thing thing;
	u64 address;

	if (!thing_with_adl(world, mdl(1), 0, 1, false, &thing))
		return;
	address = adl_address(thing.adl, 0);
	expect(world, device_writes(world, 0, address, thing.cpu));
	world_remove_adapters(world);
	expect(world, world->violation == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
	fill(thing.cpu, PAGE_BYTES, 1);
	edu_write(&world->edu[0], address, EDU_BYTES);
	expect(world, is_filled(thing.cpu, PAGE_BYTES, 1));
	edu_write(&world->edu[0], physical_of(thing.cpu), EDU_BYTES);
	expect(world, is_filled(thing.cpu, PAGE_BYTES, 1));
	/* The adapter memory objects ended with the adapter. */
	thing.open = world->scratch.open = NULL;
	thing.adl = world->scratch.adl = NULL;
	thing_destroy(world, &thing);
}

static void read_only(struct world *world)
{
	struct thing thing;

	if (!thing_create(world, section(1, DXGKMEM_PAGE_READONLY), &thing))
		return;
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 1, false)))) {
		u64 address = adl_address(thing.adl, 0);

		fill(world->scratch.cpu, PAGE_BYTES, 3);
		edu_read(&world->edu[0], adl_address(world->scratch.adl, 0), EDU_BYTES);
		edu_write(&world->edu[0], address, EDU_BYTES);
		expect(world, !memchr_inv(thing.cpu, 0, PAGE_BYTES));
		expect(world, device_reads(world, 0, address, thing.cpu));
	}
	thing_destroy(world, &thing);
}

/* several ADLs, several devices */

/* Two ADLs over one page: it stays reachable until the second ends. */
static void overlapping(struct world *world)
{
	struct thing thing;
	DXGK_ADL *first;

	if (!thing_create(world, mdl(3), &thing))
		return;
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 2, false)))) {
		u64 address[2] = { adl_address(thing.adl, 0), adl_address(thing.adl, 1) };

		first = thing.adl;
		if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 1, 2, false)))) {
			DXGK_ADL *second = thing.adl;

			thing.adl = first;
			thing_free_adl(world, &thing);
			thing.adl = second;
			expect(world, !device_writes(world, 0, address[0], thing.cpu));
			expect(world, device_writes(world, 0, address[1], thing.cpu + PAGE_BYTES));
		}
		thing_free_adl(world, &thing);
		expect(world, !device_writes(world, 0, address[1], thing.cpu + PAGE_BYTES));
	}
	thing_destroy(world, &thing);
}

/* A logical address that is used again means the new object, and nothing of the old. */
static void address_used_again(struct world *world)
{
	struct thing old, new;

	if (!thing_create(world, mdl(1), &old))
		return;
	if (thing_create(world, mdl(1), &new)) {
		if (expect(world, NT_SUCCESS(thing_adl(world, &old, 0, 1, false)))) {
			u64 address = adl_address(old.adl, 0);

			expect(world, device_writes(world, 0, address, old.cpu));
			thing_free_adl(world, &old);
			expect(world, NT_SUCCESS(thing_adl(world, &new, 0, 1, false)));
			expect(world, adl_address(new.adl, 0) == address);
			expect(world, device_writes(world, 0, address, new.cpu));
			expect(world, !device_writes(world, 0, address, old.cpu));
		}
		thing_destroy(world, &new);
	}
	thing_destroy(world, &old);
}

/* Linked adapters see the same memory, until one of them is removed. */
static void linked(struct world *world)
{
	struct thing thing;

	if (!thing_create(world, mdl(1), &thing))
		return;
	if (expect(world, NT_SUCCESS(thing_adl(world, &thing, 0, 1, false)))) {
		u64 address = adl_address(thing.adl, 0);

		expect(world, device_writes(world, 0, address, thing.cpu));
		expect(world, device_writes(world, 1, address, thing.cpu));
		expect(world, NT_SUCCESS(dxgkmem_remove_adapter(world->adapter[1])));
		world->adapter[1] = NULL;
		fill(thing.cpu, PAGE_BYTES, 1);
		edu_write(&world->edu[1], address, EDU_BYTES);
		expect(world, is_filled(thing.cpu, PAGE_BYTES, 1));
		expect(world, device_writes(world, 0, address, thing.cpu));
	}
	thing_destroy(world, &thing);
}

/* A frame buffer's save area, which the CPU does not see: what the device wrote it reads, while it is pinned.
 */
static void frame_buffer(struct world *world)
{
	DXGKARGCB_PINFRAMEBUFFERFORSAVE2 pin = { .CommitSize = 2 * PAGE_BYTES };
	DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin = {};
	static u8 saved[4096];
	u64 address;

	if (!expect(world, NT_SUCCESS(world->ddi.DxgkCbPinFrameBufferForSave2(world->adapter[0], &pin))))
		return;
	address = adl_address(pin.pAdl, 1);
	fill(saved, PAGE_BYTES, 11);
	fill(world->scratch.cpu, PAGE_BYTES, 11);
	edu_read(&world->edu[0], adl_address(world->scratch.adl, 0), EDU_BYTES);
	edu_write(&world->edu[0], address, EDU_BYTES);
	expect(world, device_reads(world, 0, address, saved));
	expect(world, NT_SUCCESS(world->ddi.DxgkCbUnpinFrameBufferForSave(world->adapter[0], &unpin)));
	expect(world, !device_reads(world, 0, address, saved));
}

/* the machine by itself */

static void constraints(struct world *world)
{
	create_arguments arguments = mdl(4);
	struct thing thing;
	SIZE_T i;

	arguments.Mdl.HighAddress.QuadPart = 0xffffff;
	if (thing_create(world, arguments, &thing)) {
		for (i = 0; i < 4; i++)
			expect(world, physical_of(thing.cpu + i * PAGE_BYTES) <= 0xffffff);
		thing_destroy(world, &thing);
	}
	arguments = mdl(8);
	arguments.Mdl.SkipBytes.QuadPart = 4 * PAGE_BYTES;
	arguments.Mdl.Flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
	if (thing_create(world, arguments, &thing)) {
		for (i = 0; i < 8; i++)
			expect(world, physical_of(thing.cpu + i * PAGE_BYTES) % (4 * PAGE_BYTES) ==
					      i % 4 * PAGE_BYTES);
		thing_destroy(world, &thing);
	}
	arguments = mdl(2);
	arguments.Mdl.LowAddress.QuadPart = 0x1000000;
	arguments.Mdl.HighAddress.QuadPart = 0x10fffff;
	arguments.Mdl.SkipBytes.QuadPart = 0x100000;
	if (thing_create(world, arguments, &thing)) {
		expect(world, physical_of(thing.cpu) >= 0x1000000);
		thing_destroy(world, &thing);
	}
	arguments = contiguous(1);
	arguments.hAdapter = world->adapter[0];
	arguments.ContiguousMemory.LowestAcceptableAddress.QuadPart = 1LL << 40; /* no RAM there */
	expect(world, world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments) == STATUS_NO_MEMORY);
	expect(world, !arguments.hPhysicalMemoryObject);
}

/* What is mapped is not mapped over, and the interrupt window is no memory. */
static void own_checks(struct world *world)
{
	const struct dxgkmem_machine_ops *ops = world->machine->ops;
	struct dxgkmem_run run = { .page = PHYS_PFN(physical_of(world->scratch.cpu)), .pages = 1 };
	struct dxgkmem_domain *domain;

	if (!expect(world, NT_SUCCESS(ops->domain_create(world->machine, &domain))))
		return;
	expect(world, NT_SUCCESS(ops->domain_map(world->machine, domain, 16, run, DXGKMEM_ACCESS_READ)));
	expect(world, !NT_SUCCESS(ops->domain_map(world->machine, domain, 16, run, DXGKMEM_ACCESS_READ)));
	run.pages = 2;
	expect(world, !NT_SUCCESS(ops->domain_map(world->machine, domain, 15, run, DXGKMEM_ACCESS_READ)));
	expect(world,
	       !NT_SUCCESS(ops->domain_map(world->machine, domain, 0xfedff, run, DXGKMEM_ACCESS_READ)));
	run.pages = 1;
	expect(world, NT_SUCCESS(ops->domain_map(world->machine, domain, 15, run, DXGKMEM_ACCESS_READ)));
	ops->domain_unmap(world->machine, domain, 15, 2);
	ops->domain_flush(world->machine, domain, 15, 2);
	expect(world, NT_SUCCESS(ops->domain_map(world->machine, domain, 16, run, DXGKMEM_ACCESS_READ)));
	ops->domain_unmap(world->machine, domain, 16, 1);
	ops->domain_flush(world->machine, domain, 16, 1);
	ops->domain_destroy(world->machine, domain);
}

/* I/O space: never RAM, never twice; the registers of the other device through our own mapping. */
static void io_space(struct world *world)
{
	create_arguments arguments = {
		.hAdapter = world->adapter[0],
		.Size = PAGE_BYTES,
		.Type = DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE,
		.CacheType = DXGK_MEMORY_CACHING_TYPE_NON_CACHED,
	};
	struct thing thing;

	arguments.IOSpace.BaseAddress.QuadPart = (LONGLONG)physical_of(world->scratch.cpu);
	expect(world, !NT_SUCCESS(world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments)));
	expect(world, world->violation == DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM);
	arguments.IOSpace.BaseAddress.QuadPart = (LONGLONG)pci_resource_start(world->edu[1].pci, 0);
	if (!thing_create(world, arguments, &thing))
		return;
	expect(world, readl((void __iomem __force *)thing.cpu) == 0x010000ed);
	expect(world, !NT_SUCCESS(world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments)));
	expect(world, world->violation == DXGKMEM_VIOLATION_IO_SPACE_OVERLAP);
	thing_destroy(world, &thing);
}

/* Where nothing may sleep, callbacks are refused, before they take a lock. */
static void irql(struct world *world)
{
	create_arguments arguments = mdl(1);
	NTSTATUS status;

	preempt_disable();
	status = world->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments);
	preempt_enable();
	expect(world, !NT_SUCCESS(status));
	expect(world, world->violation == DXGKMEM_VIOLATION_IRQL_TOO_HIGH);
}

const struct dma_case dma_cases[] = {
	{ "scattered, identity", IDENTITY, scattered_identity },
	{ "scattered, remapped", REMAPPED, scattered_remapped },
	{ "contiguous, identity", IDENTITY, contiguous_object },
	{ "contiguous, remapped", REMAPPED, contiguous_object },
	{ "cache types", REMAPPED, cache_types },
	{ "zero when first seen", IDENTITY, zero_when_first_seen },
	{ "outside of an ADL", IDENTITY, outside },
	{ "beyond an ADL, remapped", REMAPPED, beyond_remapped },
	{ "after FREEADL, identity", IDENTITY, after_free },
	{ "after FREEADL, remapped", REMAPPED, after_free },
	{ "after CLOSE", IDENTITY, after_close },
	{ "after DESTROY", IDENTITY, after_destroy },
	{ "after DESTROY, remapped", REMAPPED, after_destroy },
	{ "a refused CLOSE", REMAPPED, refused_close },
	{ "after the adapter's removal", IDENTITY, after_removal },
	{ "read-only section", IDENTITY, read_only },
	{ "read-only section, remapped", REMAPPED, read_only },
	{ "overlapping ADLs", IDENTITY, overlapping },
	{ "a logical address used again", REMAPPED, address_used_again },
	{ "linked adapters", IDENTITY, linked },
	{ "frame buffer", REMAPPED, frame_buffer },
	{ "constraints", IDENTITY, constraints },
	{ "the machine's own checks", IDENTITY, own_checks },
	{ "I/O space", REMAPPED, io_space },
	{ "IRQL", IDENTITY, irql },
};
const unsigned int dma_case_count = ARRAY_SIZE(dma_cases);

/* the control */

/* A device write at a physical address, of which the CPU sees the page. */
static bool lands(struct world *world, u8 *scratch, u64 address, u8 *cpu)
{
	memset(cpu, 0, PAGE_BYTES);
	fill(scratch, PAGE_BYTES, 4);
	edu_read(&world->edu[0], physical_of(scratch), EDU_BYTES);
	edu_write(&world->edu[0], address, EDU_BYTES);
	return is_filled(cpu, EDU_BYTES, 4);
}

void control_case(struct world *world, struct edu *edu)
{
	struct dxgkmem_adapter_config adapter = {
		.version = DXGKDDI_INTERFACE_VERSION_WDDM3_1,
		.memory_caps.HighestVisibleAddress = anywhere,
	};
	struct dxgkmem_config config = {};
	struct dxgkmem_memory_request request = {
		.type = DXGK_PHYSICAL_MEMORY_TYPE_MDL,
		.cache = DXGK_MEMORY_CACHING_TYPE_CACHED,
		.pages = 2,
		.highest_page = U64_MAX,
	};
	const struct dxgkmem_machine_ops *ops;
	struct dxgkmem_memory *memory;
	void *cpu;

	memset(world, 0, sizeof(*world));
	world->name = "no IOMMU";
	world->edu = edu;
	world->machine = dxgkmem_linux_machine_create();
	if (!expect(world, world->machine))
		return;
	ops = world->machine->ops;
	config.machine = world->machine;
	expect(world,
	       dxgkmem_linux_claim_device(world->machine, &edu[0].pci->dev, &world->device[0]) == -ENODEV);
	if (expect(world, NT_SUCCESS(dxgkmem_start(&config)))) {
		expect(world, dxgkmem_add_adapter(&adapter, &world->adapter[0]) == STATUS_NOT_SUPPORTED);
		dxgkmem_stop(NULL);
	}
	/* No interface without an adapter; so the machine's own functions. */
	if (expect(world, NT_SUCCESS(ops->memory_create(world->machine, &request, &memory)))) {
		if (expect(world,
			   NT_SUCCESS(ops->map(world->machine, memory, 0, 2, DXGK_ACCESS_MODE_KERNEL_MODE,
					       DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE, &cpu)))) {
			u8 *scratch = cpu, *victim = scratch + PAGE_BYTES;

			expect(world, lands(world, scratch, physical_of(victim), victim));
			ops->unmap(world->machine, memory, cpu, 2, 0);
		}
		ops->memory_destroy(world->machine, memory);
	}
	dxgkmem_linux_machine_destroy(world->machine);
}
