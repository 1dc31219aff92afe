/* SPDX-License-Identifier: MIT */
/*
 * The course of a campaign: the samples that targets/campaign.sh wrote, and lines over time for a page.
 *
 * The file is text: the line "seconds,executions,corpus,cells,cells_feasible,edges,findings", then one of seven
 * numbers a sample, seconds never less than in the line before. What a target does not count is 0 all the time.
 */
#ifndef DXGKMEM_TOOL_COURSE_H
#define DXGKMEM_TOOL_COURSE_H

#include <stdio.h>

struct course;

/* 0, or TOOL_BAD after saying what is wrong. */
int course_read(struct course **course, const char *path);
void course_free(struct course *course);

/* A part of a page, for html_begin() and html_end() around it. */
void course_write(FILE *to, const struct course *course);

#endif
