/* SPDX-License-Identifier: MIT */
/*
 * The page of a triage: the ranked table, then each finding with its timeline and program. The programs'
 * C forms, to which it links, are written here as well: both come from one recorded run.
 */
#include "tool/csource.h"
#include "tool/html.h"
#include "tool/minimize.h"
#include "tool/timeline.h"
#include "tool/tool.h"
#include "tool/triage.h"

#include <stdlib.h>
#include <string.h>

/* -- text and C of one finding ------------------------------------------------------------- */

struct shown {
    const struct triage_group *group;
    struct input input; /* the small program as it stands in its file */
    struct recording *recording;
};

static int show(struct shown *shown, const char *out)
{
    char *path = tool_format("%s/%s.txt", out, shown->group->slug);
    int status = input_read(&shown->input, path, false);

    free(path);
    return status ? status : recording_make(&shown->recording, &shown->input.program);
}

static void write_c(FILE *to, const void *context)
{
    const struct shown *shown = context;
    char *title = tool_format("%s.txt", shown->group->slug);

    csource_write(to, shown->recording, &(struct csource){.title = title, .line = shown->input.line});
    free(title);
}

static int write_form(const struct shown *shown, const char *out)
{
    char *path = tool_format("%s/%s.c", out, shown->group->slug);
    int status = tool_write_page(path, write_c, shown);

    free(path);
    return status;
}

/* -- the table ------------------------------------------------------------------------------- */

static const char *sentence(const struct finding *finding)
{
    return finding->message[0] ? finding->message : finding_meaning(finding);
}

static void write_row(FILE *to, const struct triage_group *group, size_t rank)
{
    char text[FINDING_TEXT];

    fprintf(to,
            "<tr><td class=\"number\">%zu</td><td><span class=\"severity s%d\">%s</span></td>"
            "<td><a href=\"#finding-%zu\">",
            rank, finding_severity(&group->finding), finding_severity_name(finding_severity(&group->finding)),
            rank);
    html_text(to, finding_what(&group->finding, text, sizeof text));
    fputs("</a> <span class=\"soft mono\">", to);
    html_text(to, sentence(&group->finding));
    fputs("</span></td><td class=\"mono\">", to);
    html_text(to, finding_where(&group->finding, text, sizeof text));
    fprintf(to, "</td><td class=\"number\">%u</td><td class=\"number\">%u%s</td></tr>\n", group->count,
            group->program.lines, group->minimal ? "" : " or fewer");
}

static void write_table(FILE *to, const struct triage *triage)
{
    fprintf(to,
            "<p class=\"soft\">%zu inputs, %zu findings; of the inputs %u are fixed, %u flaky, %u "
            "unreadable, %u not run.</p>\n",
            triage->inputs, triage->groups, triage_count(triage, TRIAGE_FIXED),
            triage_count(triage, TRIAGE_FLAKY), triage_count(triage, TRIAGE_BAD),
            triage_count(triage, TRIAGE_UNLIKE));
    if (!triage->groups) {
        fputs("<p class=\"good\">Nothing is found.</p>\n", to);
        return;
    }
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Findings, scrolls sideways\">"
          "<table class=\"list\">\n<thead><tr><th scope=\"col\"></th><th scope=\"col\">severity</th>"
          "<th scope=\"col\">finding</th><th scope=\"col\">operation</th><th scope=\"col\">inputs</th>"
          "<th scope=\"col\">operations</th></tr></thead>\n<tbody>\n",
          to);
    for (size_t i = 0; i < triage->groups; i++)
        write_row(to, &triage->group[i], i + 1);
    fputs("</tbody>\n</table></div>\n", to);
}

/* -- a finding --------------------------------------------------------------------------------- */

/* The innermost one of a crash, as far as it is known. */
static void write_frame(FILE *to, const struct finding_frame *frame)
{
    if (!frame->function[0]) /* its place is in the message */
        return;
    fputs("<p class=\"mono\">", to);
    html_text(to, frame->function);
    if (frame->file[0]) {
        fputs(", ", to);
        html_text(to, frame->file);
        fprintf(to, ":%u", frame->line);
    }
    fputs("</p>\n", to);
}

