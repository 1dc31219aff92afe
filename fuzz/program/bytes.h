/* SPDX-License-Identifier: MIT */
/*
 * The memory functions that a compiler may call by itself anyway, declared for
 * code that has no C library. Whoever links this code provides them.
 */
#ifndef DXGKMEM_PROGRAM_BYTES_H
#define DXGKMEM_PROGRAM_BYTES_H

#include <dxgkmem/ddi_base.h>

#if defined(__KERNEL__) && defined(__linux__)
#include <linux/string.h>
#else
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *one, const void *other, size_t bytes);
#endif

#endif
