/* SPDX-License-Identifier: MIT */
/*
 * CPU mappings for drivers: those of the user host with one page more in front, which faults. A
 * driver that is told Offset 4096 and uses the base address is found at the instruction that does.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *page(void *context, uint64_t number)
{
    return dxgkmem_user_windows.page(context, number);
}

static void forget(void *context, uint64_t number)
{
    dxgkmem_user_windows.forget(context, number);
}

static void *map(void *context, uint32_t slot, uint64_t room, const uint64_t *numbers, uint64_t pages,
                 unsigned access)
{
    uint64_t *more = malloc((size_t)(pages + 1) * sizeof *more);
    unsigned char *base;

    if (more == NULL)
        return NULL;
    more[0] = numbers[0];
    memcpy(more + 1, numbers, (size_t)pages * sizeof *more);
    base = dxgkmem_user_windows.map(context, slot, room + 1, more, pages + 1, access);
    free(more);
    if (base == NULL)
        return NULL;
    (void)mprotect(base, KIT_PAGE, PROT_NONE);
    return base + KIT_PAGE;
}

static void unmap(void *context, uint32_t slot, uint64_t pages)
{
    dxgkmem_user_windows.unmap(context, slot, pages + 1);
}

const struct dxgkmem_sim_windows kit_windows = {page, forget, map, unmap};
