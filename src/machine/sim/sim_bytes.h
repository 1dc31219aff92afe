/* SPDX-License-Identifier: MIT */
/*
 * The two functions of the C library that a freestanding compiler expects anyway.
 */
#ifndef DXGKMEM_SIM_BYTES_H
#define DXGKMEM_SIM_BYTES_H

#include <dxgkmem/ddi_base.h>

#if defined(__KERNEL__) && defined(__linux__)
#include <linux/string.h>
#else
void *memset(void *to, int byte, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);
#endif

#endif
