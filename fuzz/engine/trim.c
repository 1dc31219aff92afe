/* SPDX-License-Identifier: MIT */
/* Implements trim.h. */
#include "trim.h"

unsigned trim_begin(struct trim *trim, const struct program *program)
{
    unsigned offers = 0;

    trim->kept = *program;
    trim->end = program->lines;
    trim->count = 1;
    while (trim->count * 2 < program->lines)
        trim->count *= 2;
    for (unsigned count = trim->count; program->lines && count; count /= 2)
        offers += (program->lines + count - 1) / count;
    return offers;
}

bool trim_offer(struct trim *trim)
{
    const struct program *kept = &trim->kept;

    if (!trim->end) {
        trim->count /= 2;
        trim->end = kept->lines;
    }
    if (!trim->count || !trim->end)
        return false;
    unsigned begin = trim->end > trim->count ? trim->end - trim->count : 0;
    trim->offered.world = kept->world;
    trim->offered.lines = 0;
    for (unsigned i = 0; i < kept->lines; i++)
        if (i < begin || i >= trim->end)
            trim->offered.line[trim->offered.lines++] = kept->line[i];
    trim->end = begin;
    return true;
}

void trim_answer(struct trim *trim, bool same)
{
    if (same)
        trim->kept = trim->offered;
}
