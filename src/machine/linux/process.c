// SPDX-License-Identifier: MIT
/*
 * CPU mappings of processes: pages of an object in the address space of the process that asks.
 *
 * A window is a file that nobody can open, mapped once. A process may take its window out as it may any other
 * memory, but cannot move, grow, split or inherit it, get more access to it, or pin its pages:
 * so when the window is undone, nothing of it is left anywhere.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "internal.h"

/* Belongs to its file, which the area in the process holds as well. */
struct user_window {
	struct hlist_node link; /* of those that were not undone */
	struct dxgkmem_memory *memory; /* NULL: it is made; what it shows is not looked at again */
	uint64_t first, pages;
	unsigned int access;
	struct file *file;
	struct mm_struct *mm; /* kept as a name, not alive */
	uint64_t process;
	unsigned long base;
};

static unsigned long window_bytes(const struct user_window *window)
{
	return (unsigned long)window->pages << PAGE_SHIFT;
}

/* the area in the process */

/* All that it shows was put in when it was made: it was undone. */
static vm_fault_t area_fault(struct vm_fault *fault)
{
	return VM_FAULT_SIGBUS;
}

static int area_may_split(struct vm_area_struct *area, unsigned long address)
{
	return -EINVAL;
}

static int area_mremap(struct vm_area_struct *area)
{
	return -EINVAL;
}

static const struct vm_operations_struct area_operations = {
	.fault = area_fault,
	.may_split = area_may_split,
	.mremap = area_mremap,
};

static int window_mmap(struct file *file, struct vm_area_struct *area)
{
	struct user_window *window = file->private_data;
	uint64_t i;

	if (!window->memory)
		return -EINVAL;
	if (!(window->access & DXGKMEM_ACCESS_WRITE))
		area->vm_flags &= ~(VM_WRITE | VM_MAYWRITE);
	if (!(window->access & DXGKMEM_ACCESS_EXECUTE))
		area->vm_flags &= ~(VM_EXEC | VM_MAYEXEC);
	/* VM_IO: what is not copied by fork stays so. */
	area->vm_flags |= VM_PFNMAP | VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
	area->vm_page_prot = machine_cached_as(window->memory, area->vm_page_prot);
	area->vm_ops = &area_operations;
	for (i = 0; i < window->pages; i++) {
		struct page *page = window->memory->page[window->first + i];

		if (vmf_insert_pfn(area, area->vm_start + (i << PAGE_SHIFT), page_to_pfn(page)) !=
		    VM_FAULT_NOPAGE)
			return -ENOMEM;
	}
	return 0;
}

static int window_release(struct inode *inode, struct file *file)
{
	struct user_window *window = file->private_data;

	mmdrop(window->mm);
	kfree(window);
	return 0;
}

static const struct file_operations window_operations = {
	.owner = THIS_MODULE,
	.mmap = window_mmap,
	.release = window_release,
};

/* Which of a process are there */

static struct user_window *find_window(struct machine *machine, uint64_t process, unsigned long from,
				       unsigned long bytes)
{
	struct user_window *window;

	hash_for_each_possible(machine->windows, window, link, process)
		if (window->process == process && window->base < from + bytes &&
		    from < window->base + window_bytes(window))
			return window;
	return NULL;
}

/*
 * A process that took a window out by itself may be given the same address again. The window is there until
 * it is undone, and no two of a process may overlap.
 */
static bool add_window(struct machine *machine, struct user_window *window)
{
	bool room;

	mutex_lock(&machine->lock);
	room = !find_window(machine, window->process, window->base, window_bytes(window));
	if (room)
		hash_add(machine->windows, &window->link, window->process);
	mutex_unlock(&machine->lock);
	return room;
}

static struct user_window *take_window(struct machine *machine, uint64_t process, unsigned long base)
{
	struct user_window *window;

	mutex_lock(&machine->lock);
	window = find_window(machine, process, base, 1);
	if (window)
		hash_del(&window->link);
	mutex_unlock(&machine->lock);
	return window;
}

/* making and undoing */

/* NULL: no memory. It ends with its file. */
static struct user_window *make_window(struct dxgkmem_memory *memory, uint64_t first, uint64_t pages,
				       unsigned int access)
{
	struct user_window *window = kzalloc(sizeof(*window), GFP_KERNEL | __GFP_NOWARN);

	if (!window)
		return NULL;
	window->memory = memory;
	window->first = first;
	window->pages = pages;
	window->access = access;
	window->process = (uint64_t)task_tgid_nr(current);
	window->file = anon_inode_getfile("[dxgkmem]", &window_operations, window, O_RDWR);
	if (IS_ERR(window->file)) {
		kfree(window);
		return NULL;
	}
	window->mm = current->mm;
	mmgrab(window->mm);
	return window;
}

static unsigned long protection_of(unsigned int access)
{
	return PROT_READ | (access & DXGKMEM_ACCESS_WRITE ? PROT_WRITE : 0) |
	       (access & DXGKMEM_ACCESS_EXECUTE ? PROT_EXEC : 0);
}

NTSTATUS machine_map_user(struct dxgkmem_machine *ops, struct dxgkmem_memory *memory, uint64_t first,
			  uint64_t pages, unsigned int access, void **base)
{
	struct user_window *window;
	unsigned long address;

	if (!current->mm || current->flags & PF_KTHREAD || !memory->page)
		return STATUS_NOT_SUPPORTED;
	if (pages > TASK_SIZE >> PAGE_SHIFT)
		return STATUS_INSUFFICIENT_RESOURCES;
	window = make_window(memory, first, pages, access);
	if (!window)
		return STATUS_INSUFFICIENT_RESOURCES;
	address = vm_mmap(window->file, 0, window_bytes(window), protection_of(access), MAP_SHARED, 0);
	window->memory = NULL;
	if (!IS_ERR_VALUE(address)) {
		window->base = address;
		if (add_window(machine_of(ops), window)) {
			*base = (void *)address;
			return STATUS_SUCCESS;
		}
		vm_munmap(address, window_bytes(window));
	}
	fput(window->file);
	return STATUS_INSUFFICIENT_RESOURCES;
}

/*
 * Takes the pages out of whatever process it is. The area itself goes when the process is the current one; of
 * another it stays, and is a bus error, until that process ends.
 */
static void undo(struct user_window *window)
{
	struct vm_area_struct *area;
	bool there;

	mmap_read_lock(window->mm);
	area = find_vma(window->mm, window->base);
	there = area && area->vm_file == window->file;
	if (there)
		zap_vma_ptes(area, area->vm_start, area->vm_end - area->vm_start);
	mmap_read_unlock(window->mm);
	if (there && window->mm == current->mm)
		vm_munmap(window->base, window_bytes(window));
}

void machine_unmap_user(struct dxgkmem_machine *ops, void *base, uint64_t process)
{
	struct user_window *window = take_window(machine_of(ops), process, (unsigned long)base);

	if (WARN_ON(!window))
		return;
	/* Nobody runs in an address space that has ended, or is about to. */
	if (mmget_not_zero(window->mm)) {
		undo(window);
		mmput(window->mm);
	}
	fput(window->file);
}
