/* SPDX-License-Identifier: MIT */
/*
 * The device of user.h, for the module.
 */
#ifndef DXGKMEM_TESTS_DEVICE_H
#define DXGKMEM_TESTS_DEVICE_H

#include "user.h"
#include "world.h"

/* The world becomes the device's until device_end. A negative error: there is no such world, or no device. */
int device_begin(struct world *world, struct edu *edu);
/* Nothing may be left; world->failures counts what was. */
void device_end(void);

#endif
