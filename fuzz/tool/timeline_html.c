/* SPDX-License-Identifier: MIT */
/* Draws what timeline.c computed, as HTML with SVG in it. */
#include "tool/html.h"
#include "tool/report.h"
#include "tool/timeline.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const moods[] = {"good", "refused", "bad"};

static void write_bands(FILE *to, const struct timeline *timeline, int width)
{
    for (unsigned i = 0; i < timeline->lanes; i++)
        if (i % 2 == 0)
            fprintf(to, "<rect class=\"band\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                    timeline->lane[i].y - TIMELINE_LANE / 2, width, TIMELINE_LANE);
}

/* -- names ------------------------------------------------------------------------------- */

static void write_pages_name(FILE *to, const struct timeline *timeline, const struct timeline_lane *lane)
{
    const struct recording_thing *adl = &timeline->recording->thing[lane->thing];

    fprintf(to,
            "<text x=\"10\" y=\"%d\">0x%" PRIx64 "<title>%" PRIu64 " %s, the first 0x%" PRIx64
            "</title></text>\n",
            lane->y + 4, adl->first_page, adl->view.pages,
            adl->view.pages == 1    ? "logical page"
            : adl->view.consecutive ? "logical pages in a row"
                                    : "logical pages",
            adl->first_page);
}

static void write_names(FILE *to, const struct timeline *timeline)
{
    char name[32];

    fprintf(
        to,
        "<svg class=\"names\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"Names of the lanes\">\n",
        TIMELINE_NAMES, timeline->height);
    write_bands(to, timeline, TIMELINE_NAMES);
    fputs("<text class=\"head\" x=\"10\" y=\"17\">line</text>\n", to);
    for (unsigned i = 0; i < timeline->lanes; i++) {
        const struct timeline_lane *lane = &timeline->lane[i];
        enum program_kind kind = timeline->recording->thing[lane->thing].view.kind;
        bool own = timeline->recording->thing[lane->thing].view.owner >= 0;
        static const int indent[PROGRAM_KINDS] = {0, 0, 12, 24, 12, 0};
        if (lane->pages) {
            write_pages_name(to, timeline, lane);
            continue;
        }
        recording_name(timeline->recording, (unsigned)lane->thing, name, sizeof name);
        fprintf(to, "<text class=\"lane k%d\" x=\"%d\" y=\"%d\">%s<title>%s</title></text>\n", kind,
                10 + (own ? indent[kind] : 0), lane->y + 4, name, program_kind_words[kind]);
    }
    if (timeline->pages_y)
        fprintf(to, "<text class=\"head\" x=\"10\" y=\"%d\">devices reach</text>\n", timeline->pages_y + 4);
    fputs("</svg>\n", to);
}

/* -- the chart ------------------------------------------------------------------------------ */

static void write_title(FILE *to, const struct timeline *timeline, unsigned line)
{
    const struct recording *recording = timeline->recording;
    char text[2048];

    if (line < recording->program->lines)
        fprintf(to, "%u  ", timeline->source[line]);
    trace_print(recording->program, &recording->line[line].event, text, sizeof text);
    html_text(to, text);
}

static void write_columns(FILE *to, const struct timeline *timeline, const char *id)
{
    for (unsigned line = 0; line < timeline->recording->lines; line++) {
        bool end = line >= timeline->recording->program->lines;
        fprintf(to, "<a href=\"#%s-%u\" aria-label=\"", id, line);
        write_title(to, timeline, line);
        fprintf(to, "\"><title>");
        write_title(to, timeline, line);
        fprintf(to, "</title><rect class=\"column\" x=\"%d\" y=\"0\" width=\"%d\" height=\"%d\"/>",
                timeline_x(timeline, line) - timeline->step / 2, timeline->step, timeline->height);
        fprintf(to, "<text class=\"head\" text-anchor=\"middle\" x=\"%d\" y=\"17\">",
                timeline_x(timeline, line));
        if (end)
            fputs("end", to);
        else
            fprintf(to, "%u", timeline->source[line]);
        fputs("</text></a>\n", to);
    }
}

static void write_life(FILE *to, const struct timeline *timeline, unsigned thing, int y, bool after)
{
    const struct recording_thing *it = &timeline->recording->thing[thing];
    unsigned ended = it->ended == RECORDING_ALIVE ? timeline->recording->lines - 1 : it->ended;
    int from = timeline_x(timeline, it->view.line), to_x = timeline_x(timeline, ended);
    char name[32];

    recording_name(timeline->recording, thing, name, sizeof name);
    fprintf(to, "<g class=\"k%d\"><title>%s: %s</title>", it->view.kind, name,
            program_kind_words[it->view.kind]);
    if (after && to_x < timeline->width)
        fprintf(to, "<path class=\"after\" d=\"M%d %dH%d\"/>", to_x, y, timeline->width);
    fprintf(to, "<rect class=\"life\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"12\" rx=\"3\"/>", from, y - 6,
            to_x > from ? to_x - from : 2);
    if (it->ended != RECORDING_ALIVE && it->ended < timeline->recording->program->lines)
        fprintf(to, "<path class=\"end\" d=\"M%d %dv16\"/>", to_x, y - 8);
    fputs("</g>\n", to);
}

static void write_lives(FILE *to, const struct timeline *timeline)
{
    const struct recording *recording = timeline->recording;

    for (unsigned i = 0; i < timeline->first_pages; i++)
        write_life(to, timeline, (unsigned)timeline->lane[i].thing, timeline->lane[i].y, true);
    for (unsigned i = timeline->first_pages; i < timeline->lanes; i++)
        for (unsigned k = 0; k < recording->things; k++)
            if (timeline_same_pages(recording, timeline->lane[i].thing, (int)k))
                write_life(to, timeline, k, timeline->lane[i].y, false);
}

static void write_tick(FILE *to, const struct timeline_tick *tick)
{
    if (tick->fault)
        fprintf(to, "<path class=\"tick-mark fault\" d=\"M%d %dl8 8m0 -8l-8 8\"/>\n", tick->x - 4,
                tick->y - 4);
    else if (tick->offender)
        fprintf(to, "<path class=\"tick-mark mark %s\" d=\"M%d %dl7 7l-7 7l-7 -7z\"/>\n", moods[tick->mood],
                tick->x, tick->y - 7);
    else
        fprintf(to, "<circle class=\"tick-mark tick %s\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n", moods[tick->mood],
                tick->x, tick->y);
}

static void write_arrow(FILE *to, const struct timeline_arrow *arrow)
{
    int rise = arrow->from_y == arrow->to_y ? 16 : 0;
    int middle = (arrow->from_x + arrow->to_x) / 2;

    fprintf(to, "<path class=\"because %s\" d=\"M%d %dC%d %d %d %d %d %d\"/>", moods[arrow->mood],
            arrow->from_x - 6, arrow->from_y - (rise ? 4 : 0), middle, arrow->from_y - rise, middle,
            arrow->to_y - rise, arrow->to_x + 9, arrow->to_y - (rise ? 5 : 0));
    fprintf(to, "<path class=\"head-of %s\" d=\"M%d %dl8 -4v8z\"/>\n", moods[arrow->mood], arrow->to_x + 5,
            arrow->to_y - (rise ? 4 : 0));
}

void timeline_write_chart(FILE *to, const struct timeline *timeline, const char *id)
{
    fputs("<div class=\"chart\">\n", to);
    write_names(to, timeline);
    fputs("<div class=\"time\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline, scrolls sideways\">\n",
          to);
    fprintf(to, "<svg class=\"lanes\" width=\"%d\" height=\"%d\">\n", timeline->width, timeline->height);
    write_bands(to, timeline, timeline->width);
    write_lives(to, timeline);
    for (unsigned i = 0; i < timeline->arrows; i++)
        write_arrow(to, &timeline->arrow[i]);
    for (unsigned i = 0; i < timeline->ticks; i++)
        write_tick(to, &timeline->tick[i]);
    write_columns(to, timeline, id);
    fputs("</svg>\n</div>\n</div>\n", to);
    fputs("<ul class=\"key\">\n"
          "<li><svg width=\"14\" height=\"14\"><circle class=\"tick\" cx=\"7\" cy=\"7\" r=\"4\"/></svg>a "
          "call</li>\n"
          "<li><svg width=\"14\" height=\"14\"><circle class=\"tick refused\" cx=\"7\" cy=\"7\" "
          "r=\"4\"/></svg>it failed</li>\n"
          "<li><svg width=\"14\" height=\"14\"><path class=\"mark refused\" d=\"M7 0l7 7l-7 7l-7 "
          "-7z\"/></svg>a mistake; "
          "its arrow leads to the call that made it one</li>\n"
          "<li><svg width=\"14\" height=\"14\"><path class=\"mark\" d=\"M7 0l7 7l-7 7l-7 -7z\"/></svg>a "
          "finding</li>\n"
          "<li><svg width=\"14\" height=\"14\"><path class=\"fault\" d=\"M3 3l8 8m0 -8l-8 8\"/></svg>an "
          "access that "
          "faulted</li>\n"
          "<li><svg width=\"14\" height=\"14\" class=\"k1\"><g class=\"k1\"><path class=\"end\" d=\"M7 "
          "1v12\"/></g></svg>"
          "the end of a life</li>\n</ul>\n",
          to);
}

/* -- the program ------------------------------------------------------------------------------- */

static bool faulted(const struct recording *recording, unsigned line)
{
    const struct runner_event *event = &recording->line[line].event;

    return program_operations[event->opcode].role == PROGRAM_ROLE_ACCESS && event->values > 0 &&
           event->value[0] != 0;
}

void timeline_write_program(FILE *to, const struct timeline *timeline, const char *id)
{
    const struct recording *recording = timeline->recording;
    char text[2048];

    fputs("<ol class=\"program\">\n", to);
    for (unsigned line = 0; line < recording->lines; line++) {
        enum timeline_mood mood = timeline_mood(recording, line);
        bool end = line >= recording->program->lines;
        fprintf(to, "<li id=\"%s-%u\"%s><span class=\"n mono\">", id, line,
                mood == TIMELINE_BAD ? " class=\"found\"" : "");
        if (end)
            fputs("end", to);
        else
            fprintf(to, "%u", timeline->source[line]);
        fputs("</span><span class=\"mono\">", to);
        if (end)
            snprintf(text, sizeof text, "the final stop");
        else
            program_print_line(&recording->program->line[line], text, sizeof text);
        html_text(to, text);
        fprintf(to, "</span><span class=\"mono %s\">", faulted(recording, line) ? "fault" : moods[mood]);
        if (recording_cut(recording) && line + 1 == recording->lines)
            html_text(to, finding_what(&recording->finding, text, sizeof text));
        else
            html_text(to,
                      recording_outcome(recording->program, &recording->line[line].event, text, sizeof text));
        fputs("</span></li>\n", to);
    }
    fputs("</ol>\n", to);
}

static void write_summary(FILE *to, const struct recording *recording)
{
    const struct finding *finding = &recording->finding;
    char what[FINDING_TEXT];
    unsigned mistakes = 0;

    for (unsigned line = 0; line < recording->lines; line++)
        mistakes += recording->line[line].event.reports != 0 && recording->line[line].event.opcode != OP_STOP;
    fprintf(to, "<p class=\"soft\">world %s, %u operations, ", program_world_names[recording->program->world],
            recording->program->lines);
    if (!recording_cut(recording))
        fprintf(to, "%u of %u callbacks succeeded, ", recording->result.successes,
                recording->result.callbacks);
    fprintf(to, "%u with a violation</p>\n", mistakes);
    if (finding->kind == FINDING_NONE) {
        fputs("<p class=\"good\">Clean: every answer and every invariant is as it must be.</p>\n", to);
        return;
    }
    fputs("<div class=\"finding\" role=\"note\"><p><strong>", to);
    html_text(to, finding_what(finding, what, sizeof what));
    fputs(": ", to);
    html_text(to, finding_meaning(finding));
    fputs("</strong></p><p class=\"mono\">", to);
    html_text(to, finding->message);
    fputs("</p></div>\n", to);
}

void timeline_page(FILE *to, const struct recording *recording, const char *title, const unsigned *source)
{
    struct timeline *timeline = timeline_make(recording, source);

    html_begin(to, title, title);
    write_summary(to, recording);
    fputs("<h2>Timeline</h2>\n", to);
    timeline_write_chart(to, timeline, "line");
    fputs("<h2>Line by line</h2>\n", to);
    timeline_write_program(to, timeline, "line");
    html_end(to);
    free(timeline);
}
