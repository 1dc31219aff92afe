// SPDX-License-Identifier: MIT
/*
 * CPU mappings of the kernel: memory by vmap, I/O space by ioremap, with the
 * object's cache type and no more access than it allows.
 */
#include <linux/io.h>
#include <linux/vmalloc.h>

#include "internal.h"

static pgprot_t protection_of(const struct dxgkmem_memory *memory, unsigned int access)
{
	pgprot_t protection = PAGE_KERNEL_RO;

	if (access & DXGKMEM_ACCESS_WRITE)
		protection = PAGE_KERNEL;
	else if (access & DXGKMEM_ACCESS_EXECUTE)
		protection = PAGE_KERNEL_ROX;
	switch (memory->cache) {
	case DXGK_MEMORY_CACHING_TYPE_NON_CACHED:
		return pgprot_noncached(protection);
	case DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED:
		return pgprot_writecombine(protection);
	default:
		return protection;
	}
}

static void *map_io_space(const struct dxgkmem_memory *memory, uint64_t first, uint64_t pages)
{
	phys_addr_t address = (memory->first + first) << PAGE_SHIFT;
	size_t bytes = pages << PAGE_SHIFT;

	switch (memory->cache) {
	case DXGK_MEMORY_CACHING_TYPE_CACHED:
		return (void __force *)ioremap_cache(address, bytes);
	case DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED:
		return (void __force *)ioremap_wc(address, bytes);
	default:
		return (void __force *)ioremap(address, bytes);
	}
}

NTSTATUS machine_map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
		     uint64_t pages, DXGK_ACCESS_MODE mode, unsigned int access, void **base)
{
	void *address;

	if (mode != DXGK_ACCESS_MODE_KERNEL_MODE)
		return STATUS_NOT_SUPPORTED;
	if (pages > UINT_MAX)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (memory->page)
		address = vmap(memory->page + first, (unsigned int)pages, VM_MAP,
			       protection_of(memory, access));
	else
		address = map_io_space(memory, first, pages);
	if (!address)
		return STATUS_INSUFFICIENT_RESOURCES;
	atomic_inc(&memory->windows);
	*base = address;
	return STATUS_SUCCESS;
}

void machine_unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
		   uint64_t process)
{
	if (memory->page)
		vunmap(base);
	else
		iounmap((void __iomem __force *)base);
	/* The kernel would leave translations in other processors until it suits it. */
	vm_unmap_aliases();
	atomic_dec(&memory->windows);
}
