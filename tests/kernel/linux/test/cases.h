/* SPDX-License-Identifier: MIT */
/*
 * The cases of DMA: what a device may do to memory, each in a world of its own.
 *
 * Whether DMA went through is judged by the bytes in memory and in the device, never by what anybody reports.
 */
#ifndef DXGKMEM_TESTS_CASES_H
#define DXGKMEM_TESTS_CASES_H

#include "world.h"

/* What a case finds: an object, mapped, and an ADL of some of its pages. */
struct given {
	create_arguments (*object)(SIZE_T pages); /* NULL: nothing */
	SIZE_T pages;
	SIZE_T adl_first, adl_pages; /* 0 pages: no ADL */
	bool contiguous; /* is asked of the ADL */
};

struct dma_case {
	const char *name;
	enum kind kind;
	struct given given;
	void (*run)(struct world *world, struct thing *thing);
};

struct dma_group {
	const struct dma_case *cases;
	unsigned int count;
};

extern const struct dma_group arrive_group; /* arrive.c: where bytes arrive */
extern const struct dma_group blocked_group; /* blocked.c: what is blocked, and when */
extern const struct dma_group shared_group; /* shared.c: several ADLs, objects, devices */
extern const struct dma_group held_group; /* held.c: pages that the driver brings */
extern const struct dma_group machine_group; /* machine.c: the machine by itself */

/* control.c; without an IOMMU: no adapter can be added, and what the others are about does happen. */
void control_case(struct world *world, struct edu *edu);

#endif
