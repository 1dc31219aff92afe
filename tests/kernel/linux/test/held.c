// SPDX-License-Identifier: MIT
/*
 * Pages that the driver brings: an MDL's bytes reach the device from the map to the unmap, whoever gives the
 * pages back meanwhile, and what cannot be held is refused.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include <dxgkmem/mdl.h>

#include "cases.h"

#define PAGES 3

/* An MDL of pages that are no neighbours, and what was made of it. */
struct own {
	struct dxgkmem_mdl mdl;
	ULONG_PTR number[PAGES];
	struct page *page[PAGES]; /* NULL: given back */
	HANDLE memory;
};

static u8 *cpu_of(struct page *page)
{
	return page_address(page);
}

static NTSTATUS own_map(struct world *world, struct own *own)
{
	DXGKARGCB_MAPMDLTOIOMMU arguments = { .pMdl = (PMDL)&own->mdl };
	NTSTATUS status = world->ddi.DxgkCbMapMdlToIoMmu(world->adapter[0], &arguments);

	own->memory = arguments.hMemoryHandle;
	return status;
}

static void own_unmap(struct world *world, struct own *own)
{
	DXGKARGCB_UNMAPMDLFROMIOMMU arguments = { .hMemoryHandle = own->memory };

	world->ddi.DxgkCbUnmapMdlFromIoMmu(world->adapter[0], &arguments);
}

static void own_give(struct own *own)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (own->page[i])
			put_page(own->page[i]);
	memset(own->page, 0, sizeof(own->page));
}

static bool own_take(struct world *world, struct own *own)
{
	unsigned int i;

	memset(own, 0, sizeof(*own));
	own->mdl.Size = sizeof(own->mdl) + sizeof(own->number);
	own->mdl.MdlFlags = DXGKMEM_MDL_PAGES_LOCKED;
	own->mdl.ByteCount = PAGES * PAGE;
	for (i = 0; i < PAGES; i++) {
		own->page[i] = alloc_page(GFP_KERNEL);
		if (!expect(world, own->page[i])) {
			own_give(own);
			return false;
		}
		own->number[i] = page_to_pfn(own->page[i]);
	}
	return true;
}

/* Whether the device reaches all of the pages, which somebody must have; else it must reach none. */
static bool reaches(struct world *world, struct page *const *page)
{
	unsigned int i, reached = 0;

	for (i = 0; i < PAGES; i++) {
		u64 address = page_to_phys(page[i]);
		bool written = device_writes(world, 0, address, cpu_of(page[i]));

		fill(cpu_of(page[i]), PAGE, (u8)(40 + i));
		expect(world, device_reads(world, 0, address, cpu_of(page[i])) == written);
		reached += written;
	}
	expect(world, reached == 0 || reached == PAGES);
	return reached;
}

static bool have_count(struct page *const *page, int count)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (page_count(page[i]) != count)
			return false;
	return true;
}

/* From the map to the unmap and no longer; what is written to the MDL meanwhile is nobody's business. */
static void from_map_to_unmap(struct world *world, struct thing *none)
{
	struct own own;

	if (!own_take(world, &own))
		return;
	expect(world, !reaches(world, own.page));
	if (expect(world, NT_SUCCESS(own_map(world, &own)))) {
		memset(own.number, 0, sizeof(own.number));
		own.mdl.ByteCount = 0;
		expect(world, reaches(world, own.page));
		own_unmap(world, &own);
		expect(world, !reaches(world, own.page));
	}
	expect(world, have_count(own.page, 1));
	own_give(&own);
}

/* The pages go to nobody while the device has them. The test looks at them once they are nobody's, as in
 * after_destroy. */
static void given_back(struct world *world, struct thing *none)
{
	struct page *page[PAGES];
	struct own own;
	unsigned int i;

	if (!own_take(world, &own))
		return;
	memcpy(page, own.page, sizeof(page));
	if (!expect(world, NT_SUCCESS(own_map(world, &own)))) {
		own_give(&own);
		return;
	}
	own_give(&own);
	expect(world, have_count(page, 1));
	expect(world, reaches(world, page));
	for (i = 0; i < PAGES; i++)
		get_page(page[i]);
	own_unmap(world, &own);
	expect(world, have_count(page, 1));
	expect(world, !reaches(world, page));
	for (i = 0; i < PAGES; i++)
		put_page(page[i]);
}

