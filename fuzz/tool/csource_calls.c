/* SPDX-License-Identifier: MIT */
/* Writes single operations as C; see csource_block.h. */
#include "tool/csource_block.h"

#include "program/operands.h"

#include <inttypes.h>
#include <string.h>

/* -- objects -------------------------------------------------------------------------- */

static void create_of_type(struct csource_writer *writer)
{
    static const unsigned protections[] = {
        [PROGRAM_PROTECTION_READWRITE] = DXGKMEM_PAGE_READWRITE,
        [PROGRAM_PROTECTION_READONLY] = DXGKMEM_PAGE_READONLY,
        [PROGRAM_PROTECTION_EXECUTE] = DXGKMEM_PAGE_EXECUTE,
        [PROGRAM_PROTECTION_WRITECOPY] = DXGKMEM_PAGE_WRITECOPY,
        [PROGRAM_PROTECTION_INVALID] = 0x40,
    };

    switch (csource_number(writer, CREATE_TYPE)) {
    case PROGRAM_TYPE_MDL:
        csource_field_address(writer, "Mdl.LowAddress", csource_number(writer, CREATE_LOW));
        csource_field_address(writer, "Mdl.HighAddress", csource_number(writer, CREATE_HIGH));
        csource_field_address(writer, "Mdl.SkipBytes", csource_number(writer, CREATE_SKIP));
        csource_field_number(writer, "Mdl.Flags", (uint32_t)csource_number(writer, CREATE_FLAGS));
        break;
    case PROGRAM_TYPE_CONTIGUOUS:
        csource_field_address(writer, "ContiguousMemory.LowestAcceptableAddress",
                              csource_number(writer, CREATE_LOW));
        csource_field_address(writer, "ContiguousMemory.HighestAcceptableAddress",
                              csource_number(writer, CREATE_HIGH));
        csource_field_address(writer, "ContiguousMemory.BoundaryAddressMultiple",
                              csource_number(writer, CREATE_BOUNDARY));
        break;
    case PROGRAM_TYPE_SECTION:
        csource_field_number(writer, "Section.PageProtection",
                             protections[csource_number(writer, CREATE_PROTECTION)]);
        csource_field_number(writer, "Section.AllocationAttributes",
                             (uint32_t)csource_number(writer, CREATE_ATTRIBUTES));
        break;
    default:
        csource_field_address(writer, "IOSpace.BaseAddress", csource_number(writer, CREATE_BASE));
        break;
    }
}

static void field_cache(struct csource_writer *writer, uint64_t choice)
{
    static const char *const caches[] = {
        [PROGRAM_CACHE_CACHED] = "DXGK_MEMORY_CACHING_TYPE_CACHED",
        [PROGRAM_CACHE_NONCACHED] = "DXGK_MEMORY_CACHING_TYPE_NON_CACHED",
        [PROGRAM_CACHE_WRITECOMBINED] = "DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED",
        [PROGRAM_CACHE_INVALID] = "(DXGK_MEMORY_CACHING_TYPE)3",
    };

    fprintf(writer->body, "            .CacheType = %s,\n", caches[choice]);
}

static void write_create(struct csource_writer *writer)
{
    static const char *const types[] = {"DXGK_PHYSICAL_MEMORY_TYPE_MDL",
                                        "DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY",
                                        "DXGK_PHYSICAL_MEMORY_TYPE_SECTION",
                                        "DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE", "(DXGK_PHYSICAL_MEMORY_TYPE)4"};

    csource_open(writer, "DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT");
    csource_field(writer, "hAdapter", CREATE_ADAPTER);
    csource_field_number(writer, "Size", csource_number(writer, CREATE_SIZE));
    fprintf(writer->body, "            .Type = %s,\n", types[csource_number(writer, CREATE_TYPE)]);
    field_cache(writer, csource_number(writer, CREATE_CACHE));
    create_of_type(writer);
    csource_call(writer, "DxgkCbCreatePhysicalMemoryObject", true, -1);
    csource_take(writer, PROGRAM_OBJECT, "hPhysicalMemoryObject");
    csource_take(writer, PROGRAM_ADAPTER_OBJECT, "hAdapterMemoryObject");
    csource_close(writer);
}

