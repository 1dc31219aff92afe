/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem csource: a program as a C file of its own: the file as a whole, and the expectations. The calls are
 * those of csource_calls.c, looks from outside those of csource_looks.c.
 */
#include "tool/csource_internal.h"
#include "tool/input.h"
#include "tool/options.h"
#include "tool/provider.h"
#include "tool/tool.h"

#include "program/operands.h"
#include "program/world.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- what later lines need ---------------------------------------------------------- */

int csource_made(const struct csource_writer *writer, enum program_kind kind)
{
    for (unsigned i = 0; i < writer->recording->things; i++) {
        const struct runner_view *view = &writer->recording->thing[i].view;
        if (view->line == writer->at && view->kind == kind)
            return (int)i;
    }
    return -1;
}

int csource_unmap_size(const struct recording *recording, unsigned at)
{
    int base = recording->line[at].passed[UNMAP_MAPPING].thing, found = -1;
    unsigned variable = PROGRAM_VARIABLE_OF(recording->program->line[at].operand[UNMAP_MAPPING]);

    if (base >= 0 && recording->thing[base].view.kind == PROGRAM_MAPPING)
        return base;
    for (unsigned i = 0; i < recording->things; i++) {
        const struct runner_view *view = &recording->thing[i].view;
        if (view->kind == PROGRAM_MAPPING && view->variable == variable && view->line < at)
            found = (int)i;
    }
    return found;
}

static void find_uses_of_line(struct csource_writer *writer, unsigned at)
{
    const struct recording *recording = writer->recording;
    const struct recording_line *line = &recording->line[at];
    bool access = line->event.opcode == OP_DMA_READ || line->event.opcode == OP_DMA_WRITE ||
                  line->event.opcode == OP_MEMORY_READ || line->event.opcode == OP_MEMORY_WRITE;

    if (line->event.skipped || at >= recording->program->lines)
        return;
    if (writer->how->driver &&
        (access || line->event.opcode == OP_LEGACY || line->event.opcode == OP_UNRELATED))
        return;
    if (writer->how->driver && line->event.opcode == OP_CPU_READ + (line->event.opcode == OP_CPU_WRITE) &&
        line->event.value[0] != 0)
        return;
    for (unsigned i = 0; i < PROGRAM_OPERANDS; i++) {
        int thing = line->passed[i].thing;
        bool entry = line->event.opcode == OP_SCRIBBLE && !writer->how->driver &&
                     recording->program->line[at].operand[SCRIBBLE_FIELD] == PROGRAM_FIELD_ENTRY;
        if (thing < 0 || (access && i == DMA_ADAPTER))
            continue;
        if (line->event.opcode == OP_SCRIBBLE_MDL)
            writer->uses[thing] |= USES_MDL;
        else
            writer->uses[thing] |= access || entry ? USES_TOLD : USES_VALUE;
    }
    csource_find_others(writer, at);
    if (line->event.opcode == OP_UNMAP) {
        int sized = csource_unmap_size(recording, at);
        if (sized >= 0)
            writer->uses[sized] |= USES_SIZE | USES_VALUE;
    }
}

static void find_uses(struct csource_writer *writer, bool look)
{
    for (unsigned at = 0; at < writer->recording->lines; at++)
        find_uses_of_line(writer, at);
    for (unsigned i = 0; i < writer->recording->things; i++) {
        const struct runner_view *view = &writer->recording->thing[i].view;
        if (look && csource_is_reach(view))
            writer->uses[i] |= USES_TOLD;
        if (look && view->kind == PROGRAM_MAPPING &&
            writer->recording->thing[i].ended >= writer->recording->lines)
            writer->uses[i] |= USES_VALUE;
        if (view->kind == PROGRAM_ADAPTER && !writer->how->driver)
            writer->uses[i] |= USES_VALUE;
        if (writer->uses[i] & USES_TOLD)
            writer->needs |= NEEDS_TOLD;
    }
}

/* -- one line ------------------------------------------------------------------------------ */

static void append_number(char *text, size_t room, const char *name, uint64_t number)
{
    size_t length = strlen(text);

    snprintf(text + length, room - length, number < 10 ? " %s=%" PRIu64 : " %s=0x%" PRIx64, name, number);
}

static const struct dxgkmem_profile *profile_of_run(void)
{
    return tool_provider() ? tool_provider()->profile : NULL;
}

