/* SPDX-License-Identifier: MIT */
/* Shared by fibers.c and services.c. */
#ifndef DXGKMEM_SCHEDULED_INTERNAL_H
#define DXGKMEM_SCHEDULED_INTERNAL_H

#include "scheduled.h"

/* A run begins: none of its threads holds a lock. */
void services_begin(unsigned threads);

#endif
