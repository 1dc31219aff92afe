/* SPDX-License-Identifier: MIT */
/*
 * Programs that differ in the order of lines which do not depend on each other. The states that two of them lead to
 * are the same but for names (which of two objects is called 0, which slot a handle has) and places (which pages
 * belong to whom), so that all answers are the same but those that tell a place.
 */
#ifndef DXGKMEM_EXPLORE_ORDER_H
#define DXGKMEM_EXPLORE_ORDER_H

#include "tool/explore_lines.h"

/*
 * Whether the line could as well stand further up among the `count` lines that led to where it applies, before one
 * that comes after it in the table.
 */
bool explore_is_reordered(const struct explore_lines *lines, const uint16_t *led, unsigned count,
                          unsigned line);
/* Whether what comes of the line may depend on which pages belong to whom. */
bool explore_tells_places(const struct program_line *line);

#endif
