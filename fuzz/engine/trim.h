/* SPDX-License-Identifier: MIT */
/*
 * Trimming: a program offered without some of its operations, again and again,
 * to somebody who says whether what is left still does the same. Whole lines
 * go, first many at once, then single ones, from the end to the beginning.
 */
#ifndef DXGKMEM_TRIM_H
#define DXGKMEM_TRIM_H

#include "program/program.h"

struct trim {
    struct program kept, offered;
    unsigned count; /* how many lines are left out at once */
    unsigned end;   /* before which line; 0: none is left with this count */
};

/* How many offers there are at most; 0 when there is nothing to leave out. */
unsigned trim_begin(struct trim *trim, const struct program *program);
/* Makes the next offer; false when there is none. */
bool trim_offer(struct trim *trim);
/* Whether the offer still does the same: then it is what the next one is made from. */
void trim_answer(struct trim *trim, bool same);

#endif
