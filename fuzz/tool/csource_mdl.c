/* SPDX-License-Identifier: MIT */
/* Writes the operations on MDLs of a driver's own, the pin that hands one out, and the mapping of what was pinned, as C. */
#include "tool/csource_block.h"

#include "program/operands.h"
#include "program/world.h"

#include <inttypes.h>

/* The memory whose page an MDL of the line has in place of one of its own, or -1. */
static int memory_of_others(const struct recording *recording, unsigned at)
{
    for (unsigned i = recording->things; i-- > 0;) {
        const struct recording_thing *thing = &recording->thing[i];

        if (thing->view.kind == PROGRAM_MEMORY && thing->view.line < at && thing->ended >= at &&
            recording->line[thing->view.line].event.opcode != OP_MAP_MDL)
            return (int)i;
    }
    return -1;
}

void csource_find_others(struct csource_writer *writer, unsigned at)
{
    const struct program_line *line = &writer->recording->program->line[at];
    int others = memory_of_others(writer->recording, at);

    if (line->opcode != OP_MAP_MDL || writer->how->driver ||
        line->operand[MAP_MDL_MDL] != PROGRAM_MDL_OTHERS || others < 0)
        return;
    writer->uses[others] |= USES_TOLD;
    writer->needs |= NEEDS_LOGICAL;
}

/* What stands in the last page's place, as the address of a number; NULL: nothing else. */
static void write_last(struct csource_writer *writer)
{
    const struct dxgkmem_sim_config *machine = &program_worlds[writer->recording->program->world].machine;
    int others = memory_of_others(writer->recording, writer->at);
    uint64_t highest = 0;
    char name[CSOURCE_NAME];

    for (unsigned i = 0; i < machine->ranges; i++)
        if (!machine->range[i].io)
            highest = machine->range[i].page + machine->range[i].pages;
    switch (csource_number(writer, MAP_MDL_MDL)) {
    case PROGRAM_MDL_TWICE:
        fprintf(writer->body, "&own.page[0]");
        break;
    case PROGRAM_MDL_GAP:
        fprintf(writer->body, "(ULONG_PTR[]){0x%" PRIx64 "}", highest);
        break;
    case PROGRAM_MDL_BEYOND:
        fprintf(writer->body, "(ULONG_PTR[]){(ULONG_PTR)-1}");
        break;
    case PROGRAM_MDL_OTHERS:
        if (others >= 0)
            fprintf(writer->body, "(ULONG_PTR[]){(ULONG_PTR)(logical(&%s_told, 0, 0) >> 12)}",
                    csource_variable(writer, others, name));
        else
            fprintf(writer->body, "(ULONG_PTR[]){0}");
        break;
    default:
        fprintf(writer->body, "NULL");
        break;
    }
}

static void write_mdl(struct csource_writer *writer)
{
    uint64_t how = csource_number(writer, MAP_MDL_MDL);

    if (how == PROGRAM_MDL_NULL)
        return;
    fprintf(writer->body, "            .pMdl = (PMDL)(%sown_mdl(%u, 0x%x, 0x%" PRIx64 ", %d, ",
            how == PROGRAM_MDL_MISALIGNED ? "1 + (char *)" : "",
            (unsigned)(csource_number(writer, MAP_MDL_AT) % DXGKMEM_SIM_DRIVER_PAGES),
            (unsigned)(csource_number(writer, MAP_MDL_OFFSET) & 0xffff), csource_number(writer, MAP_MDL_SIZE),
            how != PROGRAM_MDL_UNLOCKED);
    write_last(writer);
    fputs(")),\n", writer->body);
    writer->needs |= NEEDS_OWN_MDL | NEEDS_TOLD;
}