/* Outputs that are wrong are no part of the event; what they must be follows from what was asked. */
static void append_outputs(const struct program_line *line, char *text, size_t room)
{
    const struct dxgkmem_profile *profile = profile_of_run();
    enum dxgkmem_profile_map map = profile ? profile->map : DXGKMEM_MAP_PAGES;
    size_t length = strlen(text);

    if (line->opcode == OP_MAP_FB || (line->opcode == OP_MAP && map != DXGKMEM_MAP_OBJECT)) {
        uint64_t offset = line->operand[MAP_OFFSET] & DXGKMEM_PAGE_MASK, size = line->operand[MAP_SIZE];
        if (map == DXGKMEM_MAP_PAGES)
            size = (offset + size + DXGKMEM_PAGE_MASK) & ~(uint64_t)DXGKMEM_PAGE_MASK;
        append_number(text, room, "offset", offset);
        append_number(text, room, "size", size);
    } else if (line->opcode == OP_MAP || line->opcode == OP_ADL || line->opcode == OP_PIN ||
               line->opcode == OP_CONTIGUOUS || line->opcode == OP_PAGES || line->opcode == OP_MAP_MDL ||
               line->opcode == OP_PIN_MDL) {
        snprintf(text + length, room - length, "...");
    }
}

/* A stop of an implementation that does not count what is left. */
static bool uncounted(const struct runner_event *event)
{
    return event->opcode == OP_STOP && profile_of_run() && profile_of_run()->no_leaks;
}

/* What must come of the line: what came of it, or what the model wanted. */
static void expected_text(const struct csource_writer *writer, char *text, size_t room)
{
    const struct recording *recording = writer->recording;
    bool last = recording->finding.kind != FINDING_NONE && writer->at + 1 == recording->lines;
    const struct runner_event *is = &recording->line[writer->at].event;
    const struct runner_event *must = last ? &recording->wanted : is;
    struct runner_event silent;

    if (last && recording_cut(recording)) { /* what it would have answered, nobody knows */
        snprintf(text, room, "...");
        return;
    }
    if (tool_provider() != NULL) {
        silent = *must;
        if (!must->skipped) /* whether it was refused is not seen at the call */
            silent.mistake = DXGKMEM_VIOLATION_NONE;
        if (uncounted(must))
            silent.values = 0;
        must = &silent;
    }
    recording_outcome(recording->program, must, text, room);
    if (last && must->has_status && must->status == STATUS_SUCCESS && must->values == 0 && must->reports == 0)
        append_outputs(&recording->program->line[writer->at], text, room);
}

static void write_expectation(struct csource_writer *writer)
{
    const struct runner_event *event = &writer->recording->line[writer->at].event;
    char expected[2048];
    const struct {
        uint8_t opcode;
        unsigned needs;
        const char *format;
    } special[] = {
        {OP_MAP, NEEDS_ANSWERED_MAP, "    answered_map(status, offset, size, \"%s\");\n"},
        {OP_MAP_FB, NEEDS_ANSWERED_MAP, "    answered_map(status, offset, size, \"%s\");\n"},
        {OP_ADL, NEEDS_ANSWERED_ADL, "    answered_adl(status, adl, \"%s\");\n"},
        {OP_PIN, NEEDS_ANSWERED_ADL, "    answered_adl(status, adl, \"%s\");\n"},
        {OP_CONTIGUOUS, NEEDS_ANSWERED_PAGES, "    answered_pages(status, pages, \"%s\");\n"},
        {OP_PAGES, NEEDS_ANSWERED_PAGES, "    answered_pages(status, pages, \"%s\");\n"},
        {OP_MAP_MDL, NEEDS_ANSWERED_PAGES, "    answered_pages(status, pages, \"%s\");\n"},
        {OP_PIN_MDL, NEEDS_ANSWERED_PAGES, "    answered_pages(status, pages, \"%s\");\n"},
        {OP_MEMORY_READ, NEEDS_READ, "    read_word(reached, word, \"%s\");\n"},
        {OP_MEMORY_WRITE, NEEDS_WROTE, "    wrote(reached, \"%s\");\n"},
        {OP_DMA_READ, NEEDS_READ, "    read_word(reached, word, \"%s\");\n"},
        {OP_CPU_READ, NEEDS_READ, "    read_word(reached, word, \"%s\");\n"},
        {OP_DMA_WRITE, NEEDS_WROTE, "    wrote(reached, \"%s\");\n"},
        {OP_CPU_WRITE, NEEDS_WROTE, "    wrote(reached, \"%s\");\n"},
        {OP_STOP, NEEDS_STOP,
         uncounted(event) ? "    stopped(NULL, \"%s\");\n" : "    stopped(&leaks, \"%s\");\n"},
    };

    expected_text(writer, expected, sizeof expected);
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (special[i].opcode == event->opcode) {
            writer->needs |= special[i].needs;
            fprintf(writer->body, special[i].format, expected);
            return;
        }
    writer->needs |= event->has_status ? NEEDS_ANSWERED : NEEDS_DONE;
    fprintf(writer->body, event->has_status ? "    answered(status, \"%s\");\n" : "    done(\"%s\");\n",
            expected);
}

