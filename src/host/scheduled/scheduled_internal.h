/* SPDX-License-Identifier: MIT */
/* Shared by fibers.c and services.c. */
#ifndef DXGKMEM_SCHEDULED_INTERNAL_H
#define DXGKMEM_SCHEDULED_INTERNAL_H

#include "scheduled.h"

#if defined(__SANITIZE_ADDRESS__)
#define SCHEDULED_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCHEDULED_ASAN
#endif
#endif

/* A run begins: none of its threads holds a lock. */
void services_begin(unsigned threads);
/* It is over: what was freed meanwhile goes back. */
void services_end(void);

#endif
