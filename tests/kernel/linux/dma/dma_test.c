// SPDX-License-Identifier: MIT
/*
 * A module that runs the cases when it is loaded and says in the log how they
 * came out; it stays loaded only to be unloaded.
 *
 * control=1: the machine was started without an IOMMU. Then DMA must go through:
 * a test that it is blocked would prove nothing where it cannot be otherwise.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "cases.h"

#include "host/linux/linux.h"

static bool control;
module_param(control, bool, 0444);
MODULE_PARM_DESC(control, "there is no IOMMU, and DMA is expected to go through");

static unsigned int run_control(struct world *world, struct edu *edu)
{
	control_case(world, edu);
	if (!world->failures)
		pr_info("dma: ok %s\n", world->name);
	return world->failures != 0;
}

static unsigned int run_cases(struct world *world, struct edu *edu)
{
	unsigned int failed = 0, i;

	for (i = 0; i < dma_case_count; i++) {
		if (world_begin(world, dma_cases[i].name, edu, dma_cases[i].kind))
			dma_cases[i].run(world);
		world_end(world);
		if (world->failures)
			failed++;
		else
			pr_info("dma: ok %s\n", world->name);
	}
	return failed;
}

static int __init dma_test_init(void)
{
	struct world *world = kzalloc(sizeof(*world), GFP_KERNEL);
	unsigned int failed;
	struct edu edu[2];
	int found;

	if (!world)
		return -ENOMEM;
	dxgkmem_linux_init();
	found = edu_find(edu, 2);
	if (found != 2) {
		if (found >= 0)
			edu_release(edu, found);
		kfree(world);
		return found < 0 ? found : -ENODEV;
	}
	failed = control ? run_control(world, edu) : run_cases(world, edu);
	pr_info("dma: done: %u cases, %u failed\n", control ? 1 : dma_case_count, failed);
	edu_release(edu, found);
	kfree(world);
	dxgkmem_linux_exit();
	return 0;
}

static void __exit dma_test_exit(void)
{
}

module_init(dma_test_init);
module_exit(dma_test_exit);
MODULE_DESCRIPTION("DMA of QEMU's edu device through dxgkmem's callbacks");
MODULE_LICENSE("Dual MIT/GPL");
