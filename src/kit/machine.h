/* SPDX-License-Identifier: MIT */
/*
 * What the stand-ins want of the machine and of the callbacks: IRQL and process, which they set, from world.c;
 * and what lies behind addresses and MDLs.
 */
#ifndef DXGKMEM_KIT_MACHINE_H
#define DXGKMEM_KIT_MACHINE_H

#include "stack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

unsigned kit_irql(void);
void kit_set_irql(unsigned irql);
unsigned kit_process(void);
void kit_set_process(unsigned process);
/* The physical address behind one that the callbacks mapped for the CPU. */
bool kit_physical(const void *address, uint64_t *physical);
/* Whether the address is one of the kernel's, as far as is known: a process could not have it. */
bool kit_of_the_kernel(const void *address);
/*
 * Whether it is a living MDL of the WDDM 2.4 callbacks; *base: where the kernel can see its pages, NULL where
 * there is no room for that.
 */
bool kit_mdl_pages_at(const void *mdl, void **base);
/*
 * The page of the machine behind bytes of the driver's in one page, which belong to a block of the pool, or to
 * none (NULL). Two blocks are never in one page. KIT_NO_PAGE: the machine has none left for that.
 */
#define KIT_NO_PAGE ((uint64_t)UINTPTR_MAX)
uint64_t kit_page_of(const void *block, void *first, size_t bytes);
/* The block or the MDL is freed: whether a device still reaches it through a map; *made: who mapped it. */
bool kit_block_ended(const void *block, kit_stack *made);
bool kit_mdl_ended(const void *mdl, kit_stack *made);

#endif
