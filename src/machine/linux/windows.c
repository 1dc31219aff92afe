// SPDX-License-Identifier: MIT
/*
 * CPU mappings, with the object's cache type and no more access than it allows.
 * Those of the kernel are made here: memory by vmap, I/O space by ioremap.
 */
#include <linux/io.h>
#include <linux/vmalloc.h>

#include "internal.h"

pgprot_t machine_cached_as(const struct dxgkmem_memory *memory, pgprot_t protection)
{
	switch (memory->cache) {
	case DXGK_MEMORY_CACHING_TYPE_NON_CACHED:
		return pgprot_noncached(protection);
	case DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED:
		return pgprot_writecombine(protection);
	default:
		return protection;
	}
}

static pgprot_t protection_of(const struct dxgkmem_memory *memory, unsigned int access)
{
	pgprot_t protection = PAGE_KERNEL_RO;

	if (access & DXGKMEM_ACCESS_WRITE)
		protection = PAGE_KERNEL;
	else if (access & DXGKMEM_ACCESS_EXECUTE)
		protection = PAGE_KERNEL_ROX;
	return machine_cached_as(memory, protection);
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

static void *map_kernel(struct dxgkmem_memory *memory, uint64_t first, uint64_t pages, unsigned int access)
{
	if (pages > UINT_MAX)
		return NULL;
	if (!memory->page)
		return map_io_space(memory, first, pages);
	return vmap(memory->page + first, (unsigned int)pages, VM_MAP, protection_of(memory, access));
}

static void unmap_kernel(struct dxgkmem_memory *memory, void *base)
{
	if (memory->page)
		vunmap(base);
	else
		iounmap((void __iomem __force *)base);
	/* The kernel would leave translations in other processors until it suits it. */
	vm_unmap_aliases();
}

NTSTATUS machine_map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
		     uint64_t pages, DXGK_ACCESS_MODE mode, unsigned int access, void **base)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (mode == DXGK_ACCESS_MODE_KERNEL_MODE) {
		*base = map_kernel(memory, first, pages, access);
		if (!*base)
			status = STATUS_INSUFFICIENT_RESOURCES;
	} else {
		status = machine_map_user(machine, memory, first, pages, access, base);
	}
	if (NT_SUCCESS(status))
		atomic_inc(&memory->windows);
	return status;
}

void machine_unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
		   uint64_t process)
{
	if (process)
		machine_unmap_user(machine, base, process);
	else
		unmap_kernel(memory, base);
	atomic_dec(&memory->windows);
}
