// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * /dev/dxgkmem: copies a request in, has batch.c answer it, copies the reply out.
 * Owns the device, the one batch, and the coverage map of each open file.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "../../host/linux/linux.h"
#include "../batch.h"
#include "coverage.h"
#include "device.h"

static unsigned long long seed;
module_param(seed, ullong, 0400);
MODULE_PARM_DESC(seed, "random numbers begin here, the same in every run; 0: the system's");

static struct batch *batch;
static DEFINE_MUTEX(turn); /* the call that may run programs, and the coverage it counts */

struct client {
	u8 *map; /* coverage; NULL until it is mapped */
};

/* a call */

static long error_of(enum batch_status status)
{
	switch (status) {
	case BATCH_DONE:
		return 0;
	case BATCH_NO_ROOM:
		return -ENOSPC;
	case BATCH_BUSY:
		return -EBUSY;
	case BATCH_CANCELLED:
		return -EINTR;
	case BATCH_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

static bool proceed(void *context)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

/* Whoever has the turn counts; the others can only ask what is answered without running anything.
 */
static enum batch_status answer(struct client *client, struct batch_call *call)
{
	enum batch_status status;

	if (!mutex_trylock(&turn))
		return batch_call(batch, call);
	coverage_begin(READ_ONCE(client->map));
	status = batch_call(batch, call);
	coverage_end();
	mutex_unlock(&turn);
	return status;
}

static long run_call(struct client *client, struct dxgkmem_request *given)
{
	struct batch_call call = { .proceed = proceed };
	void *request;
	long error;

	if (given->request_bytes > BATCH_REQUEST_BYTES) {
		given->status = BATCH_BAD_LENGTH;
		return -EINVAL;
	}
	if (given->reply_room > BATCH_REPLY_BYTES) {
		given->status = BATCH_NO_ROOM;
		return -ENOSPC;
	}
	request = vmemdup_user(u64_to_user_ptr(given->request), given->request_bytes);
	if (IS_ERR(request))
		return PTR_ERR(request);
	call.request = request;
	call.request_bytes = given->request_bytes;
	call.reply_room = given->reply_room;
	/* What was not written is not copied, so it need not be zero. */
	call.reply = kvmalloc(max_t(size_t, call.reply_room, 1), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (call.reply) {
		given->status = answer(client, &call);
		error = error_of(given->status);
		given->reply_bytes = call.reply_bytes;
		if (copy_to_user(u64_to_user_ptr(given->reply), call.reply, call.reply_bytes))
			error = -EFAULT;
		kvfree(call.reply);
	} else {
		given->status = BATCH_NO_MEMORY;
		error = -ENOMEM;
	}
	kvfree(request);
	return error;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct dxgkmem_request __user *user = (struct dxgkmem_request __user *)argument;
	struct dxgkmem_request call;
	long error;

	if (command != DXGKMEM_IOC_CALL)
		return -ENOTTY;
	if (copy_from_user(&call, user, sizeof(call)))
		return -EFAULT;
	call.status = BATCH_DONE;
	call.reply_bytes = 0;
	if (dxgkmem_linux_stopped(NULL))
		return -ESHUTDOWN;
	error = run_call(file->private_data, &call);
	if (copy_to_user(user, &call, sizeof(call)))
		return -EFAULT;
	return error;
}

/* the open file */

static int device_open(struct inode *inode, struct file *file)
{
	struct client *client;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client)
		return -ENOMEM;
	file->private_data = client;
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	struct client *client = file->private_data;

	vfree(client->map);
	kfree(client);
	return 0;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct client *client = file->private_data;
	u8 *map, *other;

	if (!coverage_is_built())
		return -ENODEV;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff ||
	    vma->vm_end - vma->vm_start != DXGKMEM_COVERAGE_BYTES)
		return -EINVAL;
	if (!READ_ONCE(client->map)) {
		map = vmalloc_user(DXGKMEM_COVERAGE_BYTES);
		if (!map)
			return -ENOMEM;
		/* Two tasks may map at once; one of them made the map that stays. */
		other = cmpxchg(&client->map, NULL, map);
		if (other)
			vfree(map);
	}
	return remap_vmalloc_range(vma, client->map, 0);
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.mmap = device_mmap,
	.llseek = no_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = DXGKMEM_DEVICE,
	.fops = &device_operations,
	.mode = 0600,
};

static int __init device_init(void)
{
	static const struct batch_options options = {
		.host = "linux",
		.refusals = dxgkmem_linux_refusals,
		.cell = coverage_cell,
	};
	int error;

	dxgkmem_linux_init();
	if (seed)
		dxgkmem_linux_seed(seed);
	batch = batch_create(&options);
	if (!batch)
		return -ENOMEM;
	error = misc_register(&device);
	if (error)
		batch_destroy(batch);
	return error;
}

/* No file is open: nothing is under way. */
static void __exit device_exit(void)
{
	misc_deregister(&device);
	/* After a bug check the instance stays as it was; what it had is lost. */
	if (!dxgkmem_linux_stopped(NULL)) {
		batch_destroy(batch);
		dxgkmem_linux_exit();
	}
}

module_init(device_init);
module_exit(device_exit);
MODULE_DESCRIPTION("Runs programs of WDDM physical-memory callbacks in ring 0");
MODULE_LICENSE("Dual MIT/GPL");
