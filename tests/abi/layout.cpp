/* SPDX-License-Identifier: MIT */
/* the same assertions, seen by a C++ compiler: a driver may be written in either language. */
#include "layout.c"
