// SPDX-License-Identifier: MIT
/*
 * The table of functions of the real machine; its devices; what is RAM; what
 * counts as an IRQL and as a process.
 */
#include <linux/ioport.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

/*
 * Linux has no IRQL. Where nothing may sleep it is DISPATCH_LEVEL; a kernel that
 * does not count preemption only knows of interrupts.
 */
static unsigned int machine_irql(struct dxgkmem_machine *machine)
{
	bool may_sleep =
		IS_ENABLED(CONFIG_PREEMPT_COUNT) ? preemptible() : !in_interrupt() && !irqs_disabled();

	return may_sleep ? PASSIVE_LEVEL : DISPATCH_LEVEL;
}

static uint64_t machine_process(struct dxgkmem_machine *machine)
{
	return (uint64_t)task_tgid_nr(current);
}

static int take_highest(struct resource *range, void *context)
{
	uint64_t *highest = context;

	*highest = max_t(uint64_t, *highest, PHYS_PFN(range->end));
	return 0;
}

static uint64_t machine_highest_page(struct dxgkmem_machine *machine)
{
	return (1ULL << (boot_cpu_data.x86_phys_bits - PAGE_SHIFT)) - 1;
}

static uint64_t machine_highest_ram_page(struct dxgkmem_machine *machine)
{
	uint64_t highest = 0;

	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, U64_MAX, &highest,
			    take_highest);
	return highest;
}

static bool machine_touches_ram(struct dxgkmem_machine *machine, struct dxgkmem_run run)
{
	return region_intersects(run.page << PAGE_SHIFT, run.pages << PAGE_SHIFT, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

static const struct dxgkmem_machine_ops machine_ops = {
	.irql = machine_irql,
	.process = machine_process,
	.highest_ram_page = machine_highest_ram_page,
	.highest_page = machine_highest_page,
	.touches_ram = machine_touches_ram,
	.memory_create = machine_memory_create,
	.memory_hold = machine_memory_hold,
	.memory_destroy = machine_memory_destroy,
	.memory_zero = machine_memory_zero,
	.memory_lock = machine_memory_lock,
	.memory_unlock = machine_memory_unlock,
	.memory_run = machine_memory_run,
	.map = machine_map,
	.unmap = machine_unmap,
	.domain_create = machine_domain_create,
	.domain_destroy = machine_domain_destroy,
	.domain_attach = machine_domain_attach,
	.domain_detach = machine_domain_detach,
	.domain_map = machine_domain_map,
	.domain_unmap = machine_domain_unmap,
	.domain_flush = machine_domain_flush,
};

/* devices */

static int claim(struct machine *machine, struct device *dev, struct machine_device *device)
{
	struct iommu_group *group = iommu_group_get(dev);
	int error;

	if (!group)
		return -ENODEV;
	error = iommu_group_claim_dma_owner(group, machine);
	if (error) {
		iommu_group_put(group);
		return error;
	}
	device->dev = get_device(dev);
	device->group = group;
	device->domain = NULL;
	return 0;
}

int dxgkmem_linux_claim_device(struct dxgkmem_machine *ops, struct device *dev, uint64_t *number)
{
	struct machine *machine = machine_of(ops);
	int error = -ENOSPC;
	unsigned int i;

	mutex_lock(&machine->lock);
	for (i = 0; i < MACHINE_DEVICES && machine->device[i].dev; i++)
		;
	if (i < MACHINE_DEVICES)
		error = claim(machine, dev, &machine->device[i]);
	if (!error)
		*number = i;
	mutex_unlock(&machine->lock);
	return error;
}

void dxgkmem_linux_release_device(struct dxgkmem_machine *ops, uint64_t number)
{
	struct machine *machine = machine_of(ops);
	struct machine_device *device = &machine->device[number];

	mutex_lock(&machine->lock);
	WARN_ON(device->domain);
	iommu_group_release_dma_owner(device->group);
	iommu_group_put(device->group);
	put_device(device->dev);
	device->dev = NULL;
	mutex_unlock(&machine->lock);
}

/* the machine */

struct dxgkmem_machine *dxgkmem_linux_machine_create(void)
{
	struct machine *machine = kzalloc(sizeof(*machine), GFP_KERNEL);

	if (!machine)
		return NULL;
	machine->ops.ops = &machine_ops;
	mutex_init(&machine->lock);
	hash_init(machine->windows);
	return &machine->ops;
}

void dxgkmem_linux_machine_destroy(struct dxgkmem_machine *ops)
{
	struct machine *machine = machine_of(ops);
	unsigned int i;

	for (i = 0; i < MACHINE_DEVICES; i++)
		WARN_ON(machine->device[i].dev);
	WARN_ON(!hash_empty(machine->windows));
	kfree(machine);
}
