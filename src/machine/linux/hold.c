// SPDX-License-Identifier: MIT
/*
 * Pages that others have, held: an object's are told from theirs, and a reference keeps each where it is.
 *
 * What may be held is what a reference keeps. The owner of a reserved page, of a page table, or of a piece of
 * a slab does not ask the count before the memory is somebody else's. Pages behind the first one of a block
 * that is no compound page have no count of their own.
 */
#include <linux/memory_hotplug.h>
#include <linux/slab.h>

#include "internal.h"

/* The private word of an object's page is this one's address, and of no other page. */
static char mark;

void machine_mark(struct page *page, bool ours)
{
	set_page_private(page, ours ? (unsigned long)&mark : 0);
}

/* Of a page that has a reference more, so what it is stays. */
static bool may_be_held(struct page *page, struct folio *folio)
{
	return page_folio(page) == folio && !PageReserved(page) && !folio_test_slab(folio) &&
	       !page_has_type(&folio->page) && page_private(page) != (unsigned long)&mark;
}

/* NULL: it is no RAM, free, an object's, or a reference would not keep it. */
static struct page *hold_page(uint64_t number)
{
	struct page *page = pfn_to_online_page(number);
	struct folio *folio;

	if (!page)
		return NULL;
	folio = page_folio(page);
	if (!folio_try_get(folio))
		return NULL;
	if (may_be_held(page, folio))
		return page;
	folio_put(folio);
	return NULL;
}

void machine_let_go(struct dxgkmem_memory *memory)
{
	uint64_t i;

	for (i = 0; i < memory->pages; i++)
		put_page(memory->page[i]);
}

NTSTATUS machine_memory_hold(struct dxgkmem_machine *machine, const uint64_t *number, uint64_t pages,
			     struct dxgkmem_memory **result)
{
	struct dxgkmem_memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL | __GFP_NOWARN);

	if (!memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	memory->type = DXGK_PHYSICAL_MEMORY_TYPE_MDL;
	memory->cache = DXGK_MEMORY_CACHING_TYPE_CACHED;
	memory->held = true;
	memory->page = kvcalloc(pages, sizeof(*memory->page), GFP_KERNEL | __GFP_NOWARN);
	if (!memory->page) {
		kfree(memory);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	while (memory->pages < pages) {
		struct page *page = hold_page(number[memory->pages]);

		if (!page) {
			machine_memory_destroy(machine, memory);
			return STATUS_INVALID_ADDRESS;
		}
		memory->page[memory->pages++] = page;
		cond_resched();
	}
	*result = memory;
	return STATUS_SUCCESS;
}