static void write_head(FILE *to, const struct triage_group *group, size_t rank)
{
    const struct finding *finding = &group->finding;
    char text[FINDING_TEXT];

    fprintf(to, "<section class=\"one\" id=\"finding-%zu\">\n<h2>%zu. ", rank, rank);
    html_text(to, finding_what(finding, text, sizeof text));
    fputs(": ", to);
    html_text(to, finding_meaning(finding));
    fprintf(to, "</h2>\n<p class=\"soft\">Severity: %s, %s. Inputs: %u.</p>\n",
            finding_severity_name(finding_severity(finding)),
            finding_severity_sentence(finding_severity(finding)), group->count);
    fputs("<div class=\"finding\" role=\"note\"><p class=\"mono\">", to);
    html_text(to, sentence(finding));
    fputs("</p>\n", to);
    write_frame(to, &finding->frame[0]);
    fputs("</div>\n", to);
}

static void write_variants(FILE *to, const struct triage_group *group)
{
    char text[FINDING_TEXT];

    if (group->variants < 2)
        return;
    fputs("<p class=\"soft\">Seen as:</p>\n<ul class=\"variants\">\n", to);
    for (unsigned i = 0; i < group->variants; i++) {
        const struct finding *variant = group->variant[i].finding;
        fputs("<li><span class=\"mono\">", to);
        html_text(to, finding_where(variant, text, sizeof text));
        fputs("</span>: ", to);
        html_text(to, finding_what(variant, text, sizeof text));
        fprintf(to, ", %u input%s</li>\n", group->variant[i].count, group->variant[i].count == 1 ? "" : "s");
    }
    fputs("</ul>\n", to);
}

static void write_text(FILE *to, const struct triage_group *group)
{
    char *text = minimize_text(&group->program, &group->finding);

    fputs("<h3>The program</h3>\n<pre>", to);
    html_text(to, text);
    fprintf(to,
            "</pre>\n<p>As a file: <a href=\"%s.txt\">%s.txt</a> (<code>./dev run</code> replays it). "
            "As C: <a href=\"%s.c\">%s.c</a> "
            "(<code>cc %s.c $(pkg-config --cflags --libs dxgkmem-sim)</code>).</p>\n</section>\n",
            group->slug, group->slug, group->slug, group->slug, group->slug);
    free(text);
}

static void write_finding(FILE *to, const struct shown *shown, size_t rank)
{
    struct timeline *timeline = timeline_make(shown->recording, shown->input.line);
    char *id = tool_format("f%zu", rank);

    write_head(to, shown->group, rank);
    timeline_write_chart(to, timeline, id);
    fputs("<h3>Line by line</h3>\n", to);
    timeline_write_program(to, timeline, id);
    write_variants(to, shown->group);
    write_text(to, shown->group);
    free(id);
    free(timeline);
}

/* -- the page ---------------------------------------------------------------------------------- */

struct page {
    const struct triage *triage;
    const struct shown *shown; /* one a group */
};

static void write_page(FILE *to, const void *context)
{
    const struct page *page = context;

    html_begin(to, "Findings", "Findings");
    write_table(to, page->triage);
    for (size_t i = 0; i < page->triage->groups; i++)
        write_finding(to, &page->shown[i], i + 1);
    html_end(to);
}

int triage_write_page(const struct triage *triage)
{
    struct shown *shown = tool_alloc(triage->groups * sizeof *shown);
    struct page page = {triage, shown};
    char *path = tool_format("%s/report.html", triage->out);
    int status = 0;

    for (size_t i = 0; i < triage->groups && !status; i++) {
        shown[i].group = &triage->group[i];
        status = show(&shown[i], triage->out);
        if (!status)
            status = write_form(&shown[i], triage->out);
    }
    if (!status)
        status = tool_write_page(path, write_page, &page);
    free(shown);
    free(path);
    return status;
}
