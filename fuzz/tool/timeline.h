/* SPDX-License-Identifier: MIT */
/*
 * Where everything stands in the picture of a run: lanes, lives, ticks, arrows,
 * and the device's view. Pure computation over a recording; timeline_html.c draws it.
 */
#ifndef DXGKMEM_TOOL_TIMELINE_H
#define DXGKMEM_TOOL_TIMELINE_H

#include "tool/recording.h"

#include <stdio.h>

#define TIMELINE_LANE 26   /* height of a lane */
#define TIMELINE_HEAD 26   /* above the first */
#define TIMELINE_NAMES 104 /* width of the names */
#define TIMELINE_TICKS 4096
#define TIMELINE_ARROWS 512

enum timeline_mood { TIMELINE_GOOD, TIMELINE_REFUSED, TIMELINE_BAD };

/* One row: of a thing, or of pages that a logical adapter's devices reach. */
struct timeline_lane {
    int thing; /* the first of a row of pages: its ADL */
    bool pages;
    unsigned chain; /* of pages */
    int y;          /* of its middle */
};

struct timeline_tick {
    unsigned line;
    int x, y;
    enum timeline_mood mood;
    bool fault;    /* a DMA or a CPU access that faulted */
    bool offender; /* the call made a mistake, or broke an invariant */
};

/* From the call that made a mistake to the earlier call that made it one. */
struct timeline_arrow {
    int from_x, from_y, to_x, to_y;
    enum timeline_mood mood;
};

struct timeline {
    const struct recording *recording;
    const unsigned *source; /* line of the file of each operation */
    unsigned lanes, first_pages, ticks, arrows;
    struct timeline_lane lane[2 * RECORDING_THINGS];
    struct timeline_tick tick[TIMELINE_TICKS];
    struct timeline_arrow arrow[TIMELINE_ARROWS];
    int step;                   /* pixels between two lines of the program */
    int width, height, pages_y; /* pages_y: where the heading of the device's view stands; 0: there is none */
};

/* Free it. */
struct timeline *timeline_make(const struct recording *recording, const unsigned *source);
/* Where a line of the program stands. */
int timeline_x(const struct timeline *timeline, unsigned line);
/* Whether the row of pages with this first ADL shows this thing, too. */
bool timeline_same_pages(const struct recording *recording, int first, int other);
enum timeline_mood timeline_mood(const struct recording *recording, unsigned line);
/* The chart with its key, and the program with what came of each line. id: makes links unique on a page. */
void timeline_write_chart(FILE *to, const struct timeline *timeline, const char *id);
void timeline_write_program(FILE *to, const struct timeline *timeline, const char *id);
/* A whole page about one program. */
void timeline_page(FILE *to, const struct recording *recording, const char *title, const unsigned *source);

#endif