static void write_destroy(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT");
    csource_field(writer, "hPhysicalMemoryObject", DESTROY_OBJECT);
    csource_field(writer, "hAdapterMemoryObject", DESTROY_WITH);
    csource_call(writer, "DxgkCbDestroyPhysicalMemoryObject", false, -1);
    csource_close(writer);
}

static void write_open(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT");
    csource_field(writer, "hPhysicalMemoryObject", OPEN_OBJECT);
    csource_field(writer, "hAdapter", OPEN_ADAPTER);
    csource_call(writer, "DxgkCbOpenPhysicalMemoryObject", true, -1);
    csource_take(writer, PROGRAM_ADAPTER_OBJECT, "hAdapterMemoryObject");
    csource_close(writer);
}

static void write_close(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT");
    csource_field(writer, "hAdapterMemoryObject", CLOSE_ADAPTER_OBJECT);
    csource_call(writer, "DxgkCbClosePhysicalMemoryObject", false, -1);
    csource_close(writer);
}

/* -- mappings -------------------------------------------------------------------------- */

static void write_map(struct csource_writer *writer)
{
    static const char *const modes[] = {"DXGK_ACCESS_MODE_KERNEL_MODE", "DXGK_ACCESS_MODE_USER_MODE",
                                        "(DXGK_ACCESS_MODE)2"};

    csource_open(writer, "DXGKARGCB_MAP_PHYSICAL_MEMORY");
    csource_field(writer, "hPhysicalMemoryObject", MAP_OBJECT);
    fprintf(writer->body, "            .AccessMode = %s,\n", modes[csource_number(writer, MAP_MODE)]);
    csource_field_number(writer, "Offset", csource_number(writer, MAP_OFFSET));
    csource_field_number(writer, "Size", csource_number(writer, MAP_SIZE));
    csource_call(writer, "DxgkCbMapPhysicalMemory", true, -1);
    csource_take(writer, PROGRAM_MAPPING, "pMappedAddress");
    if (!writer->how->driver)
        fputs("        offset = args.Offset, size = args.Size;\n", writer->body);
    csource_close(writer);
}

static void write_unmap(struct csource_writer *writer)
{
    int sized = csource_unmap_size(writer->recording, writer->at);
    uint64_t extra = csource_number(writer, UNMAP_EXTRA);
    char name[CSOURCE_NAME];

    csource_open(writer, "DXGKARGCB_UNMAP_PHYSICAL_MEMORY");
    csource_field(writer, "hPhysicalMemoryObject", UNMAP_OBJECT);
    fputs("            .pBaseAddress = ", writer->body);
    csource_value(writer, UNMAP_MAPPING, csource_number(writer, UNMAP_SHIFT));
    if (sized >= 0)
        fprintf(writer->body, ",\n            .Size = %s_size", csource_variable(writer, sized, name));
    else
        fputs(",\n            .Size = 0x1000", writer->body);
    if (extra)
        fprintf(writer->body, " + (SIZE_T)0x%" PRIx64, extra);
    fputs(",\n", writer->body);
    csource_call(writer, "DxgkCbUnmapPhysicalMemory", false, -1);
    csource_close(writer);
}

/* -- ADLs -------------------------------------------------------------------------------- */

static void take_pages(struct csource_writer *writer)
{
    csource_take(writer, PROGRAM_ADL, "pAdl");
    if (!writer->how->driver)
        fputs("        adl = args.pAdl;\n", writer->body);
    csource_close(writer);
}

