/* SPDX-License-Identifier: MIT */
/* One stand-in for both of the kit's headers. */
#include "ntifs.h"
