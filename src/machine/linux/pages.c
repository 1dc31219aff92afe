// SPDX-License-Identifier: MIT
/*
 * Pages of objects: taken from the kernel's allocator within the bounds that
 * CREATE set, and given back.
 *
 * The allocator knows zones, not bounds. So blocks are asked of the narrowest
 * zone and looked at; those outside of the bounds are put aside until the search
 * ends, and only so many of them.
 */
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include <asm/set_memory.h>

#include "internal.h"

/* Never the OOM killer for a caller that asks too much, and no lines in the log. */
#define TAKE (GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/* So many blocks outside of the bounds are put up with. */
#define REJECTS 4096

/* Blocks of one length for one object. */
struct search {
	const struct dxgkmem_memory_request *request;
	uint64_t pages; /* of a block */
	unsigned int order; /* of what is asked for: blocks are cut from it */
	struct list_head rejected;
	unsigned int rejects;
	bool moved; /* the first window is exhausted: any of those above it will do */
};

static void begin_search(struct search *search, const struct dxgkmem_memory_request *request, uint64_t pages)
{
	search->request = request;
	search->pages = pages;
	search->order = order_base_2(pages);
	search->rejects = 0;
	search->moved = false;
	INIT_LIST_HEAD(&search->rejected);
}

static void give(struct page *page, uint64_t from, uint64_t to)
{
	while (from < to)
		__free_page(page + from++);
}

static void end_search(struct search *search)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &search->rejected, lru)
		give(page, 0, 1ULL << search->order);
}

/* Whether a block lies within the bounds; within one of the windows when they move. */
static bool is_within(const struct search *search, uint64_t page)
{
	const struct dxgkmem_memory_request *request = search->request;
	uint64_t last = page + search->pages - 1, up = 0;

	if (search->moved && last > request->highest_page)
		up = DIV_ROUND_UP_ULL(last - request->highest_page, request->skip_pages) *
		     request->skip_pages;
	return page >= request->lowest_page + up && last <= request->highest_page + up;
}

static gfp_t zone_of(const struct search *search)
{
	if (search->moved)
		return 0;
	if (search->request->highest_page <= PHYS_PFN(DMA_BIT_MASK(24)))
		return GFP_DMA;
	return search->request->highest_page <= PHYS_PFN(DMA_BIT_MASK(32)) ? GFP_DMA32 : 0;
}

static struct page *take_within(struct search *search)
{
	while (search->rejects < REJECTS) {
		struct page *page = alloc_pages(TAKE | zone_of(search), search->order);

		if (!page)
			break;
		split_page(page, search->order);
		if (is_within(search, page_to_pfn(page)))
			return page;
		list_add(&page->lru, &search->rejected);
		search->rejects++;
	}
	return NULL;
}

/*
 * A block. It begins at a multiple of the power of two that it fits into, so it
 * is aligned as chunks are, and crosses no boundary that is not smaller than it.
 */
static struct page *take_block(struct search *search)
{
	struct page *page;

	if (search->order >= MAX_ORDER)
		return NULL;
	page = take_within(search);
	if (!page && search->request->skip_pages && !search->moved) {
		search->moved = true;
		search->rejects = 0;
		page = take_within(search);
	}
	if (page)
		give(page, search->pages, 1ULL << search->order);
	return page;
}

static void give_page(struct page *page)
{
	machine_mark(page, false);
	__free_page(page);
}

/* All pages of an object in blocks of one length, or none. */
static bool take_blocks(struct dxgkmem_memory *memory, const struct dxgkmem_memory_request *request,
			uint64_t pages)
{
	struct search search;
	uint64_t at, i;

	begin_search(&search, request, pages);
	for (at = 0; at < memory->pages; at += pages) {
		struct page *page = take_block(&search);

		if (!page)
			break;
		for (i = 0; i < pages; i++) {
			machine_mark(page + i, true);
			memory->page[at + i] = page + i;
		}
		cond_resched();
	}
	end_search(&search);
	if (at >= memory->pages)
		return true;
	while (at)
		give_page(memory->page[--at]);
	return false;
}

