/* SPDX-License-Identifier: MIT */
/* What a driver's image needs that a C runtime gives to programs: stack cookie, CFG, coverage. */
#ifndef DXGKMEM_DRIVER_NT_IMAGE_H
#define DXGKMEM_DRIVER_NT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* First of all in DriverEntry: from now on the stack cookie cannot be guessed. */
void image_start(void);
/* The edge counters of all files that were compiled with them; NULL and 0 without. */
uint8_t *image_coverage(size_t *bytes);

#endif