static void write_adl(struct csource_writer *writer)
{
    uint64_t flags = csource_number(writer, ADL_FLAGS);

    csource_open(writer, "DXGKARGCB_ALLOCATE_ADL");
    csource_field(writer, "hAdapterMemoryObject", ADL_ADAPTER_OBJECT);
    csource_field_number(writer, "Offset", csource_number(writer, ADL_OFFSET));
    csource_field_number(writer, "Size", csource_number(writer, ADL_SIZE));
    if (flags == 1 || flags == 2)
        fprintf(writer->body, "            .Flags.%s = 1,\n",
                flags == 1 ? "RequireContiguous" : "PreferContiguous");
    else
        csource_field_number(writer, "Flags.Value", (uint32_t)flags);
    csource_call(writer, "DxgkCbAllocateAdl", true, -1);
    take_pages(writer);
}

static void write_free_adl(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_FREE_ADL");
    csource_field(writer, "hAdapterMemoryObject", FREE_ADL_ADAPTER_OBJECT);
    fputs("            .pAdl = ", writer->body);
    csource_value(writer, FREE_ADL_ADL, csource_number(writer, FREE_ADL_SHIFT));
    fputs(",\n", writer->body);
    csource_call(writer, "DxgkCbFreeAdl", false, -1);
    csource_close(writer);
}

static void write_pin(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_PINFRAMEBUFFERFORSAVE2");
    fprintf(writer->body, "            .PhysicalAdapterIndex = %" PRIu32 ",\n",
            (uint32_t)csource_number(writer, PIN_INDEX));
    csource_field_number(writer, "CommitSize", csource_number(writer, PIN_SIZE));
    csource_field_number(writer, "Flags.Value", (uint32_t)csource_number(writer, PIN_FLAGS));
    csource_call(writer, "DxgkCbPinFrameBufferForSave2", true, PIN_ADAPTER);
    take_pages(writer);
}

static void write_unpin(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_UNPINFRAMEBUFFERFORSAVE");
    fprintf(writer->body, "            .PhysicalAdapterIndex = %" PRIu32 ",\n",
            (uint32_t)csource_number(writer, UNPIN_INDEX));
    csource_call(writer, "DxgkCbUnpinFrameBufferForSave", true, UNPIN_ADAPTER);
    csource_close(writer);
}

/* -- memories --------------------------------------------------------------------------------- */

/* What later lines want to know of a memory: its pages, its MDL, where it is mapped. */
static void take_memory(struct csource_writer *writer, const char *size)
{
    bool mdl = writer->line->opcode == OP_PAGES;
    int memory = csource_made(writer, PROGRAM_MEMORY), mapping = csource_made(writer, PROGRAM_MAPPING);
    const char *base =
        mdl ? "args.pMdl ? ((struct dxgkmem_mdl *)args.pMdl)->MappedSystemVa : NULL" : "args.pMemory";
    char name[CSOURCE_NAME];

    if (memory >= 0 && writer->uses[memory] & USES_VALUE)
        fprintf(writer->body, "        %s = args.hMemoryHandle;\n", csource_variable(writer, memory, name));
    if (memory >= 0 && writer->uses[memory] & USES_MDL)
        fprintf(writer->body, "        %s_mdl = (struct dxgkmem_mdl *)args.pMdl;\n",
                csource_variable(writer, memory, name));
    if (memory >= 0 && writer->uses[memory] & USES_TOLD) {
        writer->needs |= mdl ? NEEDS_MDL | NEEDS_TOLD : NEEDS_CONTIGUOUS;
        csource_variable(writer, memory, name);
        if (mdl)
            fprintf(writer->body, "        %s_told = remember_mdl(args.pMdl);\n", name);
        else
            fprintf(writer->body, "        %s_told = remember_contiguous(args.pMemory, args.%s);\n", name,
                    size);
    }
    if (mapping >= 0 && writer->uses[mapping] & USES_VALUE)
        fprintf(writer->body, "        %s = %s;\n", csource_variable(writer, mapping, name), base);
    if (mapping >= 0 && writer->uses[mapping] & USES_SIZE)
        fprintf(writer->body, "        %s_size = (args.%s + 4095) & ~(SIZE_T)4095;\n",
                csource_variable(writer, mapping, name), size);
    if (!writer->how->driver)
        fprintf(writer->body, "        pages = ((uint64_t)args.%s + 4095) >> 12;\n", size);
    csource_close(writer);
}