static bool take_pages(struct dxgkmem_memory *memory, const struct dxgkmem_memory_request *request)
{
	uint64_t chunk = request->chunk_pages == DXGKMEM_CHUNK_WHOLE ? request->pages : request->chunk_pages;

	if (request->type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY)
		return (!request->boundary_pages || request->pages <= request->boundary_pages) &&
		       take_blocks(memory, request, request->pages);
	if (request->prefer_contiguous && take_blocks(memory, request, request->pages))
		return true;
	return take_blocks(memory, request, chunk ? chunk : 1);
}

/*
 * Not only the mappings: the kernel's own one of all memory must not have another
 * cache type than those that it hands out.
 */
static bool set_cache(struct dxgkmem_memory *memory, DXGK_MEMORY_CACHING_TYPE cache)
{
	switch (cache) {
	case DXGK_MEMORY_CACHING_TYPE_NON_CACHED:
		return !set_pages_array_uc(memory->page, (int)memory->pages);
	case DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED:
		return !set_pages_array_wc(memory->page, (int)memory->pages);
	default:
		return true;
	}
}

static void give_pages(struct dxgkmem_memory *memory)
{
	uint64_t i;

	if (memory->cache != DXGK_MEMORY_CACHING_TYPE_CACHED &&
	    set_pages_array_wb(memory->page, (int)memory->pages)) {
		/* Nobody else may get memory that the processor does not cache. */
		pr_warn("dxgkmem: %llu pages stay uncached and are not used again\n", memory->pages);
		return;
	}
	for (i = 0; i < memory->pages; i++)
		give_page(memory->page[i]);
}

static NTSTATUS populate(struct dxgkmem_memory *memory, const struct dxgkmem_memory_request *request)
{
	if (memory->pages > totalram_pages() || memory->pages > INT_MAX)
		return STATUS_NO_MEMORY;
	memory->page = kvcalloc(memory->pages, sizeof(*memory->page), GFP_KERNEL | __GFP_NOWARN);
	if (!memory->page)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!take_pages(memory, request)) {
		kvfree(memory->page);
		return STATUS_NO_MEMORY;
	}
	if (!set_cache(memory, request->cache)) {
		memory->cache = DXGK_MEMORY_CACHING_TYPE_CACHED;
		give_pages(memory);
		kvfree(memory->page);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	return STATUS_SUCCESS;
}

NTSTATUS machine_memory_create(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
			       struct dxgkmem_memory **result)
{
	struct dxgkmem_memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL | __GFP_NOWARN);
	NTSTATUS status = STATUS_SUCCESS;

	if (!memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	memory->type = request->type;
	memory->cache = request->cache;
	memory->pages = request->pages;
	memory->first = request->lowest_page;
	if (request->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
		status = populate(memory, request);
	if (!NT_SUCCESS(status)) {
		kfree(memory);
		return status;
	}
	*result = memory;
	return STATUS_SUCCESS;
}

void machine_memory_destroy(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
	WARN_ON(atomic64_read(&memory->locked) || atomic_read(&memory->windows));
	if (memory->held)
		machine_let_go(memory);
	else if (memory->page)
		give_pages(memory);
	kvfree(memory->page);
	kfree(memory);
}

void machine_memory_zero(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
	uint64_t i;

	for (i = 0; i < memory->pages; i++) {
		clear_highpage(memory->page[i]);
		cond_resched();
	}
	wmb(); /* write-combined ones too are zero before a device looks */
}

/* What is taken is never swapped out; so this only counts. */
NTSTATUS machine_memory_lock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
			     uint64_t pages)
{
	atomic64_add(pages, &memory->locked);
	return STATUS_SUCCESS;
}

void machine_memory_unlock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
			   uint64_t pages)
{
	WARN_ON(atomic64_sub_return(pages, &memory->locked) < 0);
}

struct dxgkmem_run machine_memory_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
				      uint64_t first)
{
	struct dxgkmem_run run = { .page = memory->first + first, .pages = memory->pages - first };

	if (memory->page) {
		run.page = page_to_pfn(memory->page[first]);
		run.pages = 1;
		while (first + run.pages < memory->pages &&
		       page_to_pfn(memory->page[first + run.pages]) == run.page + run.pages)
			run.pages++;
	}
	return run;
}
