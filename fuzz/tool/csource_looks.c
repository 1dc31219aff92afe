/* SPDX-License-Identifier: MIT */
/*
 * What a program's C form looks at when its finding is no call's answer: which pages devices reach, the
 * machine's complaints, the IOTLB, the counts of what lives.
 */
#include "tool/csource_block.h"
#include "tool/provider.h"

#include "program/operands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Whether the implementation has an answer to this look. */
#define CAN_ASK(member) (tool_provider() == NULL || tool_provider()->member != NULL)

bool csource_looks(const struct csource_writer *writer)
{
    const struct recording *recording = writer->recording;
    char is[2048], must[2048];

    if (recording->finding.kind == FINDING_NONE || writer->how->driver || recording->lines == 0)
        return false;
    if (recording_cut(recording)) /* it may be what looks that fails */
        return recording->line[recording->lines - 1].event.opcode != OP_STOP;
    recording_outcome(recording->program, &recording->line[recording->lines - 1].event, is, sizeof is);
    recording_outcome(recording->program, &recording->wanted, must, sizeof must);
    return strcmp(is, must) == 0;
}

/* Whether another one that lives after the line may name the same page: identity domains share pages. */
static bool covered(const struct recording *recording, unsigned adl, unsigned at)
{
    for (unsigned i = 0; i < recording->things; i++) {
        const struct recording_thing *other = &recording->thing[i];
        if (i != adl && csource_is_reach(&other->view) && other->view.line <= at && other->ended > at &&
            other->view.chain == recording->thing[adl].view.chain)
            return true;
    }
    return false;
}

/* Whether the device is in the chain: it may have been removed and added again. */
static bool in_chain(const struct csource_writer *writer, unsigned chain, unsigned device)
{
    for (unsigned i = 0; i < writer->recording->things; i++) {
        const struct recording_thing *thing = &writer->recording->thing[i];
        if (thing->view.kind == PROGRAM_ADAPTER && thing->view.chain == chain &&
            thing->view.device == device && thing->view.line <= writer->at && thing->ended > writer->at)
            return true;
    }
    return false;
}

static void look_at_reached(struct csource_writer *writer, unsigned number)
{
    const struct recording *recording = writer->recording;
    const struct recording_thing *thing = &recording->thing[number];
    bool alive = thing->ended > writer->at;
    char name[64];

    if ((!alive && covered(recording, number, writer->at)) || !CAN_ASK(dma_read))
        return;
    csource_variable(writer, (int)number, name);
    for (unsigned i = 0; i < recording->things; i++) {
        const struct recording_thing *adapter = &recording->thing[i];
        if (adapter->view.kind != PROGRAM_ADAPTER || adapter->view.chain != thing->view.chain ||
            adapter->view.line > writer->at)
            continue;
        for (unsigned k = 0; k < 2 && k < thing->view.pages; k++)
            fprintf(writer->body,
                    "    look(\"device %u reaches page %" PRIu64 " of %s\",\n"
                    "         dxgkmem_sim_dma_read(sim, %u, logical(&%s_told, %" PRIu64
                    ", 0), &word, sizeof word), "
                    "%d);\n",
                    adapter->view.device, k ? thing->view.pages - 1 : 0, name, adapter->view.device, name,
                    k ? thing->view.pages - 1 : 0,
                    alive && in_chain(writer, thing->view.chain, adapter->view.device));
    }
    writer->needs |= NEEDS_LOGICAL | NEEDS_LOOKS | NEEDS_WORD;
}

void csource_look_at_made(struct csource_writer *writer)
{
    for (unsigned i = 0; i < writer->recording->things; i++)
        if (csource_is_reach(&writer->recording->thing[i].view) &&
            writer->recording->thing[i].view.line == writer->at)
            look_at_reached(writer, i);
}

static unsigned alive(const struct csource_writer *writer, enum program_kind kind)
{
    unsigned count = 0;

    for (unsigned i = 0; i < writer->recording->things; i++) {
        const struct recording_thing *thing = &writer->recording->thing[i];
        count += thing->view.kind == kind && thing->view.line <= writer->at && thing->ended > writer->at &&
                 !thing->view.pin;
    }
    return count;
}

/* Whether the last call made something that the run did not take down, because its outputs are wrong. */
static bool made_unseen(const struct csource_writer *writer)
{
    const struct runner_event *event = &writer->recording->line[writer->at].event;

    return event->has_status && NT_SUCCESS(event->status) && event->opcode < PROGRAM_OPCODES &&
           program_operations[event->opcode].operand[0].type == PROGRAM_OPERAND_BIND &&
           program_operations[event->opcode].operands > 0 &&
           csource_made(writer, program_operations[event->opcode].operand[0].kind) < 0;
}