static void write_driver_expectation(struct csource_writer *writer, unsigned source)
{
    const struct runner_event *event = &writer->recording->line[writer->at].event;
    char expected[2048];

    expected_text(writer, expected, sizeof expected);
    if (event->has_status && program_operations[event->opcode].role == PROGRAM_ROLE_CALLBACK &&
        event->opcode != OP_LEGACY && event->opcode != OP_UNRELATED && event->opcode != OP_MAP_MDL)
        fprintf(writer->body, "    DbgPrint(\"line %u: 0x%%08x, expected %s\\n\", (unsigned)status);\n",
                source, expected);
    else if (program_operations[event->opcode].role == PROGRAM_ROLE_CALLBACK)
        fprintf(writer->body, "    /* expected: %s */\n", expected);
}

/* There is nothing to act on, or nobody looks for the mistake; then what spoils pArgs went by with the call. */
static void write_skip(struct csource_writer *writer)
{
    const struct runner_event *event = &writer->recording->line[writer->at].event;
    char outcome[128];

    if (event->mistake != DXGKMEM_VIOLATION_NONE)
        writer->spoiled = -1;
    if (writer->how->driver && event->mistake == DXGKMEM_VIOLATION_NONE)
        fputs("    /* there is nothing to act on */\n", writer->body);
    else if (writer->how->driver)
        fprintf(writer->body, "    /* nobody looks for %s */\n", dxgkmem_violation_name(event->mistake));
    else
        fprintf(writer->body, "    skipped(\"%s\");\n",
                recording_outcome(writer->recording->program, event, outcome, sizeof outcome));
    writer->needs |= NEEDS_SKIPPED;
}

static void write_line(struct csource_writer *writer, bool look)
{
    const struct recording *recording = writer->recording;
    const struct recording_line *line = &recording->line[writer->at];
    bool end = writer->at >= recording->program->lines;
    static const struct program_line final = {.opcode = OP_STOP};
    char text[1024] = "the end";
    unsigned source = end ? 0 : writer->how->line[writer->at];

    writer->line = end ? &final : &recording->program->line[writer->at];
    if (!end)
        program_print_line(writer->line, text, sizeof text);
    if (writer->how->driver && end)
        return;
    fprintf(writer->body, "\n    /* %s */\n", text);
    if (!writer->how->driver)
        fprintf(writer->body, "    step(%u, \"%s\");\n", source, text);
    if (line->event.skipped) {
        write_skip(writer);
        return;
    }
    csource_operation(writer);
    if (writer->how->driver)
        write_driver_expectation(writer, source);
    else
        write_expectation(writer);
    if (look && writer->at + 1 < recording->lines)
        csource_look_at_made(writer);
}

/* -- the file --------------------------------------------------------------------------------- */

/* Text that does not end the comment that it stands in. */
static void write_comment(FILE *to, const char *text)
{
    for (; *text; text++) {
        fputc(*text, to);
        if (text[0] == '*' && text[1] == '/')
            fputc(' ', to);
    }
}

static void write_title(FILE *to, const struct csource_writer *writer)
{
    const struct finding *finding = &writer->recording->finding;
    char what[FINDING_TEXT];

    fprintf(to, "/*\n * %s as C, written by dxgkmem csource.\n", writer->how->title);
    if (finding->kind != FINDING_NONE) {
        fprintf(to, " *\n * Finding: %s: ", finding_what(finding, what, sizeof what));
        write_comment(to, finding_meaning(finding));
        fputs(".\n * ", to);
        write_comment(to, finding->message);
        fputs("\n", to);
    }
    if (writer->how->driver)
        fputs(" *\n * The driver's part only. Hand it the interface and the device handle that StartDevice "
              "got.\n"
              " * Without the kit: -DDXGKMEM_WITHOUT_WDK, with the headers of dxgkmem.\n */\n",
              to);
    else
        fprintf(
            to,
            " *\n *     cc FILE.c $(pkg-config --cflags --libs dxgkmem-sim)%s\n *\n"
            " * Exit status: 0 when everything is as it must be, 1 when anything differs.\n%s */\n",
            tool_provider() ? " -ldl" : "",
            tool_provider()
                ? " * The implementation is a shared object: the one that is the first argument, or that of\n"
                  " * the run that this was made from.\n"
                : "");
}

