// SPDX-License-Identifier: MIT
/*
 * The control: without an IOMMU a device's write does land. A test that it is blocked would prove nothing
 * where it cannot be otherwise.
 */
#include <linux/string.h>

#include "cases.h"

#include "machine/linux/machine.h"

/* A device write at a physical address, of which the CPU sees the page. */
static bool lands(struct world *world, u8 *scratch, u64 address, u8 *cpu)
{
	memset(cpu, 0, PAGE);
	fill(scratch, PAGE, 4);
	edu_read(&world->edu[0], physical_of(scratch), EDU_BYTES);
	edu_write(&world->edu[0], address, EDU_BYTES);
	return is_filled(cpu, EDU_BYTES, 4);
}

void control_case(struct world *world, struct edu *edu)
{
	struct dxgkmem_adapter_config adapter = adapter_identity(0, V31);
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
			u8 *scratch = cpu, *victim = scratch + PAGE;

			expect(world, lands(world, scratch, physical_of(victim), victim));
			ops->unmap(world->machine, memory, cpu, 2, 0);
		}
		ops->memory_destroy(world->machine, memory);
	}
	dxgkmem_linux_machine_destroy(world->machine);
}
