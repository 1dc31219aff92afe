/* SPDX-License-Identifier: MIT */
/*
 * The memory of a driver of the generation before memory objects, WDDM 2.4 to 2.8: a ring in contiguous memory
 * and page tables in pages for an MDL, which the device reads, a fence in pool of its own, which the device
 * writes, and the save area of its frame buffer. The kit runs it unmodified; older_harness.c is the device.
 */
#pragma once

#include <ntddk.h>
#include <dispmprt.h>

#define OLD_RING_BYTES 0x2000u
#define OLD_RING_ENTRIES (OLD_RING_BYTES / sizeof(ULONG))
#define OLD_TAG 'dlO'
#define OLD_HIGHEST 0xffffffffffll
#define OLD_VIDEO_PAGES 5u /* of the frame buffer */
#define OLD_PIECE_PAGES 2u /* of it are saved at once where it cannot be pinned */

/* Registers of the device. */
enum old_register {
    OLD_RING_BASE, /* byte address of the ring; the device takes commands from its beginning up to one that is 0 */
    OLD_DOORBELL,    /* it does so now */
    OLD_FENCE,       /* byte address of a ULONG64: how many commands it ever took; 0: nowhere */
    OLD_TABLE_INDEX, /* the directory entry that the next value is for */
    OLD_TABLE_PAGE,  /* the page of that part of the page table; 0: none */
    OLD_VIDEO_INDEX, /* the page of the frame buffer that the next value is for */
    OLD_SAVE_PAGE,   /* the device writes it to this page */
    OLD_RESTORE_PAGE /* the device reads it from this page */
};
EXTERN_C VOID OldHwWrite(enum old_register Register, ULONG64 Value);
/* Pages of the frame buffer, as the CPU sees them through the device's aperture. */
EXTERN_C PUCHAR OldHwVideo(ULONG Page);

struct old_table {
    HANDLE memory; /* NULL: there is none */
    PMDL mdl;
    PULONG64 entries; /* of all pages, one behind the other */
    ULONG pages;
};

struct old_adapter {
    DXGKRNL_INTERFACE dxgk;
    HANDLE ring_memory;
    PULONG ring;
    ULONG used;
    ULONG64 *fence;
    PMDL fence_mdl;
    HANDLE fence_memory;
    struct old_table table;
};

EXTERN_C_START
NTSTATUS OldStart(struct old_adapter *Adapter, PDXGKRNL_INTERFACE Dxgk);
VOID OldStop(struct old_adapter *Adapter);
/* Commands are not 0. STATUS_DEVICE_BUSY: the ring is full; it is empty again after the next doorbell. */
NTSTATUS OldSubmit(struct old_adapter *Adapter, ULONG Command);
VOID OldRing(struct old_adapter *Adapter);
/* How many commands the device has taken since the start. */
ULONG64 OldTaken(const struct old_adapter *Adapter);
/* A page table of so many pages, in place of the one before. */
NTSTATUS OldSetTable(struct old_adapter *Adapter, ULONG Pages);
/* Before the device loses power, and when it has it again. A failure to save is one of the power transition. */
NTSTATUS OldSaveFrameBuffer(struct old_adapter *Adapter);
NTSTATUS OldRestoreFrameBuffer(struct old_adapter *Adapter);
EXTERN_C_END
