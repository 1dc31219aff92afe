/* SPDX-License-Identifier: MIT */
/* Programs that differ in the order of lines which do not depend on each other: one order is enough. */
#ifndef DXGKMEM_EXPLORE_ORDER_H
#define DXGKMEM_EXPLORE_ORDER_H

#include "tool/explore_lines.h"

/*
 * Whether the line could as well stand further up among the `count` lines that led to where it applies, before one
 * that comes after it in the table: that program is the same but for its order, and is found by itself.
 */
bool explore_is_reordered(const struct explore_lines *lines, const uint16_t *led, unsigned count,
                          unsigned line);

#endif
