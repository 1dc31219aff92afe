/* SPDX-License-Identifier: MIT */
/* The device side: DMA at addresses that the driver gave it, and what to say when it may not. */
#include "kit.h"

#include <inttypes.h>

/* The first page of the range that the device does not reach, or may not write. */
static uint64_t unreached(struct dxgkmem_kit *of, unsigned adapter, uint64_t address, size_t bytes,
                          unsigned access)
{
    struct dxgkmem_sim_translation translation;
    uint64_t page = address >> DXGKMEM_PAGE_SHIFT;

    for (; page < (address + bytes - 1) >> DXGKMEM_PAGE_SHIFT; page++) {
        if (!dxgkmem_sim_device_page(of->sim, adapter, page, &translation) ||
            (translation.access & access) == 0)
            break;
    }
    return page;
}

static void tell(struct dxgkmem_kit *of, unsigned adapter, uint64_t address, size_t bytes, unsigned access,
                 kit_stack stack)
{
    uint64_t page = unreached(of, adapter, address, bytes, access);
    const struct kit_reach *reach = kit_reach_of_page(page);
    struct kit_finding finding = {.name = "dma_fault", .call = "the device", .stack = stack};
    const char *what = "none that ever was";

    if (reach != NULL && reach->ended_by != NULL) {
        finding.earlier_call = reach->ended_by;
        finding.earlier = reach->ended;
        what = "one that has ended";
    } else if (reach != NULL) {
        finding.earlier_call = reach->made_by;
        finding.earlier = reach->made;
        what = "one that it may not write, or of a removed adapter";
    }
    kit_find(&finding, "the driver let it %s at 0x%" PRIx64 ", page 0x%" PRIx64 " of %s: %s",
             access == DXGKMEM_ACCESS_WRITE ? "write" : "read", address, page,
             reach != NULL ? reach->is : KIT_AN_ADL, what);
}

bool dxgkmem_kit_dma_read(struct dxgkmem_kit *of, unsigned adapter, uint64_t address, void *to, size_t bytes)
{
    kit_mdls_dma(adapter, address, bytes, false);
    if (dxgkmem_sim_dma_read(of->sim, adapter, address, to, bytes))
        return true;
    tell(of, adapter, address, bytes, DXGKMEM_ACCESS_READ, KIT_STACK_HERE());
    return false;
}

bool dxgkmem_kit_dma_write(struct dxgkmem_kit *of, unsigned adapter, uint64_t address, const void *from,
                           size_t bytes)
{
    kit_mdls_dma(adapter, address, bytes, false);
    if (dxgkmem_sim_dma_write(of->sim, adapter, address, from, bytes)) {
        kit_mdls_dma(adapter, address, bytes, true);
        return true;
    }
    tell(of, adapter, address, bytes, DXGKMEM_ACCESS_WRITE, KIT_STACK_HERE());
    return false;
}