/* How many pages the devices of a chain must reach; false: ADLs overlap, or pages are not known to differ. */
static bool reached_pages(const struct csource_writer *writer, unsigned chain, uint64_t *pages)
{
    const struct recording *recording = writer->recording;

    *pages = 0;
    for (unsigned i = 0; i < recording->things; i++) {
        const struct recording_thing *one = &recording->thing[i];
        if (!csource_is_reach(&one->view) || one->view.chain != chain || one->ended <= writer->at)
            continue;
        for (unsigned k = 0; k < i; k++) {
            const struct recording_thing *other = &recording->thing[k];
            if (csource_is_reach(&other->view) && other->view.chain == chain && other->ended > writer->at &&
                (!one->view.consecutive || !other->view.consecutive ||
                 (one->first_page < other->first_page + other->view.pages &&
                  other->first_page < one->first_page + one->view.pages)))
                return false;
        }
        *pages += one->view.pages;
    }
    return true;
}

static void look_at_reach(struct csource_writer *writer)
{
    const struct recording *recording = writer->recording;
    uint64_t pages;

    for (unsigned i = 0; i < recording->things; i++) {
        const struct recording_thing *adapter = &recording->thing[i];
        if (adapter->view.kind == PROGRAM_ADAPTER && adapter->ended > writer->at &&
            reached_pages(writer, adapter->view.chain, &pages))
            fprintf(writer->body,
                    "    look(\"pages that device %u reaches\", dxgkmem_sim_device_pages(sim, %u), %" PRIu64
                    ");\n",
                    adapter->view.device, adapter->view.device, pages);
    }
}

/* -- the last call: what it leaves when it comes to nothing ------------------------------------------- */

/* After a stop in the middle nothing is promised to calls. */
static bool at_last_call(const struct csource_writer *writer)
{
    const struct recording *recording = writer->recording;

    for (unsigned at = 0; at + 1 < recording->lines; at++)
        if (recording->line[at].event.opcode == OP_STOP)
            return false;
    return writer->looks && writer->at + 1 == recording->lines && !recording_cut(recording);
}

static bool comes_to_nothing(const struct csource_writer *writer)
{
    const struct runner_event *wanted = &writer->recording->wanted;

    return wanted->has_status
               ? !NT_SUCCESS(wanted->status)
               : wanted->reports > 0 && dxgkmem_violation_status(wanted->report[0].code) != STATUS_SUCCESS;
}

/* The output fields of a call, each with a blank behind it. */
static const char *outputs(uint8_t opcode)
{
    switch (opcode) {
    case OP_CREATE:
        return "hPhysicalMemoryObject hAdapterMemoryObject ";
    case OP_OPEN:
        return "hAdapterMemoryObject ";
    case OP_MAP:
        return "pMappedAddress ";
    case OP_ADL:
    case OP_PIN:
        return "pAdl ";
    case OP_CONTIGUOUS:
        return "hMemoryHandle pMemory ";
    case OP_PAGES:
        return "hMemoryHandle pMdl ";
    case OP_MAP_MDL:
        return "hMemoryHandle ";
    case OP_PIN_MDL:
        return "pMdl ";
    case OP_MAP_FB:
        return "pBaseAddress ";
    default:
        return "";
    }
}

/* Before the call they are anything, after one that came to nothing they are zero. */
static void write_outputs(struct csource_writer *writer, bool after)
{
    const struct dxgkmem_profile *profile = tool_provider() ? tool_provider()->profile : NULL;
    const char *name = outputs(writer->line->opcode), *end;

    if (writer->spoiled >= 0 || (profile && profile->outputs != DXGKMEM_OUTPUTS_ZERO))
        return;
    for (; *name; name = end + 1) {
        int length = (int)((end = strchr(name, ' ')) - name);
        if (after)
            fprintf(writer->body,
                    "        look(\"%.*s of a call that came to nothing\", (uintptr_t)args.%.*s, 0);\n",
                    length, name, length, name);
        else
            fprintf(writer->body, "        args.%.*s = (void *)&args;\n", length, name);
    }
    writer->needs |= NEEDS_LOOKS;
}

void csource_look_before(struct csource_writer *writer)
{
    if (!at_last_call(writer) || !comes_to_nothing(writer))
        return;
    write_outputs(writer, false);
    if (CAN_ASK(audit) && CAN_ASK(digest))
        fputs("        uint64_t before = digest();\n", writer->body);
}

/* -- places: which page of which object a mapping or an ADL shows ------------------------------------- */

/* Of a mapping or an ADL, how it shows pages of an object or of a save area: a thing's number, or that of the adapter. */
struct shown {
    const char *name, *value;
    enum program_kind kind;
    int object;
    uint64_t first, pages; /* pages, from the first on */
    unsigned chain, process;
    int access, cache; /* -1: not known; the latter of a mapping */
};

