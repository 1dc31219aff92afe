/* SPDX-License-Identifier: MIT */
/* The harness of the older driver: the device, which takes commands from the ring, counts them at the fence, walks the page tables and loses power. */
#include "older.h"

#include <dxgkmem/kit.h>

#define DIRECTORY 16u
#define COMMAND 0x4f4c0000u /* and a number: what this harness submits */

static struct dxgkmem_kit *of;
static ULONG64 ring, directory[DIRECTORY], entry, fence, count, video_page;
static UCHAR video[OLD_VIDEO_PAGES][PAGE_SIZE];

/* Takes commands up to one that is 0, and no more than there are. */
static void take_commands(ULONG64 wanted)
{
    ULONG64 taken = 0;
    ULONG command = 0;

    for (; taken < OLD_RING_ENTRIES; taken++) {
        if (!dxgkmem_kit_dma_read(of, 0, ring + taken * sizeof(command), &command, sizeof(command)) ||
            command == 0)
            break;
        dxgkmem_kit_expect(of, (command & 0xffff0000u) == COMMAND,
                           "the device takes a command that nobody gave");
        if ((command & 0xffff0000u) != COMMAND)
            return;
    }
    dxgkmem_kit_expect(of, taken == wanted, "the device takes the commands that were given");
    count += taken;
    (void)dxgkmem_kit_dma_write(of, 0, fence, &count, sizeof(count));
}

/* Whatever it does, it may look at any page of the table. */
static void walk_table(void)
{
    for (ULONG i = 0; i < DIRECTORY; i++) {
        ULONG64 first = 0;

        if (directory[i] == 0)
            continue;
        (void)dxgkmem_kit_dma_read(of, 0, directory[i] << PAGE_SHIFT, &first, sizeof(first));
        dxgkmem_kit_expect(of, first == i + 1, "the device reads the page table that the driver wrote");
    }
}

PUCHAR OldHwVideo(ULONG Page)
{
    return video[Page];
}

VOID OldHwWrite(enum old_register Register, ULONG64 Value)
{
    switch (Register) {
    case OLD_RING_BASE:
        ring = Value;
        break;
    case OLD_DOORBELL:
        take_commands(Value);
        walk_table();
        break;
    case OLD_FENCE:
        fence = Value;
        break;
    case OLD_TABLE_INDEX:
        entry = Value % DIRECTORY;
        break;
    case OLD_TABLE_PAGE:
        directory[entry] = Value;
        walk_table();
        break;
    case OLD_VIDEO_INDEX:
        video_page = Value % OLD_VIDEO_PAGES;
        break;
    case OLD_SAVE_PAGE:
        (void)dxgkmem_kit_dma_write(of, 0, Value << PAGE_SHIFT, video[video_page], PAGE_SIZE);
        break;
    case OLD_RESTORE_PAGE:
        (void)dxgkmem_kit_dma_read(of, 0, Value << PAGE_SHIFT, video[video_page], PAGE_SIZE);
        break;
    }
}

/* Saved by one way, and restored by that or the other, whatever fails meanwhile: then it is as it was. */
static void power_cycle(struct old_adapter *adapter)
{
    UCHAR drawn[OLD_VIDEO_PAGES];

    for (ULONG page = 0; page < OLD_VIDEO_PAGES; page++) {
        drawn[page] = (UCHAR)(1 + dxgkmem_kit_choose(of, 250));
        RtlFillMemory(video[page], PAGE_SIZE, drawn[page]);
    }
    if (!NT_SUCCESS(OldSaveFrameBuffer(adapter)))
        return;
    RtlZeroMemory(video, sizeof(video));
    if (!NT_SUCCESS(OldRestoreFrameBuffer(adapter)))
        return;
    for (ULONG page = 0; page < OLD_VIDEO_PAGES; page++)
        dxgkmem_kit_expect(of, video[page][0] == drawn[page] && video[page][PAGE_SIZE - 1] == drawn[page],
                           "the frame buffer is restored as it was saved");
}

static void life(struct dxgkmem_kit *kit)
{
    struct old_adapter adapter;

    of = kit;
    ring = entry = fence = count = 0;
    RtlZeroMemory(directory, sizeof(directory));
    if (!NT_SUCCESS(OldStart(&adapter, dxgkmem_kit_interface(kit, 0))))
        return;
    for (ULONG i = dxgkmem_kit_choose(kit, 4); i != 0; i--) {
        for (ULONG k = dxgkmem_kit_choose(kit, 6); k != 0; k--)
            (void)OldSubmit(&adapter, COMMAND + k);
        OldRing(&adapter);
        dxgkmem_kit_expect(kit, OldTaken(&adapter) == count,
                           "the driver sees the fence that the device wrote");
        if (dxgkmem_kit_choose(kit, 2) == 1)
            (void)OldSetTable(&adapter, 1 + dxgkmem_kit_choose(kit, DIRECTORY - 1));
        walk_table();
    }
    for (ULONG cycles = 1 + dxgkmem_kit_choose(kit, 2); cycles != 0; cycles--)
        power_cycle(&adapter);
    OldStop(&adapter);
}

const struct dxgkmem_harness dxgkmem_harness = {
    .life = life, .version = DXGKDDI_INTERFACE_VERSION_WDDM2_6, .domains = DXGKMEM_KIT_IDENTITY};
