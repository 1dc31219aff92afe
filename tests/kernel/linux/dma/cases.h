/* SPDX-License-Identifier: MIT */
/*
 * The cases: what a device may do to memory, each in a world of its own.
 */
#ifndef DXGKMEM_TESTS_CASES_H
#define DXGKMEM_TESTS_CASES_H

#include "world.h"

struct dma_case {
	const char *name;
	enum kind kind;
	void (*run)(struct world *world);
};

extern const struct dma_case dma_cases[];
extern const unsigned int dma_case_count;

/* Without an IOMMU: no adapter can be added, and what the others are about does happen. */
void control_case(struct world *world, struct edu *edu);

#endif