void csource_map_mdl(struct csource_writer *writer)
{
    int memory = csource_made(writer, PROGRAM_MEMORY);
    char name[CSOURCE_NAME];

    if (writer->how->driver) {
        fputs("    /* DxgkCbMapMdlToIoMmu for an MDL of the driver's own, which it has from elsewhere */\n",
              writer->body);
        return;
    }
    csource_open(writer, "DXGKARGCB_MAPMDLTOIOMMU");
    write_mdl(writer);
    csource_call(writer, "DxgkCbMapMdlToIoMmu", true, MAP_MDL_ADAPTER);
    if (memory >= 0) {
        const struct runner_view *view = &writer->recording->thing[memory].view;

        csource_variable(writer, memory, name);
        fprintf(writer->body, "        pages = %" PRIu64 ";\n", view->pages);
        if (writer->uses[memory] & USES_VALUE)
            fprintf(writer->body, "        %s = args.hMemoryHandle;\n", name);
        if (writer->uses[memory] & USES_TOLD)
            fprintf(writer->body, "        %s_told = remember_own(%u, %" PRIu64 ");\n", name,
                    (unsigned)(csource_number(writer, MAP_MDL_AT) % DXGKMEM_SIM_DRIVER_PAGES), view->pages);
    }
    csource_close(writer);
}

void csource_unmap_mdl(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_UNMAPMDLFROMIOMMU");
    csource_field(writer, "hMemoryHandle", MEMORY_MEMORY);
    csource_call(writer, "DxgkCbUnmapMdlFromIoMmu", false, MEMORY_ADAPTER);
    csource_close(writer);
}

void csource_pin_mdl(struct csource_writer *writer)
{
    int pinned = csource_made(writer, PROGRAM_ADL);
    char name[CSOURCE_NAME];

    csource_open(writer, "DXGKARGCB_PINFRAMEBUFFERFORSAVE");
    csource_field_number(writer, "PhysicalAdapterIndex", (uint32_t)csource_number(writer, PIN_INDEX));
    csource_field_number(writer, "CommitSize", csource_number(writer, PIN_SIZE));
    csource_call(writer, "DxgkCbPinFrameBufferForSave", true, PIN_ADAPTER);
    if (pinned >= 0 && writer->uses[pinned] & USES_VALUE)
        fprintf(writer->body, "        %s = (void *)args.pMdl;\n", csource_variable(writer, pinned, name));
    if (pinned >= 0 && writer->uses[pinned] & USES_TOLD) {
        writer->needs |= NEEDS_MDL | NEEDS_TOLD;
        fprintf(writer->body, "        %s_told = remember_mdl(args.pMdl);\n",
                csource_variable(writer, pinned, name));
    }
    if (!writer->how->driver)
        fprintf(writer->body, "        pages = args.CommitSize >> 12;\n");
    csource_close(writer);
}

void csource_map_fb(struct csource_writer *writer)
{
    int mapping = csource_made(writer, PROGRAM_MAPPING);
    char name[CSOURCE_NAME];

    csource_open(writer, "DXGKARGCB_MAPFRAMEBUFFERPOINTER");
    csource_field_number(writer, "PhysicalAdapterIndex", (uint32_t)csource_number(writer, MAP_FB_INDEX));
    csource_field_number(writer, "Size", csource_number(writer, MAP_FB_SIZE));
    csource_field_number(writer, "Offset", csource_number(writer, MAP_FB_OFFSET));
    csource_call(writer, "DxgkCbMapFrameBufferPointer", true, MAP_FB_ADAPTER);
    if (mapping >= 0 && writer->uses[mapping] & USES_VALUE)
        fprintf(writer->body, "        %s = args.pBaseAddress;\n", csource_variable(writer, mapping, name));
    if (mapping >= 0 && writer->uses[mapping] & USES_SIZE)
        fprintf(writer->body, "        %s_size = args.Size;\n", csource_variable(writer, mapping, name));
    if (!writer->how->driver)
        fputs("        offset = args.Offset, size = args.Size;\n", writer->body);
    csource_close(writer);
}

void csource_unmap_fb(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_UNMAPFRAMEBUFFERPOINTER");
    csource_field_number(writer, "PhysicalAdapterIndex", (uint32_t)csource_number(writer, UNMAP_FB_INDEX));
    fputs("            .pBaseAddress = ", writer->body);
    csource_value(writer, UNMAP_FB_MAPPING, csource_number(writer, UNMAP_FB_SHIFT));
    fputs(",\n", writer->body);
    csource_call(writer, "DxgkCbUnmapFrameBufferPointer", true, UNMAP_FB_ADAPTER);
    csource_close(writer);
}