static void write_contiguous(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_ALLOCATECONTIGUOUSMEMORY");
    csource_field_number(writer, "NumberOfBytes", csource_number(writer, CONTIGUOUS_SIZE));
    csource_field_address(writer, "LowestAcceptableAddress", csource_number(writer, CONTIGUOUS_LOW));
    csource_field_address(writer, "HighestAcceptableAddress", csource_number(writer, CONTIGUOUS_HIGH));
    csource_field_address(writer, "BoundaryAddressMultiple", csource_number(writer, CONTIGUOUS_BOUNDARY));
    field_cache(writer, csource_number(writer, CONTIGUOUS_CACHE));
    csource_call(writer, "DxgkCbAllocateContiguousMemory", true, CONTIGUOUS_ADAPTER);
    take_memory(writer, "NumberOfBytes");
}

static void write_pages(struct csource_writer *writer)
{
    csource_open(writer, "DXGKARGCB_ALLOCATEPAGESFORMDL");
    csource_field_address(writer, "LowAddress", csource_number(writer, CONTIGUOUS_LOW));
    csource_field_address(writer, "HighAddress", csource_number(writer, CONTIGUOUS_HIGH));
    csource_field_address(writer, "SkipBytes", csource_number(writer, PAGES_SKIP));
    csource_field_number(writer, "TotalBytes", csource_number(writer, CONTIGUOUS_SIZE));
    field_cache(writer, csource_number(writer, CONTIGUOUS_CACHE));
    csource_field_number(writer, "Flags", (uint32_t)csource_number(writer, PAGES_FLAGS));
    csource_call(writer, "DxgkCbAllocatePagesForMdl", true, CONTIGUOUS_ADAPTER);
    take_memory(writer, "TotalBytes");
}

static void write_free_memory(struct csource_writer *writer)
{
    bool mdl = writer->line->opcode == OP_FREE_PAGES;

    csource_open(writer, mdl ? "DXGKARGCB_FREEPAGESFROMMDL" : "DXGKARGCB_FREECONTIGUOUSMEMORY");
    csource_field(writer, "hMemoryHandle", MEMORY_MEMORY);
    csource_call(writer, mdl ? "DxgkCbFreePagesFromMdl" : "DxgkCbFreeContiguousMemory", true, MEMORY_ADAPTER);
    csource_close(writer);
}

static void write_scribble_mdl(struct csource_writer *writer)
{
    uint64_t value = csource_number(writer, SCRIBBLE_MDL_VALUE),
             which = csource_number(writer, SCRIBBLE_MDL_FIELD);
    int thing = csource_passed(writer, SCRIBBLE_MDL_MEMORY)->thing;
    char name[CSOURCE_NAME];

    csource_variable(writer, thing, name);
    if (which == PROGRAM_MDL_ENTRY)
        fprintf(writer->body, "    dxgkmem_mdl_pages(%s_mdl)[%" PRIu64 "] = (ULONG_PTR)0x%" PRIx64 ";\n",
                name, value % writer->recording->thing[thing].view.pages, value);
    else
        fprintf(writer->body, "    %s_mdl->%s = (ULONG)0x%" PRIx64 ";\n", name,
                which == PROGRAM_MDL_COUNT ? "ByteCount" : "ByteOffset", value);
}

/* Members that are not offered: they look at nothing. Void is returned by the last of the legacy ones only. */
static void write_member(struct csource_writer *writer)
{
    bool legacy = writer->line->opcode == OP_LEGACY;
    const char *name = runner_member_name(legacy, (unsigned)csource_passed(writer, MEMBER_MEMBER)->value);

    writer->spoiled = -1; /* its arguments are all zero */
    if (writer->how->driver) {
        fprintf(writer->body,
                "    /* %s is not offered; with the kit's headers it takes arguments of its own */\n", name);
        return;
    }
    if (!legacy) {
        fprintf(writer->body, "    status = %s->%s();\n", csource_interface(writer), name);
        return;
    }
    fputs("    {\n        uint64_t nothing[12] = {0};\n", writer->body);
    fprintf(writer->body, "        %s%s->%s(",
            writer->recording->line[writer->at].event.has_status ? "status = " : "",
            csource_interface(writer), name);
    csource_value(writer, MEMBER_ADAPTER, 0);
    fputs(", (void *)nothing);\n    }\n", writer->body);
}

