// SPDX-License-Identifier: MIT
/*
 * DMA domains: one of the IOMMU's own each, with nothing in it but what was
 * mapped here.
 *
 * Pages are mapped one by one. Large ones would save entries, but taking a part
 * out of a large one takes out all of it, and the parts of an object may be
 * under different ADLs.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "internal.h"

struct dxgkmem_domain {
	struct iommu_domain *iommu;
	struct mutex lock; /* the table, and what of it awaits a flush */
	struct iommu_iotlb_gather stale;
};

static phys_addr_t address_of(uint64_t page)
{
	return (phys_addr_t)page << PAGE_SHIFT;
}

NTSTATUS machine_domain_create(struct dxgkmem_machine *machine, struct dxgkmem_domain **result)
{
	struct dxgkmem_domain *domain;

	if (!iommu_present(&pci_bus_type))
		return STATUS_NOT_SUPPORTED;
	domain = kzalloc(sizeof(*domain), GFP_KERNEL | __GFP_NOWARN);
	if (!domain)
		return STATUS_INSUFFICIENT_RESOURCES;
	domain->iommu = iommu_domain_alloc(&pci_bus_type);
	if (!domain->iommu) {
		kfree(domain);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	mutex_init(&domain->lock);
	iommu_iotlb_gather_init(&domain->stale);
	*result = domain;
	return STATUS_SUCCESS;
}

void machine_domain_destroy(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain)
{
	iommu_domain_free(domain->iommu);
	kfree(domain);
}

/* devices */

NTSTATUS machine_domain_attach(struct dxgkmem_machine *ops, struct dxgkmem_domain *domain, uint64_t number)
{
	struct machine *machine = machine_of(ops);
	struct machine_device *device;
	int error = -ENODEV;

	if (number >= MACHINE_DEVICES)
		return STATUS_INVALID_PARAMETER;
	device = &machine->device[number];
	mutex_lock(&machine->lock);
	if (device->dev && !device->domain)
		error = iommu_attach_device(domain->iommu, device->dev);
	if (!error)
		device->domain = domain;
	mutex_unlock(&machine->lock);
	if (error == -ENODEV)
		return STATUS_INVALID_PARAMETER;
	return error ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

void machine_domain_detach(struct dxgkmem_machine *ops, struct dxgkmem_domain *domain, uint64_t number)
{
	struct machine *machine = machine_of(ops);

	mutex_lock(&machine->lock);
	iommu_detach_device(domain->iommu, machine->device[number].dev);
	machine->device[number].domain = NULL;
	mutex_unlock(&machine->lock);
}

/* the table */

/* The kernel maps over what is mapped, warns, and says that it went well. */
static bool is_free(struct dxgkmem_domain *domain, uint64_t logical, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < pages; i++)
		if (iommu_iova_to_phys(domain->iommu, address_of(logical + i)))
			return false;
	return true;
}

/* x86: an access to these addresses is an interrupt, whatever the table says. */
static bool is_usable(struct dxgkmem_domain *domain, uint64_t logical, uint64_t pages)
{
	const uint64_t interrupts = PHYS_PFN(0xfee00000), interrupts_end = PHYS_PFN(0xfef00000);
	const struct iommu_domain_geometry *geometry = &domain->iommu->geometry;

	if (logical < interrupts_end && interrupts < logical + pages)
		return false;
	return address_of(logical) >= geometry->aperture_start &&
	       address_of(logical + pages) - 1 <= geometry->aperture_end;
}

static uint64_t map_pages(struct dxgkmem_domain *domain, uint64_t logical, struct dxgkmem_run run, int access)
{
	uint64_t done;

	for (done = 0; done < run.pages; done++) {
		if (iommu_map(domain->iommu, address_of(logical + done), address_of(run.page + done),
			      PAGE_SIZE, access))
			break;
		cond_resched();
	}
	return done;
}

NTSTATUS machine_domain_map(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
			    struct dxgkmem_run run, unsigned int access)
{
	int protection = IOMMU_CACHE | IOMMU_READ;
	uint64_t done = 0;

	if (access & DXGKMEM_ACCESS_WRITE)
		protection |= IOMMU_WRITE;
	if (!pfn_valid(run.page))
		protection |= IOMMU_MMIO;
	mutex_lock(&domain->lock);
	if (is_usable(domain, logical, run.pages) && is_free(domain, logical, run.pages)) {
		done = map_pages(domain, logical, run, protection);
		if (done && done < run.pages)
			iommu_unmap(domain->iommu, address_of(logical), done << PAGE_SHIFT);
	}
	mutex_unlock(&domain->lock);
	return done == run.pages ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

void machine_domain_unmap(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
			  uint64_t pages)
{
	size_t bytes = pages << PAGE_SHIFT;

	mutex_lock(&domain->lock);
	WARN_ON(iommu_unmap_fast(domain->iommu, address_of(logical), bytes, &domain->stale) != bytes);
	mutex_unlock(&domain->lock);
}

/* Whatever awaits a flush is flushed, of other calls too; it does not matter whose comes first. */
void machine_domain_flush(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
			  uint64_t pages)
{
	mutex_lock(&domain->lock);
	if (domain->stale.start <= domain->stale.end)
		iommu_iotlb_sync(domain->iommu, &domain->stale);
	mutex_unlock(&domain->lock);
}
