/* SPDX-License-Identifier: MIT */
/* Implements course.h. */
#include "tool/course.h"

#include "tool/html.h"
#include "tool/input.h"
#include "tool/tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum column { SECONDS, EXECUTIONS, CORPUS, CELLS, FEASIBLE, EDGES, FINDINGS, COLUMNS };

static const char heading[] = "seconds,executions,corpus,cells,cells_feasible,edges,findings";

struct sample {
    uint64_t value[COLUMNS];
};

struct course {
    size_t samples;
    struct sample *sample;
};

/* -- reading ------------------------------------------------------------------------------ */

static bool read_sample(char *line, struct sample *sample)
{
    char *rest = line, *text;

    for (unsigned column = 0; column < COLUMNS; column++) {
        text = strsep(&rest, ",");
        if (!text || !tool_number(text, INT64_MAX / 2000, &sample->value[column]))
            return false;
    }
    return !rest;
}

static int read_lines(struct course *course, FILE *file, const char *path)
{
    char line[256];

    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        size_t at = course->samples;
        line[strcspn(line, "\n")] = '\0';
        if (number == 1) {
            if (strcmp(line, heading) != 0)
                return tool_error("%s:1: does not begin with '%s'", path, heading);
            continue;
        }
        course->sample = realloc(course->sample, (at + 1) * sizeof *course->sample);
        if (!course->sample)
            return tool_error("no memory");
        if (!read_sample(line, &course->sample[at]))
            return tool_error("%s:%u: a sample is %d numbers", path, number, COLUMNS);
        if (at && course->sample[at].value[SECONDS] < course->sample[at - 1].value[SECONDS])
            return tool_error("%s:%u: the time goes back", path, number);
        course->samples++;
    }
    if (ferror(file))
        return tool_error("%s: cannot be read: %s", path, strerror(errno));
    return course->samples ? 0 : tool_error("%s: there is no sample in it", path);
}

int course_read(struct course **course, const char *path)
{
    FILE *file = fopen(path, "r");
    int status;

    if (!file)
        return tool_error("%s: cannot be read: %s", path, strerror(errno));
    *course = tool_alloc(sizeof **course);
    status = read_lines(*course, file, path);
    fclose(file);
    if (status) {
        course_free(*course);
        *course = NULL;
    }
    return status;
}

void course_free(struct course *course)
{
    if (course)
        free(course->sample);
    free(course);
}

/* -- drawing ------------------------------------------------------------------------------ */

enum { WIDTH = 1000, HEIGHT = 160, MARGIN = 6 }; /* of a plot; the page stretches it */

static const struct plot {
    enum column column;
    const char *name;
    bool from_zero;
    unsigned colour; /* of page_style.css */
} plots[] = {
    {EDGES, "coverage: edges", false, 1},
    {CELLS, "cells of the matrix", false, 2},
    {CORPUS, "inputs in the live corpus", false, 4},
    {FINDINGS, "findings", true, 3},
};

static const struct sample *last(const struct course *course)
{
    return &course->sample[course->samples - 1];
}

static void write_points(FILE *to, const struct course *course, enum column column, uint64_t low,
                         uint64_t high)
{
    uint64_t begin = course->sample[0].value[SECONDS], time = last(course)->value[SECONDS] - begin;

    for (size_t i = 0; i < course->samples; i++) {
        const uint64_t *value = course->sample[i].value;
        fprintf(to, "%s%" PRIu64 ",%" PRIu64, i ? " " : "",
                time ? WIDTH * (value[SECONDS] - begin) / time : 0,
                MARGIN + HEIGHT - HEIGHT * (value[column] - low) / (high - low));
    }
    if (!time) /* a single moment is a line as well */
        fprintf(to, " %d,%" PRIu64, WIDTH,
                MARGIN + HEIGHT - HEIGHT * (last(course)->value[column] - low) / (high - low));
}

static void write_plot(FILE *to, const struct course *course, const struct plot *plot)
{
    uint64_t low = plot->from_zero ? 0 : UINT64_MAX, high = 0;
    const uint64_t *end = last(course)->value, *begin = course->sample[0].value;

    for (size_t i = 0; i < course->samples; i++) {
        uint64_t value = course->sample[i].value[plot->column];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    if (high == low && low)
        low--;
    else if (high == low)
        high++;
    fprintf(to, "<figure class=\"plot\"><figcaption><span>%s</span> <span class=\"last\">%" PRIu64,
            plot->name, end[plot->column]);
    if (plot->column == CELLS)
        fprintf(to, " of %" PRIu64, end[FEASIBLE]);
    fprintf(to,
            "</span></figcaption>\n<p class=\"range\"><span>%" PRIu64 "</span><span>%" PRIu64
            "</span></p>\n<svg class=\"k%u\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"%s: from %" PRIu64 " to %" PRIu64 "\">"
            "<path class=\"grid\" d=\"M0 %dH%dM0 %dH%dM0 %dH%d\"/><polyline class=\"course\" points=\"",
            high, low, plot->colour, WIDTH, HEIGHT + 2 * MARGIN, plot->name, begin[plot->column],
            end[plot->column], MARGIN, WIDTH, MARGIN + HEIGHT / 2, WIDTH, MARGIN + HEIGHT, WIDTH);
    write_points(to, course, plot->column, low, high);
    fprintf(to,
            "\"/></svg>\n<p class=\"times\"><span>%" PRIu64 " s</span><span>%" PRIu64
            " s</span></p></figure>\n",
            begin[SECONDS], end[SECONDS]);
}

void course_write(FILE *to, const struct course *course)
{
    const uint64_t *end = last(course)->value;

    fprintf(to,
            "<p class=\"soft\">%" PRIu64 " executions in %" PRIu64 " s: %" PRIu64
            " findings. Over time, each "
            "line between its smallest and its largest value:</p>\n<div class=\"plots\">\n",
            end[EXECUTIONS], end[SECONDS], end[FINDINGS]);
    for (size_t i = 0; i < sizeof plots / sizeof plots[0]; i++)
        if (plots[i].column != CELLS || end[FEASIBLE])
            write_plot(to, course, &plots[i]);
    fputs("</div>\n", to);
}
