/* SPDX-License-Identifier: MIT */
/*
 * What a program's C form looks at when its finding is no call's answer: which pages devices reach, the
 * machine's complaints, the IOTLB, the counts of what lives.
 */
#include "tool/csource_internal.h"
#include "tool/provider.h"

#include <inttypes.h>
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

/* Whether another ADL that lives after the line may name the same page: identity domains share pages. */
static bool covered(const struct recording *recording, unsigned adl, unsigned at)
{
    for (unsigned i = 0; i < recording->things; i++) {
        const struct recording_thing *other = &recording->thing[i];
        if (i != adl && other->view.kind == PROGRAM_ADL && other->view.line <= at && other->ended > at &&
            other->view.chain == recording->thing[adl].view.chain)
            return true;
    }
    return false;
}

void csource_look_at_adl(struct csource_writer *writer, unsigned adl)
{
    const struct recording *recording = writer->recording;
    const struct recording_thing *thing = &recording->thing[adl];
    bool alive = thing->ended > writer->at;
    char name[64];

    if ((!alive && covered(recording, adl, writer->at)) || !CAN_ASK(dma_read))
        return;
    csource_variable(writer, (int)adl, name);
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
                    k ? thing->view.pages - 1 : 0, alive && adapter->ended > writer->at);
    }
    writer->needs |= NEEDS_LOGICAL | NEEDS_LOOKS | NEEDS_WORD;
}

static unsigned alive(const struct csource_writer *writer, enum program_kind kind)
{
    unsigned count = 0;

    for (unsigned i = 0; i < writer->recording->things; i++) {
        const struct recording_thing *thing = &writer->recording->thing[i];
        count += thing->view.kind == kind && thing->view.line <= writer->at && thing->ended > writer->at &&
                 !(kind == PROGRAM_ADL && thing->view.owner < 0);
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

/* What a device reaches pages through. */
static bool is_reach(const struct recording_thing *thing)
{
    return thing->view.kind == PROGRAM_ADL || thing->view.kind == PROGRAM_MEMORY;
}

/* How many pages the devices of a chain must reach; false: ADLs overlap, or pages are not known to differ. */
static bool reached_pages(const struct csource_writer *writer, unsigned chain, uint64_t *pages)
{
    const struct recording *recording = writer->recording;

    *pages = 0;
    for (unsigned i = 0; i < recording->things; i++) {
        const struct recording_thing *one = &recording->thing[i];
        if (!is_reach(one) || one->view.chain != chain || one->ended <= writer->at)
            continue;
        for (unsigned k = 0; k < i; k++) {
            const struct recording_thing *other = &recording->thing[k];
            if (is_reach(other) && other->view.chain == chain && other->ended > writer->at &&
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

void csource_look_at_everything(struct csource_writer *writer)
{
    FILE *to = writer->body;
    bool cut = recording_cut(writer->recording), counts = !cut && !made_unseen(writer);

    for (unsigned i = 0; i < writer->recording->things; i++)
        if (!cut && writer->recording->thing[i].view.kind == PROGRAM_ADL)
            csource_look_at_adl(writer, i);
    if (counts && CAN_ASK(device_pages))
        look_at_reach(writer);
    fputs("    {\n", to);
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