static uint64_t operand(const struct recording *recording, unsigned at, unsigned which)
{
    return at < recording->program->lines ? recording->program->line[at].operand[which] : 0;
}

static struct shown shown_by(const struct recording *recording, int number)
{
    const struct runner_view *view = &recording->thing[number].view;
    uint8_t opcode = recording->line[view->line].event.opcode;
    struct shown shown = {.kind = view->kind,
                          .object = view->owner,
                          .pages = view->kind == PROGRAM_ADL ? view->pages : view->size >> DXGKMEM_PAGE_SHIFT,
                          .chain = view->chain,
                          .process = view->process,
                          .access = -1,
                          .cache = -1};

    if (view->kind == PROGRAM_MEMORY)
        shown.object = number;
    else if (opcode == OP_ADL)
        shown.object = view->owner >= 0 ? recording->thing[view->owner].view.owner : -1;
    if (opcode == OP_MAP || opcode == OP_MAP_FB || opcode == OP_ADL)
        shown.first =
            operand(recording, view->line, opcode == OP_ADL ? (unsigned)ADL_OFFSET : (unsigned)MAP_OFFSET) >>
            DXGKMEM_PAGE_SHIFT;
    if (recording->thing[number].held) {
        shown.access = (int)recording->thing[number].access;
        shown.cache = (int)recording->thing[number].cache;
    }
    return shown;
}

/* Whether nobody wrote to the object so far, as far as writes stay where they are seen to go. */
static bool untouched(const struct csource_writer *writer, int object)
{
    const struct recording *recording = writer->recording;
    const struct runner_view *view = &recording->thing[object].view;

    if (view->kind == PROGRAM_OBJECT && operand(recording, view->line, CREATE_TYPE) == PROGRAM_TYPE_IO)
        return false;
    for (unsigned at = view->line + 1; at < writer->at; at++) {
        const struct runner_event *event = &recording->line[at].event;
        bool cpu = event->opcode == OP_CPU_WRITE;
        int thing = recording->line[at].passed[cpu ? (unsigned)CPU_MAPPING : (unsigned)DMA_ADL].thing;

        if ((!cpu && event->opcode != OP_DMA_WRITE && event->opcode != OP_MEMORY_WRITE) || event->skipped ||
            event->value[0] != 0)
            continue;
        if (thing < 0)
            return false;
        struct shown shown = shown_by(recording, thing);
        uint64_t page =
            cpu ? operand(recording, at, CPU_OFFSET) >> DXGKMEM_PAGE_SHIFT : operand(recording, at, DMA_PAGE);
        if (shown.object < 0 || shown.object == object || page >= shown.pages)
            return false;
    }
    return true;
}

/* The line that looks at all of its pages. */
static void write_shown(struct csource_writer *writer, const struct shown *shown)
{
    const struct recording *recording = writer->recording;

    if (shown->object < 0)
        return;
    if (shown->kind == PROGRAM_MAPPING && CAN_ASK(cpu_page)) {
        fprintf(writer->body,
                "        see_mapping(\"%s\", %d, %" PRIu64 ", %" PRIu64 ", %u, %s, %d, %d, %d);\n",
                shown->name, shown->object, shown->first, shown->pages, shown->process ? shown->process : 1,
                shown->value, untouched(writer, shown->object), shown->access, shown->cache);
        writer->needs |= NEEDS_LOOKS | NEEDS_PLACES | NEEDS_SEE_MAPPING;
    }
    for (unsigned i = 0; i < recording->things && shown->kind == PROGRAM_ADL; i++) {
        const struct recording_thing *adapter = &recording->thing[i];
        if (adapter->view.kind != PROGRAM_ADAPTER || adapter->view.chain != shown->chain ||
            adapter->ended <= writer->at || !CAN_ASK(device_page) || !CAN_ASK(dma_read))
            continue;
        fprintf(writer->body, "        see_adl(\"%s\", %d, %" PRIu64 ", %" PRIu64 ", %u, %s, %d, %d);\n",
                shown->name, shown->object, shown->first, shown->pages, adapter->view.device, shown->value,
                untouched(writer, shown->object), shown->access);
        writer->needs |= NEEDS_LOOKS | NEEDS_TOLD | NEEDS_LOGICAL | NEEDS_PLACES | NEEDS_SEE_ADL;
    }
}