/* -- use of the memory ------------------------------------------------------------------------- */

static void write_scribble(struct csource_writer *writer)
{
    static const char *const fields[] = {"PageCount", "Flags.Value", "BasePageNumber"};
    uint64_t value = csource_number(writer, SCRIBBLE_VALUE), which = csource_number(writer, SCRIBBLE_FIELD);
    int thing = csource_passed(writer, SCRIBBLE_ADL)->thing;
    char name[CSOURCE_NAME];

    csource_variable(writer, thing, name);
    if (which == PROGRAM_FIELD_ENTRY && writer->how->driver)
        fprintf(writer->body,
                "    ((DXGK_PAGE_NUMBER *)%s->Pages)[%" PRIu64 "] = (DXGK_PAGE_NUMBER)0x%" PRIx64 ";\n", name,
                value % writer->recording->thing[thing].view.pages, value);
    else if (which == PROGRAM_FIELD_ENTRY)
        fprintf(writer->body, "    %s_told.pages[%" PRIu64 "] = (DXGK_PAGE_NUMBER)0x%" PRIx64 ";\n", name,
                value % writer->recording->thing[thing].view.pages, value);
    else
        fprintf(writer->body, "    %s->%s = (%s)0x%" PRIx64 ";\n", name, fields[which],
                which == PROGRAM_FIELD_BASE ? "DXGK_PAGE_NUMBER" : "UINT32", value);
}

/* Of long page arrays the runner keeps the first and the last; others stand for those. */
static uint64_t kept_page(const struct runner_view *view, uint64_t page)
{
    if (view->consecutive || view->pages <= 64 || page + 2 >= view->pages)
        return page;
    return page % 62;
}

static void write_dma(struct csource_writer *writer)
{
    bool write = writer->line->opcode == OP_DMA_WRITE || writer->line->opcode == OP_MEMORY_WRITE;
    const struct runner_passed *adapter = csource_passed(writer, DMA_ADAPTER),
                               *adl = csource_passed(writer, DMA_ADL);
    const struct recording *recording = writer->recording;
    unsigned device = adapter->thing >= 0 && recording->thing[adapter->thing].view.kind == PROGRAM_ADAPTER
                          ? recording->thing[adapter->thing].view.device
                          : PROGRAM_VARIABLE_OF(csource_number(writer, DMA_ADAPTER));
    char name[CSOURCE_NAME];

    writer->needs |= NEEDS_LOGICAL;
    if (write)
        fprintf(writer->body, "    word = 0x%" PRIx64 ";\n", csource_number(writer, DMA_VALUE));
    fprintf(writer->body,
            "    reached = dxgkmem_sim_dma_%s(sim, %u, logical(&%s_told, 0x%" PRIx64 ", 0x%" PRIx64
            "), &word, sizeof word);\n",
            write ? "write" : "read", device, csource_variable(writer, adl->thing, name),
            kept_page(&recording->thing[adl->thing].view, csource_number(writer, DMA_PAGE)),
            csource_number(writer, DMA_OFFSET) & 0xff8);
}

