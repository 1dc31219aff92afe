// SPDX-License-Identifier: MIT
/*
 * The driver of QEMU's edu device (docs/specs/edu.rst in QEMU). It uses no DMA
 * API: which addresses mean what is not its business.
 */
#include <linux/delay.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include "edu.h"

#define EDU_BUFFER 0x40000 /* the device's own address of its buffer */
#define EDU_SOURCE 0x80
#define EDU_DESTINATION 0x88
#define EDU_COUNT 0x90
#define EDU_COMMAND 0x98
#define EDU_START 1
#define EDU_TO_MEMORY 2

static const struct pci_device_id edu_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };

/* Nothing is done here; the devices are looked for when all of them are there. */
static int edu_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	return 0;
}

static struct pci_driver edu_driver = {
	.name = "dxgkmem_edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.driver_managed_dma = true,
};

static int edu_open(struct edu *edu, struct pci_dev *pci)
{
	int error = pci_enable_device(pci);

	if (error)
		return error;
	edu->registers = pci_iomap(pci, 0, 0);
	if (!edu->registers) {
		pci_disable_device(pci);
		return -ENOMEM;
	}
	edu->pci = pci_dev_get(pci);
	pci_set_master(pci);
	return 0;
}

int edu_find(struct edu *edu, int room)
{
	struct pci_dev *pci = NULL;
	int found = 0, error = pci_register_driver(&edu_driver);

	if (error)
		return error;
	while (found < room && !error) {
		pci = pci_get_device(0x1234, 0x11e8, pci);
		if (!pci)
			return found;
		error = edu_open(&edu[found], pci);
		if (!error)
			found++;
	}
	pci_dev_put(pci);
	if (!error)
		return found;
	edu_release(edu, found);
	return error;
}

void edu_release(struct edu *edu, int found)
{
	while (found-- > 0) {
		pci_clear_master(edu[found].pci);
		pci_iounmap(edu[found].pci, edu[found].registers);
		pci_disable_device(edu[found].pci);
		pci_dev_put(edu[found].pci);
	}
	pci_unregister_driver(&edu_driver);
}

static void edu_copy(struct edu *edu, u64 source, u64 destination, size_t bytes, u64 direction)
{
	writeq(source, edu->registers + EDU_SOURCE);
	writeq(destination, edu->registers + EDU_DESTINATION);
	writeq(bytes, edu->registers + EDU_COUNT);
	writeq(EDU_START | direction, edu->registers + EDU_COMMAND);
	while (readq(edu->registers + EDU_COMMAND) & EDU_START)
		usleep_range(1000, 2000);
}

void edu_read(struct edu *edu, u64 address, size_t bytes)
{
	edu_copy(edu, address, EDU_BUFFER, bytes, 0);
}

void edu_write(struct edu *edu, u64 address, size_t bytes)
{
	edu_copy(edu, EDU_BUFFER, address, bytes, EDU_TO_MEMORY);
}