/* What the run did not take down, because its outputs are wrong. */
static void look_at_unseen(struct csource_writer *writer)
{
    const struct recording *recording = writer->recording;
    unsigned process = 1;

    if (writer->line->opcode == OP_MAP && csource_passed(writer, MAP_OBJECT)->thing >= 0) {
        uint64_t offset = csource_number(writer, MAP_OFFSET);
        for (unsigned at = 0; at < writer->at; at++)
            if (recording->line[at].event.opcode == OP_PROCESS)
                process = (unsigned)((operand(recording, at, CONDITION_VALUE) + DXGKMEM_SIM_PROCESSES - 1) %
                                     DXGKMEM_SIM_PROCESSES) +
                          1;
        write_shown(writer, &(struct shown){.name = "the new mapping",
                                            .value = "args.pMappedAddress",
                                            .kind = PROGRAM_MAPPING,
                                            .object = csource_passed(writer, MAP_OBJECT)->thing,
                                            .first = offset >> DXGKMEM_PAGE_SHIFT,
                                            .pages = ((offset & DXGKMEM_PAGE_MASK) +
                                                      csource_number(writer, MAP_SIZE) + DXGKMEM_PAGE_MASK) >>
                                                     DXGKMEM_PAGE_SHIFT,
                                            .process = process,
                                            .access = -1,
                                            .cache = -1});
    }
    if (writer->line->opcode == OP_ADL && csource_passed(writer, ADL_ADAPTER_OBJECT)->thing >= 0) {
        const struct runner_view *owner =
            &recording->thing[csource_passed(writer, ADL_ADAPTER_OBJECT)->thing].view;
        fputs("        struct told told = remember(args.pAdl);\n\n", writer->body);
        write_shown(writer, &(struct shown){.name = "the new ADL",
                                            .value = "&told",
                                            .kind = PROGRAM_ADL,
                                            .object = owner->owner,
                                            .first = csource_number(writer, ADL_OFFSET) >> DXGKMEM_PAGE_SHIFT,
                                            .pages = csource_number(writer, ADL_SIZE) >> DXGKMEM_PAGE_SHIFT,
                                            .chain = owner->chain,
                                            .access = -1});
        writer->needs |= NEEDS_TOLD;
    }
}

void csource_look_after(struct csource_writer *writer)
{
    if (!at_last_call(writer))
        return;
    if (comes_to_nothing(writer)) {
        if (CAN_ASK(audit) && CAN_ASK(digest)) {
            fputs("        look(\"a call that came to nothing changed something\", digest() != before, 0);\n",
                  writer->body);
            writer->needs |= NEEDS_LOOKS | NEEDS_DIGEST;
        }
        write_outputs(writer, true);
    } else if (made_unseen(writer)) {
        look_at_unseen(writer);
    }
}

static void look_at_places(struct csource_writer *writer)
{
    const struct recording *recording = writer->recording;
    char name[64], value[96];

    for (unsigned i = 0; i < recording->things; i++) {
        struct shown shown = shown_by(recording, (int)i);

        if ((shown.kind != PROGRAM_MAPPING && shown.kind != PROGRAM_ADL) ||
            recording->thing[i].ended <= writer->at)
            continue;
        csource_variable(writer, (int)i, name);
        snprintf(value, sizeof value, shown.kind == PROGRAM_ADL ? "&%s_told" : "%s", name);
        shown.name = name;
        shown.value = value;
        write_shown(writer, &shown);
    }
}

void csource_look_at_everything(struct csource_writer *writer)
{
    FILE *to = writer->body;
    bool cut = recording_cut(writer->recording), counts = !cut && !made_unseen(writer);

    for (unsigned i = 0; i < writer->recording->things; i++)
        if (!cut && csource_is_reach(&writer->recording->thing[i].view))
            look_at_reached(writer, i);
    if (counts && CAN_ASK(device_pages))
        look_at_reach(writer);
    fputs("    {\n", to);
    if (!cut)
        look_at_places(writer);
    if (CAN_ASK(audit))
        fputs("        struct dxgkmem_audit audit;\n\n        dxgkmem_audit(&audit);\n"
              "        look(\"a structure is unsound\", audit.problem != NULL, 0);\n",
              to);
    if (CAN_ASK(complaint))
        fputs("        look(\"the machine complains\", dxgkmem_sim_complaint(sim) != NULL, 0);\n", to);
    if (CAN_ASK(stale_iotlb))
        fputs("        uint64_t domain, page;\n\n        look(\"the IOTLB has a stale entry\", "
              "dxgkmem_sim_stale_iotlb(sim, &domain, &page), 0);\n",
              to);
    if (counts && CAN_ASK(query_statistics))
        fprintf(to,
                "        struct dxgkmem_statistics alive;\n\n        dxgkmem_query_statistics(&alive);\n"
                "        look(\"live objects\", alive.objects, %u);\n"
                "        look(\"live adapter memory objects\", alive.adapter_objects, %u);\n"
                "        look(\"live ADLs\", alive.adls, %u);\n"
                "        look(\"live mappings\", alive.mappings, %u);\n",
                alive(writer, PROGRAM_OBJECT), alive(writer, PROGRAM_ADAPTER_OBJECT),
                alive(writer, PROGRAM_ADL), alive(writer, PROGRAM_MAPPING));
    fputs("    }\n", to);
    writer->needs |= NEEDS_LOOKS;
}
