/* SPDX-License-Identifier: MIT */
/*
 * The real machine on Linux: pages of the kernel's allocator, mappings in its
 * address space, domains of its IOMMU. What it can and cannot do is in README.md.
 *
 * A device belongs to the machine while it is claimed: the kernel's own DMA
 * domain is taken from it, and it reaches nothing until an adapter is added.
 */
#ifndef DXGKMEM_MACHINE_LINUX_H
#define DXGKMEM_MACHINE_LINUX_H

#include <dxgkmem/host.h>

struct device;

/* NULL: no memory. Process context, as for everything here. */
struct dxgkmem_machine *dxgkmem_linux_machine_create(void);
/* The instance was stopped, all devices were released. */
void dxgkmem_linux_machine_destroy(struct dxgkmem_machine *machine);

/*
 * Takes a device whose driver uses no DMA API (driver_managed_dma); *number is
 * for dxgkmem_adapter_config.device. -ENODEV: no IOMMU stands before it; -EBUSY:
 * somebody else does DMA with it; -ENOSPC: the machine has as many as it may.
 */
int dxgkmem_linux_claim_device(struct dxgkmem_machine *machine, struct device *dev, uint64_t *number);
/* Its adapter was removed. */
void dxgkmem_linux_release_device(struct dxgkmem_machine *machine, uint64_t number);

#endif
