/* SPDX-License-Identifier: MIT */
/*
 * The scenes of tests/stress in threads of the kernel.
 *
 * Both give how many scenes failed; *scenes becomes how many there were. What failed is in the log.
 */
#ifndef DXGKMEM_TESTS_THREADS_H
#define DXGKMEM_TESTS_THREADS_H

#include "edu.h"

unsigned int stress_sim(unsigned int rounds, unsigned int *scenes);
/* Three devices become adapters; behind an IOMMU. */
unsigned int stress_real(unsigned int rounds, struct edu *edu, unsigned int devices, unsigned int *scenes);

#endif