/* Copies the part of the support text that everybody needs, and the sections that this program needs. */
static void write_support(FILE *to, unsigned needs)
{
    static const char *const support[] = {
#include "csource_support.h"
    };
    static const char *const sections[] = {
        "receive", "misaligned",   "told",         "logical",    "bits",   "answered",
        "done",    "answered_adl", "answered_map", "read_word",  "wrote",  "skipped",
        "stop",    "looks",        "provider",     "contiguous", "mdl",    "answered_pages",
        "digest",  "places",       "see_mapping",  "see_adl",    "own_mdl"};
    static const char mark[] = "#section ";
    bool copy = false;

    for (size_t i = 0; i < sizeof support / sizeof support[0]; i++) {
        if (strncmp(support[i], "/* --", 5) == 0)
            copy = true;
        if (strncmp(support[i], mark, sizeof mark - 1) != 0) {
            if (copy)
                fputs(support[i], to);
            continue;
        }
        copy = false;
        for (size_t k = 0; k < sizeof sections / sizeof sections[0]; k++)
            if (strlen(support[i]) == sizeof mark + strlen(sections[k]) &&
                strncmp(support[i] + sizeof mark - 1, sections[k], strlen(sections[k])) == 0)
                copy = (needs >> k & 1) != 0;
    }
}

static void write_operations(FILE *to, const struct csource_writer *writer)
{
    const struct recording *recording = writer->recording;

    fputs("\n/* The line of the program that made each call, by the number that the library gives the call. "
          "*/\n"
          "static const unsigned line_of_operation[] = {0",
          to);
    for (unsigned at = 0; at < recording->lines && at < recording->program->lines; at++)
        if (recording->line[at].operation)
            fprintf(to, "%s%u", recording->line[at].operation % 16 == 0 ? ",\n    " : ", ",
                    writer->how->line[at]);
    fputs("};\n\n", to);
}

static void write_variables(FILE *to, const struct csource_writer *writer)
{
    static const char *const types[PROGRAM_KINDS] = {"HANDLE ",    "HANDLE ", "HANDLE ",
                                                     "DXGK_ADL *", "void *",  "HANDLE "};
    char name[64];

    for (unsigned i = 0; i < writer->recording->things; i++) {
        enum program_kind kind = writer->recording->thing[i].view.kind;
        csource_variable(writer, (int)i, name);
        if (writer->how->driver && kind == PROGRAM_ADAPTER)
            continue;
        if (writer->uses[i] & USES_VALUE)
            fprintf(to, "    %s%s = NULL;\n", types[kind], name);
        if (writer->uses[i] & USES_SIZE)
            fprintf(to, "    SIZE_T %s_size = 0;\n", name);
        if (writer->uses[i] & USES_TOLD)
            fprintf(to, "    struct told %s_told = {0};\n", name);
        if (writer->uses[i] & USES_MDL)
            fprintf(to, "    struct dxgkmem_mdl *%s_mdl = NULL;\n", name);
    }
}

static void write_locals(FILE *to, const struct csource_writer *writer)
{
    if (writer->needs & NEEDS_INTERFACE)
        fputs("    DXGKRNL_INTERFACE *const dxgk = &dxgkrnl;\n", to);
    if (writer->needs & NEEDS_OFFERING)
        fputs("    DXGKRNL_INTERFACE *const dxgk24 = &offering;\n", to);
    if (writer->needs & NEEDS_REFUSING)
        fputs("    DXGKRNL_INTERFACE *const refuses = &refusing;\n", to);
    if (writer->needs & NEEDS_ANSWERED_PAGES)
        fputs("    uint64_t pages = 0;\n", to);
    if (writer->needs & (NEEDS_ANSWERED | NEEDS_ANSWERED_ADL | NEEDS_ANSWERED_MAP | NEEDS_ANSWERED_PAGES))
        fputs("    NTSTATUS status;\n", to);
    if (writer->needs & NEEDS_ANSWERED_ADL)
        fputs("    const DXGK_ADL *adl = NULL;\n", to);
    if (writer->needs & NEEDS_ANSWERED_MAP)
        fputs("    uint64_t offset = 0, size = 0;\n", to);
    if (writer->needs & (NEEDS_READ | NEEDS_WROTE))
        fputs("    bool reached;\n", to);
    if (writer->needs & (NEEDS_READ | NEEDS_WROTE | NEEDS_WORD))
        fputs("    uint64_t word = 0;\n", to);
    if (writer->needs & NEEDS_STOP)
        fputs("    struct dxgkmem_leaks leaks;\n", to);
}

