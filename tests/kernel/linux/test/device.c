// SPDX-License-Identifier: MIT
/*
 * Implements the device of user.h, on a world with one IOMMU and edu devices. One call at a time. Whoever
 * opens it has ended, as far as core is concerned, when its file has no user any more.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "device.h"

#include "machine/linux/machine.h"

static struct world *world;
static struct thing things[USER_OBJECTS];
static DEFINE_MUTEX(turn);
static bool stopped;

/* what a process asks for */

static create_arguments (*const kinds[USER_KINDS])(SIZE_T pages) = {
	[USER_MDL] = scattered,
	[USER_NON_CACHED] = non_cached,
	[USER_WRITE_COMBINED] = write_combined,
	[USER_READ_ONLY] = read_only_section,
};

static long create(struct user_call *call, struct thing *thing)
{
	if (thing->object || call->value >= USER_KINDS)
		return -EINVAL;
	if (!thing_create(world, kinds[call->value](USER_PAGES), thing))
		return -ENOMEM;
	call->status = thing_adl(world, thing, 0, USER_PAGES, false);
	return 0;
}

static void map(struct user_call *call, const struct thing *thing)
{
	DXGKARGCB_MAP_PHYSICAL_MEMORY arguments = {
		.hPhysicalMemoryObject = thing->object,
		.AccessMode = DXGK_ACCESS_MODE_USER_MODE,
		.Offset = call->address,
		.Size = call->bytes,
	};

	call->status = world->ddi.DxgkCbMapPhysicalMemory(&arguments);
	call->address = (uintptr_t)arguments.pMappedAddress;
	call->bytes = arguments.Size;
}

static void unmap(const struct user_call *call, const struct thing *thing)
{
	DXGKARGCB_UNMAP_PHYSICAL_MEMORY arguments = {
		.hPhysicalMemoryObject = thing->object,
		.pBaseAddress = (void *)(uintptr_t)call->address,
		.Size = call->bytes,
	};

	world->ddi.DxgkCbUnmapPhysicalMemory(&arguments);
}

/* The page table's bits that are about caching; all of them when nothing is mapped. */
static u32 cache_bits(unsigned long address)
{
	u32 bits = (u32)_PAGE_CACHE_MASK;
	spinlock_t *lock;
	pte_t *pte;

	mmap_read_lock(current->mm);
	if (!follow_pte(current->mm, address, &pte, &lock)) {
		bits &= (u32)pte_val(*pte);
		pte_unmap_unlock(pte, lock);
	}
	mmap_read_unlock(current->mm);
	return bits;
}

static u32 mappings(void)
{
	struct dxgkmem_statistics statistics;

	dxgkmem_query_statistics(&statistics);
	return (u32)statistics.mappings;
}

static u32 stop(void)
{
	struct dxgkmem_leaks leaks;

	dxgkmem_stop(&leaks);
	stopped = true;
	return (u32)leaks.mappings;
}

/* The device's page is the kernel's, but for what does not fit into its buffer. */
static void device_fills(struct thing *thing, u32 page, u8 seed)
{
	device_takes(world, 0, seed);
	edu_write(&world->edu[0], adl_address(thing->adl, page), EDU_BYTES);
}

static bool device_sees(struct thing *thing, u32 page, u8 seed)
{
	static u8 expected[4096];

	fill(expected, PAGE, seed);
	return device_reads(world, 0, adl_address(thing->adl, page), expected);
}

static long answer(struct user_call *call)
{
	struct thing *thing = &things[call->object];
	u8 *cpu = thing->cpu + call->page * PAGE;

	switch (call->what) {
	case USER_CREATE:
		return create(call, thing);
	case USER_EXIT:
		dxgkmem_process_exit(call->value);
		return 0;
	case USER_MAPPINGS:
		call->value = mappings();
		return 0;
	case USER_STOP:
		call->value = stop();
		return 0;
	case USER_CACHE:
		call->value = cache_bits((unsigned long)call->address);
		return 0;
	}
	if (!thing->object)
		return -EINVAL;
	switch (call->what) {
	case USER_DESTROY:
		thing_destroy(world, thing);
		return 0;
	case USER_MAP:
		map(call, thing);
		return 0;
	case USER_UNMAP:
		unmap(call, thing);
		return 0;
	case USER_FILL:
		fill(cpu, PAGE, (u8)call->value);
		return 0;
	case USER_SEES:
		call->value = is_filled(cpu, PAGE, (u8)call->value);
		return 0;
	case USER_DEVICE_FILL:
		device_fills(thing, call->page, (u8)call->value);
		return 0;
	case USER_DEVICE_SEES:
		call->value = device_sees(thing, call->page, (u8)call->value);
		return 0;
	}
	return -EINVAL;
}

/* the device */

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct user_call __user *user = (struct user_call __user *)argument;
	struct user_call call;
	unsigned int before;
	long error;

	if (command != USER_IOC_CALL)
		return -ENOTTY;
	if (copy_from_user(&call, user, sizeof(call)))
		return -EFAULT;
	if (call.object >= USER_OBJECTS || call.page >= USER_PAGES || stopped)
		return -EINVAL;
	mutex_lock(&turn);
	before = world->violations;
	call.status = 0;
	error = answer(&call);
	call.violation = world->violations == before ? 0 : world->violation;
	mutex_unlock(&turn);
	if (copy_to_user(user, &call, sizeof(call)))
		return -EFAULT;
	return error;
}

static int device_open(struct inode *inode, struct file *file)
{
	file->private_data = (void *)(uintptr_t)task_tgid_nr(current);
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	dxgkmem_process_exit((uintptr_t)file->private_data);
	return 0;
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dxgkmem_test",
	.fops = &device_operations,
	.mode = 0600,
};

int device_begin(struct world *given, struct edu *edu)
{
	world = given;
	if (!world_begin(world, "mappings of processes", edu, REMAPPED)) {
		world_end(world);
		return -ENODEV;
	}
	return misc_register(&device);
}

/* What is left of the scratch memory ended with the instance, when a process had it stopped. */
void device_end(void)
{
	unsigned int i;

	misc_deregister(&device);
	if (stopped) {
		memset(&world->scratch, 0, sizeof(world->scratch));
		memset(world->adapter, 0, sizeof(world->adapter));
		memset(things, 0, sizeof(things));
	}
	for (i = 0; i < USER_OBJECTS; i++)
		thing_destroy(world, &things[i]);
	world_end(world);
}
