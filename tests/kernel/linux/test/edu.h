/* SPDX-License-Identifier: MIT */
/*
 * QEMU's edu device: it copies between memory and a buffer of its own, by
 * DMA, in a tenth of a second.
 */
#ifndef DXGKMEM_TESTS_EDU_H
#define DXGKMEM_TESTS_EDU_H

#include <linux/pci.h>

/* The buffer has 4096; QEMU 7.2 ends itself when the last of them is used. */
#define EDU_BYTES 4088

struct edu {
	struct pci_dev *pci;
	void __iomem *registers;
};

/* How many were found; at most `room`. A negative error: one could not be had. */
int edu_find(struct edu *edu, int room);
void edu_release(struct edu *edu, int found);

/*
 * The device reads from memory into its buffer, or writes from its buffer into
 * memory. The device does not say whether the bytes went through.
 */
void edu_read(struct edu *edu, u64 address, size_t bytes);
void edu_write(struct edu *edu, u64 address, size_t bytes);

#endif
