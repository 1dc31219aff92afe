/* SPDX-License-Identifier: MIT */
/* What the files that make calls right share: relate.c, and relate_pages.c for what asks for pages. */
#ifndef DXGKMEM_ENGINE_RELATE_H
#define DXGKMEM_ENGINE_RELATE_H

#include "compose.h"

#define PAGE ((uint64_t)0x1000)

/* So many pages at most, in bytes. */
uint64_t relate_pages(struct composer *composer, unsigned most);
/* Some way off the edge of something, mostly less than a page. */
uint64_t relate_nearby(struct composer *composer, uint64_t address);

void relate_create(struct composer *composer, struct program_line *line);
/* What an allocation asks for is what a CREATE of its type asks for. */
void relate_allocate(struct composer *composer, struct program_line *line);

#endif