static void write_limit(FILE *to, const char *name, uint64_t value)
{
    if (value)
        fprintf(to, "        .limits.%s = %" PRIu64 ",\n", name, value);
}

static void write_main(FILE *to, const struct csource_writer *writer, const char *name)
{
    const struct program_world_description *world = &program_worlds[writer->recording->program->world];

    fprintf(to,
            "\nint main(%s)\n{\n    /* world %s: %s */\n    static const struct dxgkmem_sim_config machine "
            "= {\n"
            "        .range = {\n",
            tool_provider() ? "int count, char **arguments" : "void",
            program_world_names[writer->recording->program->world], world->summary);
    for (unsigned i = 0; i < world->machine.ranges; i++)
        fprintf(to, "            {.page = 0x%" PRIx64 ", .pages = 0x%" PRIx64 "%s},\n",
                world->machine.range[i].page, world->machine.range[i].pages,
                world->machine.range[i].io ? ", .io = true" : "");
    fprintf(to,
            "        },\n        .ranges = %u,\n        .address_bits = %u,\n        .iotlb_entries = %u,\n  "
            "  };\n"
            "    struct dxgkmem_config config = {\n        .violation = on_violation,\n",
            world->machine.ranges, world->machine.address_bits, world->machine.iotlb_entries);
    write_limit(to, "handles", world->limits.handles);
    write_limit(to, "generations", world->limits.generations);
    write_limit(to, "object_bytes", world->limits.object_bytes);
    write_limit(to, "total.pages", world->limits.total.pages);
    write_limit(to, "total.objects", world->limits.total.objects);
    write_limit(to, "total.adls", world->limits.total.adls);
    fprintf(to,
            "    };\n\n    dxgkmem_user_seed(1);\n%s"
            "    if (!NT_SUCCESS(dxgkmem_sim_create(&machine, &sim)))\n"
            "        return 2;\n%s"
            "    if (!NT_SUCCESS(%s&config)))\n        return 2;\n    %s();\n"
            "%s    dxgkmem_sim_destroy(sim);\n"
            "    printf(differences ? \"%%d differences\\n\" : \"everything is as it must be\\n\", "
            "differences);\n"
            "    return differences ? 1 : 0;\n}\n",
            tool_provider() ? "    if (!load(count > 1 ? arguments[1] : provider_file))\n        return 2;\n"
                            : "",
            tool_provider() ? "" : "    config.machine = dxgkmem_sim_machine(sim);\n",
            tool_provider() ? "provider->start(sim, " : "dxgkmem_start(", name,
            tool_provider() ? "" : "    dxgkmem_stop(NULL);\n");
}

