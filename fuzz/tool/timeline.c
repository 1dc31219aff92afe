/* SPDX-License-Identifier: MIT */
/* Implements the computing half of timeline.h. */
#include "tool/timeline.h"

#include "tool/tool.h"

#include "program/operands.h"

#define WIDTH 1060 /* that a wide window has for it */

int timeline_x(const struct timeline *timeline, unsigned line)
{
    return timeline->step / 2 + (int)line * timeline->step;
}

enum timeline_mood timeline_mood(const struct recording *recording, unsigned line)
{
    const struct runner_event *event = &recording->line[line].event;

    if (recording->finding.kind != FINDING_NONE && line + 1 == recording->lines)
        return TIMELINE_BAD;
    return event->reports || (event->has_status && !NT_SUCCESS(event->status)) ? TIMELINE_REFUSED
                                                                               : TIMELINE_GOOD;
}

/* -- lanes --------------------------------------------------------------------------- */

static void add_lane(struct timeline *timeline, int thing, bool pages)
{
    struct timeline_lane *lane = &timeline->lane[timeline->lanes++];

    lane->thing = thing;
    lane->pages = pages;
    lane->chain = timeline->recording->thing[thing].view.chain;
}

/* The things that belong to one, each followed by its own: three levels at most. */
static void add_owned(struct timeline *timeline, int owner, enum program_kind kind)
{
    const struct recording *recording = timeline->recording;

    for (unsigned i = 0; i < recording->things; i++) {
        const struct runner_view *view = &recording->thing[i].view;
        if (view->owner != owner || view->kind != kind)
            continue;
        add_lane(timeline, (int)i, false);
        for (unsigned k = 0; k < recording->things && kind == PROGRAM_ADAPTER_OBJECT; k++)
            if (recording->thing[k].view.owner == (int)i && recording->thing[k].view.kind == PROGRAM_ADL)
                add_lane(timeline, (int)k, false);
    }
}

static void add_things(struct timeline *timeline)
{
    const struct recording *recording = timeline->recording;

    for (unsigned i = 0; i < recording->things; i++)
        if (recording->thing[i].view.kind == PROGRAM_ADAPTER)
            add_lane(timeline, (int)i, false);
    for (unsigned i = 0; i < recording->things; i++)
        if (recording->thing[i].view.kind == PROGRAM_ADAPTER) { /* what shows its save area */
            add_owned(timeline, (int)i, PROGRAM_ADL);
            add_owned(timeline, (int)i, PROGRAM_MAPPING);
        }
    for (unsigned i = 0; i < recording->things; i++) {
        if (recording->thing[i].view.kind != PROGRAM_OBJECT)
            continue;
        add_lane(timeline, (int)i, false);
        add_owned(timeline, (int)i, PROGRAM_ADAPTER_OBJECT);
        add_owned(timeline, (int)i, PROGRAM_MAPPING);
    }
    for (unsigned i = 0; i < recording->things; i++) {
        if (recording->thing[i].view.kind != PROGRAM_MEMORY)
            continue;
        add_lane(timeline, (int)i, false);
        add_owned(timeline, (int)i, PROGRAM_MAPPING);
    }
}

/* What a device reaches it through. */
static bool is_reach(const struct recording_thing *thing)
{
    return thing->view.kind == PROGRAM_ADL || thing->view.kind == PROGRAM_MEMORY;
}

bool timeline_same_pages(const struct recording *recording, int first, int other)
{
    const struct recording_thing *a = &recording->thing[first], *b = &recording->thing[other];

    return is_reach(b) && a->view.chain == b->view.chain && a->first_page == b->first_page &&
           a->view.pages == b->view.pages && a->view.consecutive == b->view.consecutive;
}

static bool below(const struct recording_thing *one, const struct recording_thing *other)
{
    if (one->view.chain != other->view.chain)
        return one->view.chain < other->view.chain;
    return one->first_page != other->first_page ? one->first_page < other->first_page
                                                : one->view.pages < other->view.pages;
}

static void add_pages(struct timeline *timeline)
{
    const struct recording *recording = timeline->recording;

    timeline->first_pages = timeline->lanes;
    for (unsigned i = 0; i < recording->things; i++) {
        bool there = !is_reach(&recording->thing[i]);
        for (unsigned k = timeline->first_pages; k < timeline->lanes && !there; k++)
            there = timeline_same_pages(recording, timeline->lane[k].thing, (int)i);
        if (there)
            continue;
        add_lane(timeline, (int)i, true);
        for (unsigned k = timeline->lanes - 1; k > timeline->first_pages; k--) {
            struct timeline_lane lane = timeline->lane[k];
            if (!below(&recording->thing[lane.thing], &recording->thing[timeline->lane[k - 1].thing]))
                break;
            timeline->lane[k] = timeline->lane[k - 1];
            timeline->lane[k - 1] = lane;
        }
    }
}

static void place_lanes(struct timeline *timeline)
{
    int y = TIMELINE_HEAD;

    for (unsigned i = 0; i < timeline->lanes; i++) {
        if (i == timeline->first_pages) {
            timeline->pages_y = y + TIMELINE_LANE / 2 + 4;
            y += TIMELINE_LANE + 4;
        }
        timeline->lane[i].y = y + TIMELINE_LANE / 2;
        y += TIMELINE_LANE;
    }
    timeline->height = y + 6;
    timeline->width = (int)timeline->recording->lines * timeline->step;
}

/* -- ticks and arrows ------------------------------------------------------------------- */

static const struct timeline_lane *lane_of(const struct timeline *timeline, int thing)
{
    for (unsigned i = 0; i < timeline->first_pages; i++)
        if (timeline->lane[i].thing == thing)
            return &timeline->lane[i];
    return NULL;
}