static void write_cpu(struct csource_writer *writer)
{
    bool write = writer->line->opcode == OP_CPU_WRITE;
    uint64_t offset = csource_number(writer, CPU_OFFSET) & ~(uint64_t)7;
    char name[CSOURCE_NAME];

    csource_variable(writer, csource_passed(writer, CPU_MAPPING)->thing, name);
    if (writer->how->driver) {
        if (writer->recording->line[writer->at].event.value[0] != 0)
            fputs("    /* it faults */\n", writer->body);
        else if (write)
            fprintf(writer->body,
                    "    *(volatile ULONGLONG *)((char *)%s + 0x%" PRIx64 ") = 0x%" PRIx64 ";\n", name,
                    offset, csource_number(writer, CPU_VALUE));
        else
            fprintf(writer->body, "    (void)*(volatile ULONGLONG *)((char *)%s + 0x%" PRIx64 ");\n", name,
                    offset);
        return;
    }
    if (write)
        fprintf(writer->body, "    word = 0x%" PRIx64 ";\n", csource_number(writer, CPU_VALUE));
    fprintf(writer->body,
            "    reached = dxgkmem_sim_cpu_%s(sim, (void *)((uintptr_t)%s + (uintptr_t)0x%" PRIx64
            "), &word, sizeof word);\n",
            write ? "write" : "read", name, offset);
}

/* -- the system ------------------------------------------------------------------------------- */

static void write_add(struct csource_writer *writer)
{
    static const char *const versions[] = {"2_0", "2_4", "2_6", "2_9", "3_0", "3_1", "3_2"};
    uint64_t adls = csource_number(writer, ADD_QUOTA_ADLS);
    int thing = csource_made(writer, PROGRAM_ADAPTER);
    char name[CSOURCE_NAME] = "NULL";

    fputs("    {\n        struct dxgkmem_adapter_config config = {\n", writer->body);
    csource_field_number(writer, "device", csource_number(writer, ADD_ADAPTER));
    fprintf(writer->body, "            .version = DXGKDDI_INTERFACE_VERSION_WDDM%s,\n",
            versions[csource_number(writer, ADD_WDDM)]);
    csource_field_address(writer, "memory_caps.HighestVisibleAddress", csource_number(writer, ADD_VISIBLE));
    csource_field_number(writer, "iommu_caps.DmaRemappingSupported",
                         csource_number(writer, ADD_REMAP) != PROGRAM_REMAP_UNSUPPORTED);
    csource_field_number(writer, "frame_buffer_bytes", csource_number(writer, ADD_FRAME_BUFFER));
    if (csource_number(writer, ADD_REMAP) == PROGRAM_REMAP_ALWAYS)
        fputs("            .remapping = DXGKMEM_REMAPPING_ALWAYS,\n", writer->body);
    if (csource_passed(writer, ADD_LINK)->value || csource_passed(writer, ADD_LINK)->thing >= 0)
        csource_field(writer, "link_to", ADD_LINK);
    csource_field_number(writer, "quota.pages", csource_number(writer, ADD_QUOTA_PAGES));
    csource_field_number(writer, "quota.adls", adls > UINT32_MAX ? UINT32_MAX : adls);
    fputs("        };\n", writer->body);
    if (thing >= 0) {
        writer->needs |= NEEDS_RECEIVE;
        csource_variable(writer, thing, name);
        fprintf(writer->body,
                "        status = dxgkmem_add_adapter(&config, &%s);\n        receive_interface(%s, %d);\n",
                name, name, writer->recording->thing[thing].view.objects_only);
    } else {
        fputs("        HANDLE none = NULL;\n        status = dxgkmem_add_adapter(&config, &none);\n",
              writer->body);
    }
    fputs("    }\n", writer->body);
}

static void write_condition(struct csource_writer *writer)
{
    static const char *const levels[] = {"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL", "HIGH_LEVEL"};
    uint64_t value = csource_number(writer, CONDITION_VALUE);
    FILE *to = writer->body;

    switch (writer->line->opcode) {
    case OP_PROCESS:
        fprintf(to, "    dxgkmem_sim_set_process(sim, %" PRIu64 ");\n",
                (value + DXGKMEM_SIM_PROCESSES - 1) % DXGKMEM_SIM_PROCESSES + 1);
        break;
    case OP_IRQL:
        writer->level = levels[value % 4];
        fprintf(to, "    dxgkmem_sim_set_irql(sim, %s);\n", writer->level);
        break;
    case OP_FAIL:
        fprintf(to, "    dxgkmem_sim_fail_at(sim, 0x%" PRIx64 ");\n", value);
        if (csource_number(writer, FAIL_THEN))
            fprintf(to, "    dxgkmem_sim_fail_then(sim, 0x%" PRIx64 ");\n",
                    csource_number(writer, FAIL_THEN));
        break;
    case OP_SCHEDULE:
    case OP_THREAD:
    case OP_SWITCH:
        fputs("    /* threads: here one thread makes every call */\n", to);
        break;
    default:
        fputs("    /* the next callback gets a pArgs that is spoiled */\n", to);
        break;
    }
}

