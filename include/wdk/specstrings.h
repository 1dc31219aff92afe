/* SPDX-License-Identifier: MIT */
/* Stand-in for specstrings.h. */
#ifndef DXGKMEM_WDK_SPECSTRINGS_H
#define DXGKMEM_WDK_SPECSTRINGS_H

#include <driverspecs.h>
#include <sal.h>

#endif