static const struct timeline_lane *pages_of(const struct timeline *timeline, int thing)
{
    const struct recording *recording = timeline->recording;

    for (unsigned i = timeline->first_pages; i < timeline->lanes; i++)
        if (timeline_same_pages(recording, timeline->lane[i].thing, thing))
            return &timeline->lane[i];
    return NULL;
}

static void add_tick(struct timeline *timeline, unsigned line, const struct timeline_lane *lane)
{
    const struct runner_event *event = &timeline->recording->line[line].event;
    bool access = program_operations[event->opcode].role == PROGRAM_ROLE_ACCESS;

    if (!lane || timeline->ticks == TIMELINE_TICKS)
        return;
    timeline->tick[timeline->ticks++] = (struct timeline_tick){
        .line = line,
        .x = timeline_x(timeline, line),
        .y = lane->y,
        .mood = timeline_mood(timeline->recording, line),
        .fault = access && event->values > 0 && event->value[0] != 0,
        .offender = event->reports > 0 || timeline_mood(timeline->recording, line) == TIMELINE_BAD,
    };
}

/* Whether the line has a tick on the lane already. */
static bool ticked(const struct timeline *timeline, unsigned line, int y)
{
    for (unsigned i = timeline->ticks; i-- > 0 && timeline->tick[i].line >= line;)
        if (timeline->tick[i].line == line && timeline->tick[i].y == y)
            return true;
    return false;
}

static void add_ticks(struct timeline *timeline, unsigned line)
{
    const struct recording *recording = timeline->recording;
    const struct recording_line *it = &recording->line[line];

    for (unsigned i = 0; i < program_operations[it->event.opcode].operands && !it->event.skipped; i++) {
        const struct timeline_lane *lane =
            it->passed[i].thing >= 0 ? lane_of(timeline, it->passed[i].thing) : NULL;
        if (lane && !ticked(timeline, line, lane->y))
            add_tick(timeline, line, lane);
        if (lane && is_reach(&recording->thing[it->passed[i].thing]) &&
            program_operations[it->event.opcode].role == PROGRAM_ROLE_ACCESS &&
            it->event.opcode != OP_SCRIBBLE && it->event.opcode != OP_SCRIBBLE_MDL)
            add_tick(timeline, line, pages_of(timeline, it->passed[i].thing));
    }
    for (unsigned i = 0; i < recording->things; i++) {
        const struct timeline_lane *lane = lane_of(timeline, (int)i);
        bool touched = recording->thing[i].view.line == line ||
                       (recording->thing[i].ended == line && it->event.opcode != OP_STOP);
        if (touched && lane && !ticked(timeline, line, lane->y))
            add_tick(timeline, line, lane);
    }
    /* A finding of a line that touches nothing, like the final stop, shows all the same. */
    if (timeline_mood(recording, line) == TIMELINE_BAD && timeline->lanes > 0 &&
        (timeline->ticks == 0 || timeline->tick[timeline->ticks - 1].line != line))
        add_tick(timeline, line, &timeline->lane[0]);
}

/* Where an arrow of a line begins or ends: on a lane that both lines touch, else on the line's first. */
static int meeting(const struct timeline *timeline, unsigned line, unsigned other)
{
    const struct recording *recording = timeline->recording;
    unsigned first = line < other ? line : other;
    int y = -1;

    /* best on that of the thing which the earlier one made and the later one touches */
    for (unsigned i = recording->things; i-- > 0;) {
        const struct timeline_lane *lane =
            recording->thing[i].view.line == first ? lane_of(timeline, (int)i) : NULL;
        if (lane && ticked(timeline, line, lane->y) && ticked(timeline, other, lane->y))
            return lane->y;
    }
    for (unsigned i = 0; i < timeline->ticks; i++) {
        const struct timeline_tick *tick = &timeline->tick[i];
        if (tick->line != line)
            continue;
        for (unsigned k = 0; k < timeline->ticks; k++)
            if (timeline->tick[k].line == other && timeline->tick[k].y == tick->y)
                return tick->y;
        if (y < 0)
            y = tick->y;
    }
    return y;
}

static void add_arrows(struct timeline *timeline, unsigned line)
{
    const struct runner_event *event = &timeline->recording->line[line].event;

    for (unsigned i = 0; i < event->reports && timeline->arrows < TIMELINE_ARROWS; i++) {
        unsigned earlier = event->report[i].earlier_line;
        int from, to;
        if (earlier == 0 || earlier - 1 == line || event->opcode == OP_STOP)
            continue;
        from = meeting(timeline, line, earlier - 1);
        to = meeting(timeline, earlier - 1, line);
        if (from >= 0 && to >= 0)
            timeline->arrow[timeline->arrows++] =
                (struct timeline_arrow){.from_x = timeline_x(timeline, line),
                                        .from_y = from,
                                        .to_x = timeline_x(timeline, earlier - 1),
                                        .to_y = to,
                                        .mood = timeline_mood(timeline->recording, line)};
    }
}

struct timeline *timeline_make(const struct recording *recording, const unsigned *source)
{
    struct timeline *timeline = tool_alloc(sizeof *timeline);

    timeline->recording = recording;
    timeline->source = source;
    timeline->step = WIDTH / (int)(recording->lines + 1);
    timeline->step = timeline->step < 30 ? 30 : timeline->step > 54 ? 54 : timeline->step;
    add_things(timeline);
    add_pages(timeline);
    place_lanes(timeline);
    for (unsigned line = 0; line < recording->lines; line++)
        add_ticks(timeline, line);
    for (unsigned line = 0; line < recording->lines; line++)
        add_arrows(timeline, line);
    return timeline;
}
