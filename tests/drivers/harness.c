/* SPDX-License-Identifier: MIT */
/*
 * The harness of the sample: it is the device, which does DMA at the addresses that the driver wrote to its
 * registers, and the graphics kernel, which calls the driver.
 */
#include "sample.h"

#include <dxgkmem/kit.h>

static struct dxgkmem_kit *of;
static ULONG64 registers[SMP_SAVE_PAGE + 1];

static ULONG device_reads(ULONG64 address)
{
    ULONG value = 0;

    (void)dxgkmem_kit_dma_read(of, 0, address, &value, sizeof(value));
    return value;
}

/* A device that is enabled fetches whenever it likes: here, at every write to a register. */
VOID SmpHwWrite(enum smp_register Register, ULONG64 Value)
{
    if (registers[SMP_RING_ENABLE] != 0)
        (void)device_reads(registers[SMP_RING_BASE]);
    if (registers[SMP_LOG_BASE] != 0)
        (void)dxgkmem_kit_dma_write(of, 0, registers[SMP_LOG_BASE] + 64, &Value, sizeof(Value));
    registers[Register] = Value;
    if (Register == SMP_DOORBELL)
        dxgkmem_kit_expect(of, device_reads(registers[SMP_RING_BASE] + Value) != 0,
                           "the device fetches the command");
    if ((Register == SMP_ENTRY_PAGE && Value != 0) || Register == SMP_SAVE_PAGE)
        (void)dxgkmem_kit_dma_write(of, 0, Value << PAGE_SHIFT, "saved", 6);
}

/* Part of the allocation goes into the aperture and out of it again. */
static void page(struct smp_adapter *adapter, struct smp_allocation *allocation)
{
    DXGKARG_BUILDPAGINGBUFFER map, unmap;
    ULONG pages = allocation->memory.adl->PageCount;

    RtlZeroMemory(&map, sizeof(map));
    map.Operation = DXGK_OPERATION_MAP_APERTURE_SEGMENT2;
    map.MapApertureSegment2.Adl = *allocation->memory.adl;
    map.MapApertureSegment2.AdlOffset = dxgkmem_kit_choose(of, pages);
    map.MapApertureSegment2.NumberOfPages = pages - map.MapApertureSegment2.AdlOffset;
    map.MapApertureSegment2.OffsetInPages = dxgkmem_kit_choose(of, 8);
    if (!NT_SUCCESS(SmpBuildPagingBuffer(adapter, &map)))
        return;
    RtlZeroMemory(&unmap, sizeof(unmap));
    unmap.Operation = DXGK_OPERATION_UNMAP_APERTURE_SEGMENT;
    unmap.UnmapApertureSegment.OffsetInPages = map.MapApertureSegment2.OffsetInPages;
    unmap.UnmapApertureSegment.NumberOfPages = map.MapApertureSegment2.NumberOfPages;
    (void)SmpBuildPagingBuffer(adapter, &unmap);
}

/* One allocate, use, free. */
static void round_of(struct smp_adapter *adapter)
{
    struct smp_allocation *allocation;

    if (NT_SUCCESS(SmpCreateAllocation(adapter, (SIZE_T)PAGE_SIZE * (1 + dxgkmem_kit_choose(of, 12)),
                                       &allocation))) {
        page(adapter, allocation);
        if (dxgkmem_kit_choose(of, 4) != 1) /* or it is left for the stop */
            SmpDestroyAllocation(adapter, allocation);
    }
    (void)SmpSubmit(adapter, 1 + dxgkmem_kit_choose(of, 100));
}

static void life(struct dxgkmem_kit *kit)
{
    struct smp_adapter adapter;

    of = kit;
    RtlZeroMemory(registers, sizeof(registers));
    if (NT_SUCCESS(
            SmpStartDevice(&adapter, dxgkmem_kit_interface(kit, 0), dxgkmem_kit_io_base(kit), PAGE_SIZE))) {
        for (unsigned rounds = 6; rounds != 0; rounds--)
            round_of(&adapter);
        dxgkmem_kit_process(kit, 1 + dxgkmem_kit_choose(kit, 3));
        (void)SmpShareWithProcess(&adapter, (SIZE_T)3 * PAGE_SIZE, 7);
        (void)SmpSaveFrameBuffer(&adapter, 5 * PAGE_SIZE);
    }
    SmpStopDevice(&adapter);
}

const struct dxgkmem_harness dxgkmem_harness = {.life = life};