static void after_removal(struct world *world, struct thing *none)
{
	struct own own;
	u64 address;

	if (!own_take(world, &own))
		return;
	address = page_to_phys(own.page[1]);
	if (expect(world, NT_SUCCESS(own_map(world, &own)))) {
		expect(world, device_writes(world, 0, address, cpu_of(own.page[1])));
		world_remove_adapters(world);
		expect(world, world->violation == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
		fill(cpu_of(own.page[1]), PAGE, 1);
		edu_write(&world->edu[0], address, EDU_BYTES);
		expect(world, is_filled(cpu_of(own.page[1]), PAGE, 1));
		world->scratch.open = NULL; /* they ended with the adapter */
		world->scratch.adl = NULL;
	}
	expect(world, have_count(own.page, 1));
	own_give(&own);
}

/* what cannot be held */

/* Refused for its last page; the others are held no longer. */
static void refuses(struct world *world, struct own *own, u64 number)
{
	world->violation = DXGKMEM_VIOLATION_NONE;
	own->number[PAGES - 1] = number;
	expect(world, !NT_SUCCESS(own_map(world, own)));
	expect(world, world->violation == DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
	expect(world, !own->memory);
	expect(world, have_count(own->page, 1));
}

/* The same for a page that has one owner, who keeps it. */
static void refuses_page(struct world *world, struct own *own, struct page *page)
{
	int count = page_count(page);

	refuses(world, own, page_to_pfn(page));
	expect(world, page_count(page) == count);
}

static void refuses_of_callbacks(struct world *world, struct own *own)
{
	DXGKARGCB_ALLOCATECONTIGUOUSMEMORY memory = { .NumberOfBytes = PAGE };
	DXGKARGCB_FREECONTIGUOUSMEMORY release = {};

	refuses_page(world, own, vmalloc_to_page(world->scratch.cpu));
	memory.HighestAcceptableAddress.QuadPart = -1;
	memory.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
	if (!expect(world, NT_SUCCESS(world->ddi.DxgkCbAllocateContiguousMemory(world->adapter[0], &memory))))
		return;
	refuses_page(world, own, vmalloc_to_page(memory.pMemory));
	release.hMemoryHandle = memory.hMemoryHandle;
	expect(world, NT_SUCCESS(world->ddi.DxgkCbFreeContiguousMemory(world->adapter[0], &release)));
}

static void not_to_be_held(struct world *world, struct thing *none)
{
	struct page *block = alloc_pages(GFP_KERNEL, 1), *table = alloc_page(GFP_KERNEL);
	u8 *piece = kmalloc(64, GFP_KERNEL);
	struct own own;

	if (expect(world, block && table && piece) && own_take(world, &own)) {
		refuses_of_callbacks(world, &own);
		refuses(world, &own, page_to_pfn(block) + 1); /* without a count, as free pages are */
		refuses_page(world, &own, virt_to_page(piece));
		refuses_page(world, &own, ZERO_PAGE(0)); /* reserved */
		__SetPageTable(table);
		refuses_page(world, &own, table);
		__ClearPageTable(table);
		refuses(world, &own, PHYS_PFN(pci_resource_start(world->edu[1].pci, 0)));
		own_give(&own);
	}
	kfree(piece);
	if (table)
		__free_page(table);
	if (block)
		__free_pages(block, 1);
}

/* A page behind the first one of a compound page has that one's count. */
static void of_a_compound_page(struct world *world, struct thing *none)
{
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	struct own own;

	if (!expect(world, block))
		return;
	if (own_take(world, &own)) {
		own.number[PAGES - 1] = page_to_pfn(block + 1);
		if (expect(world, NT_SUCCESS(own_map(world, &own)))) {
			expect(world, page_count(block) == 2);
			expect(world, device_writes(world, 0, page_to_phys(block + 1), cpu_of(block + 1)));
			expect(world, !device_writes(world, 0, page_to_phys(block), cpu_of(block)));
			own_unmap(world, &own);
		}
		expect(world, !device_writes(world, 0, page_to_phys(block + 1), cpu_of(block + 1)));
		expect(world, page_count(block) == 1);
		own_give(&own);
	}
	__free_pages(block, 1);
}

static const struct dma_case cases[] = {
	{ "an MDL, from the map to the unmap", OLDER, {}, from_map_to_unmap },
	{ "an MDL whose pages were given back", OLDER, {}, given_back },
	{ "an MDL, after the adapter's removal", OLDER, {}, after_removal },
	{ "an MDL of what cannot be held", OLDER, {}, not_to_be_held },
	{ "an MDL of a compound page", OLDER, {}, of_a_compound_page },
};

const struct dma_group held_group = { cases, ARRAY_SIZE(cases) };