static void write_system(struct csource_writer *writer)
{
    FILE *to = writer->body;
    bool raised = writer->level && strcmp(writer->level, "PASSIVE_LEVEL") != 0;

    if (raised)
        fputs("    dxgkmem_sim_set_irql(sim, PASSIVE_LEVEL);\n", to);
    switch (writer->line->opcode) {
    case OP_ADD:
        write_add(writer);
        break;
    case OP_REMOVE:
        fputs("    status = dxgkmem_remove_adapter(", to);
        csource_value(writer, REMOVE_ADAPTER, 0);
        fputs(");\n", to);
        break;
    case OP_EXIT:
        fprintf(to, "    dxgkmem_process_exit(%" PRIu64 ");\n",
                (csource_number(writer, CONDITION_VALUE) + DXGKMEM_SIM_PROCESSES - 1) %
                        DXGKMEM_SIM_PROCESSES +
                    1);
        break;
    default:
        writer->needs |= NEEDS_STOP;
        fputs("    leaks = (struct dxgkmem_leaks){0};\n    dxgkmem_stop(&leaks);\n    sort_reports();\n", to);
        break;
    }
    if (raised)
        fprintf(to, "    dxgkmem_sim_set_irql(sim, %s);\n", writer->level);
}

void csource_operation(struct csource_writer *writer)
{
    static void (*const callbacks[PROGRAM_OPCODES])(struct csource_writer * writer) = {
        [OP_CREATE] = write_create,
        [OP_DESTROY] = write_destroy,
        [OP_OPEN] = write_open,
        [OP_CLOSE] = write_close,
        [OP_MAP] = write_map,
        [OP_UNMAP] = write_unmap,
        [OP_ADL] = write_adl,
        [OP_FREE_ADL] = write_free_adl,
        [OP_PIN] = write_pin,
        [OP_UNPIN] = write_unpin,
        [OP_LEGACY] = write_member,
        [OP_UNRELATED] = write_member,
        [OP_CONTIGUOUS] = write_contiguous,
        [OP_FREE_CONTIGUOUS] = write_free_memory,
        [OP_PAGES] = write_pages,
        [OP_FREE_PAGES] = write_free_memory,
        [OP_SCRIBBLE_MDL] = write_scribble_mdl,
        [OP_MAP_MDL] = csource_map_mdl,
        [OP_UNMAP_MDL] = csource_unmap_mdl,
        [OP_PIN_MDL] = csource_pin_mdl,
        [OP_MAP_FB] = csource_map_fb,
        [OP_UNMAP_FB] = csource_unmap_fb,
        [OP_SCRIBBLE] = write_scribble,
        [OP_CPU_READ] = write_cpu,
        [OP_CPU_WRITE] = write_cpu,
    };
    uint8_t opcode = writer->line->opcode;

    if (opcode == OP_ARGS)
        writer->spoiled = (int)csource_number(writer, CONDITION_VALUE);
    if (callbacks[opcode])
        callbacks[opcode](writer);
    else if (writer->how->driver)
        fputs("    /* the system's or the device's part */\n", writer->body);
    else if (program_operations[opcode].role == PROGRAM_ROLE_ACCESS)
        write_dma(writer);
    else if (program_operations[opcode].role == PROGRAM_ROLE_SYSTEM)
        write_system(writer);
    else
        write_condition(writer);
}