/* The file of the implementation, as a whole path: the program may be run anywhere. */
static void write_provider(FILE *to, struct csource_writer *writer)
{
    const char *name = getenv("DXGKMEM_PROVIDER"); /* not set: it is linked in, there and here */
    char *path = name ? realpath(name, NULL) : NULL;

    fputs("static const char provider_file[] = \"", to);
    for (const char *at = path ? path : name ? name : ""; *at; at++)
        fprintf(to, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    fputs("\";\n\n", to);
    free(path);
    writer->needs |= NEEDS_PROVIDER;
}

static void write_heads(FILE *to, struct csource_writer *writer)
{
    write_title(to, writer);
    if (writer->how->driver) {
        fputs("#ifdef DXGKMEM_WITHOUT_WDK\n#include <dxgkmem/ddi_interface.h>\n"
              "ULONG DbgPrint(const char *format, ...);\n#else\n#include <ntddk.h>\n#include "
              "<dispmprt.h>\n#endif\n#include <dxgkmem/mdl.h>\n\n",
              to);
        return;
    }
    fprintf(to,
            "#include <dxgkmem/dxgkmem.h>\n#include <dxgkmem/mdl.h>\n%s#include <dxgkmem/sim.h>\n#include "
            "<dxgkmem/user.h>\n\n"
            "%s#include <inttypes.h>\n#include <stdarg.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
            "#include <string.h>\n",
            tool_provider() ? "#include <dxgkmem/provider.h>\n" : "",
            tool_provider() ? "#include <dlfcn.h>\n" : "");
    write_operations(to, writer);
    if (tool_provider())
        write_provider(to, writer);
    write_support(to, writer->needs);
}

void csource_write(FILE *to, const struct recording *recording, const struct csource *how)
{
    struct csource_writer *writer = tool_alloc(sizeof *writer);
    const char *name = how->name ? how->name : "program";
    bool look, has_status = false;
    char *body = NULL;
    size_t size;

    *writer = (struct csource_writer){.recording = recording, .how = how, .spoiled = -1};
    writer->body = open_memstream(&body, &size);
    if (!writer->body) {
        tool_error("no memory");
        exit(TOOL_BAD);
    }
    look = writer->looks = csource_looks(writer);
    find_uses(writer, look);
    for (; writer->at < recording->lines; writer->at++) {
        const struct runner_event *event = &recording->line[writer->at].event;
        write_line(writer, look);
        has_status = has_status || (event->has_status && !event->skipped &&
                                    program_operations[event->opcode].role == PROGRAM_ROLE_CALLBACK &&
                                    event->opcode != OP_LEGACY && event->opcode != OP_UNRELATED &&
                                    (event->opcode != OP_MAP_MDL || !how->driver));
    }
    writer->at = recording->lines - 1;
    if (look)
        csource_look_at_everything(writer);
    fclose(writer->body);
    write_heads(to, writer);
    if (how->driver)
        fprintf(to,
                "void %s(DXGKRNL_INTERFACE *dxgk, HANDLE adapter);\n"
                "void %s(DXGKRNL_INTERFACE *dxgk, HANDLE adapter)\n{\n%s",
                name, name, has_status ? "    NTSTATUS status;\n" : "");
    else
        fprintf(to,
                "\n/* -- the program "
                "------------------------------------------------------------------------- */\n\n"
                "static void %s(void)\n{\n",
                name);
    write_variables(to, writer);
    if (how->driver)
        fputs("\n    (void)dxgk;\n    (void)adapter;\n", to);
    else
        write_locals(to, writer);
    fputs(body, to);
    fputs("}\n", to);
    if (!how->driver)
        write_main(to, writer, name);
    free(body);
    free(writer);
}

/* -- the verb ------------------------------------------------------------------------------------ */

static const char help[] =
    "usage: dxgkmem csource [--driver] [--name NAME] [-o OUT] FILE\n\n"
    "Prints a program as one C file that makes the same calls and compares what comes\n"
    "of them with what must. It builds with\n\n"
    "    cc OUT $(pkg-config --cflags --libs dxgkmem-sim)\n\n"
    "and prints the trace; its exit status is 1 when anything differs.\n\n"
    "  -o, --output OUT  where to; standard output otherwise\n"
    "  --driver          only the driver's function, for a test driver of your own\n"
    "  --name NAME       of the function (program)\n"
    "  --lenient         take every byte string as a program, as a fuzz target does\n"
    "  --provider FILE   of the implementation in this shared object, which the C file loads\n"
    "  --help            this text\n";

static bool is_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return length > 0 && name[length] == '\0' && (name[0] < '0' || name[0] > '9');
}

struct form {
    const struct recording *recording;
    const struct csource *how;
};

static void write_form(FILE *to, const void *context)
{
    const struct form *form = context;

    csource_write(to, form->recording, form->how);
}

int verb_csource(int count, char **arguments)
{
    static struct input input;
    struct csource how = {.line = input.line};
    struct recording *recording;
    const char *out = NULL;
    bool lenient = false;
    const struct tool_option table[] = {
        {.name = "output", .letter = 'o', .text = &out},
        {.name = "driver", .flag = &how.driver},
        {.name = "name", .text = &how.name},
        {.name = "lenient", .flag = &lenient},
        TOOL_PROVIDER_OPTION,
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (how.name && !is_name(how.name))
        return tool_error("--name takes a C identifier, not '%s'", how.name);
    if (optind + 1 != count)
        return tool_error(optind == count ? "no file is named" : "csource takes one file");
    how.title = input_name(arguments[optind]);
    status = input_read(&input, arguments[optind], lenient);
    if (!status)
        status = recording_make(&recording, &input.program);
    if (status)
        return status;
    return tool_write_page(out, write_form, &(struct form){recording, &how});
}
