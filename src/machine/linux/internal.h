/* SPDX-License-Identifier: MIT */
/*
 * The real machine's insides, shared by its files only:
 *
 *   machine.c  the table of functions, devices, what is RAM, IRQL and process
 *   pages.c    pages of objects
 *   hold.c     pages of others
 *   windows.c  CPU mappings; those of the kernel
 *   process.c  those of processes
 *   domain.c   DMA domains
 */
#ifndef DXGKMEM_MACHINE_LINUX_INTERNAL_H
#define DXGKMEM_MACHINE_LINUX_INTERNAL_H

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/hashtable.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "machine.h"

#define MACHINE_DEVICES 16

struct machine_device {
	struct device *dev; /* NULL: the place is free */
	struct iommu_group *group;
	struct dxgkmem_domain *domain; /* that it is in */
};

struct machine {
	struct dxgkmem_machine ops; /* first: the two pointers are one */
	struct mutex lock; /* the devices; the windows */
	struct machine_device device[MACHINE_DEVICES];
	DECLARE_HASHTABLE(windows, 8); /* of processes, by process */
};

static inline struct machine *machine_of(struct dxgkmem_machine *machine)
{
	return container_of(machine, struct machine, ops);
}

struct dxgkmem_memory {
	DXGK_PHYSICAL_MEMORY_TYPE type;
	DXGK_MEMORY_CACHING_TYPE cache;
	uint64_t pages;
	uint64_t first; /* IO_SPACE: the first page of the range */
	struct page **page; /* else: every page */
	bool held; /* they are others', with a reference each */
	/* What must be 0 when the pages go back. */
	atomic64_t locked; /* pages, as often as they were */
	atomic_t windows;
};

/* pages.c */
NTSTATUS machine_memory_create(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
			       struct dxgkmem_memory **memory);
void machine_memory_destroy(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
void machine_memory_zero(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
NTSTATUS machine_memory_lock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
			     uint64_t pages);
void machine_memory_unlock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
			   uint64_t pages);
struct dxgkmem_run machine_memory_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
				      uint64_t first);

/* hold.c */
NTSTATUS machine_memory_hold(struct dxgkmem_machine *machine, const uint64_t *page, uint64_t pages,
			     struct dxgkmem_memory **memory);
void machine_let_go(struct dxgkmem_memory *memory);
/* Told of each page that becomes an object's, or is none of one's any more: that is how it is known. */
void machine_mark(struct page *page, bool ours);

/* windows.c */
NTSTATUS machine_map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
		     uint64_t pages, DXGK_ACCESS_MODE mode, unsigned int access, void **base);
void machine_unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
		   uint64_t process);

/* A page's protection with the cache type of the object. */
pgprot_t machine_cached_as(const struct dxgkmem_memory *memory, pgprot_t protection);

/* process.c */
NTSTATUS machine_map_user(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
			  uint64_t pages, unsigned int access, void **base);
void machine_unmap_user(struct dxgkmem_machine *machine, void *base, uint64_t process);

/* domain.c */
NTSTATUS machine_domain_create(struct dxgkmem_machine *machine, struct dxgkmem_domain **domain);
void machine_domain_destroy(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain);
NTSTATUS machine_domain_attach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
			       uint64_t device);
void machine_domain_detach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device);
NTSTATUS machine_domain_map(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
			    struct dxgkmem_run run, unsigned int access);
void machine_domain_unmap(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
			  uint64_t pages);
void machine_domain_flush(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
			  uint64_t pages);

#endif
