/* SPDX-License-Identifier: MIT */
/*
 * One event as a line of text: the operation as the program has it, an arrow,
 * and what came of it. Lines of the program are counted from 1.
 */
#include "operands.h"
#include "runner.h"
#include "writer.h"

#define STATUSES(X)                                                                                          \
    X(STATUS_SUCCESS)                                                                                        \
    X(STATUS_DATATYPE_MISALIGNMENT)                                                                          \
    X(STATUS_DEVICE_BUSY)                                                                                    \
    X(STATUS_UNSUCCESSFUL)                                                                                   \
    X(STATUS_NOT_IMPLEMENTED)                                                                                \
    X(STATUS_INVALID_HANDLE)                                                                                 \
    X(STATUS_INVALID_PARAMETER)                                                                              \
    X(STATUS_NO_MEMORY)                                                                                      \
    X(STATUS_CONFLICTING_ADDRESSES)                                                                          \
    X(STATUS_ACCESS_DENIED)                                                                                  \
    X(STATUS_OBJECT_TYPE_MISMATCH)                                                                           \
    X(STATUS_SECTION_TOO_BIG)                                                                                \
    X(STATUS_SHARING_VIOLATION)                                                                              \
    X(STATUS_QUOTA_EXCEEDED)                                                                                 \
    X(STATUS_INVALID_PAGE_PROTECTION)                                                                        \
    X(STATUS_INSUFFICIENT_RESOURCES)                                                                         \
    X(STATUS_NOT_SUPPORTED)                                                                                  \
    X(STATUS_INVALID_DEVICE_STATE)                                                                           \
    X(STATUS_DEVICE_REMOVED)

const char *trace_status_name(NTSTATUS status)
{
    static const struct {
        NTSTATUS status;
        const char *name;
    } names[] = {
#define STATUS_NAME(name) {name, #name},
        STATUSES(STATUS_NAME)
#undef STATUS_NAME
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].status == status)
            return names[i].name;
    return "another status";
}

const char *trace_call_name(enum dxgkmem_call call)
{
    static const char *const words[DXGKMEM_CALL_COUNT] = {
        [DXGKMEM_CALL_NONE] = "none",
        [DXGKMEM_CALL_CREATE] = "create",
        [DXGKMEM_CALL_DESTROY] = "destroy",
        [DXGKMEM_CALL_OPEN] = "open",
        [DXGKMEM_CALL_CLOSE] = "close",
        [DXGKMEM_CALL_MAP] = "map",
        [DXGKMEM_CALL_UNMAP] = "unmap",
        [DXGKMEM_CALL_ALLOCATE_ADL] = "adl",
        [DXGKMEM_CALL_FREE_ADL] = "free_adl",
        [DXGKMEM_CALL_PIN] = "pin",
        [DXGKMEM_CALL_UNPIN] = "unpin",
        [DXGKMEM_CALL_LEGACY] = "legacy",
        [DXGKMEM_CALL_UNRELATED] = "unrelated",
        [DXGKMEM_CALL_ADD_ADAPTER] = "add",
        [DXGKMEM_CALL_REMOVE_ADAPTER] = "remove",
        [DXGKMEM_CALL_PROCESS_EXIT] = "exit",
        [DXGKMEM_CALL_STOP] = "stop",
        [DXGKMEM_CALL_ALLOCATE_CONTIGUOUS] = "contiguous",
        [DXGKMEM_CALL_FREE_CONTIGUOUS] = "free_contiguous",
        [DXGKMEM_CALL_ALLOCATE_PAGES] = "pages",
        [DXGKMEM_CALL_FREE_PAGES] = "free_pages",
        [DXGKMEM_CALL_MAP_MDL] = "map_mdl",
        [DXGKMEM_CALL_UNMAP_MDL] = "unmap_mdl",
        [DXGKMEM_CALL_PIN_MDL] = "pin_mdl",
        [DXGKMEM_CALL_MAP_FRAME_BUFFER] = "map_fb",
        [DXGKMEM_CALL_UNMAP_FRAME_BUFFER] = "unmap_fb",
    };
    return (unsigned)call < DXGKMEM_CALL_COUNT ? words[call] : "an unknown call";
}

/* What the earlier call did to make the later one a mistake. */
static const char *blame(enum dxgkmem_call call)
{
    switch (call) {
    case DXGKMEM_CALL_DESTROY:
    case DXGKMEM_CALL_CLOSE:
    case DXGKMEM_CALL_UNMAP:
    case DXGKMEM_CALL_FREE_ADL:
    case DXGKMEM_CALL_UNPIN:
    case DXGKMEM_CALL_REMOVE_ADAPTER:
    case DXGKMEM_CALL_PROCESS_EXIT:
    case DXGKMEM_CALL_STOP:
    case DXGKMEM_CALL_FREE_CONTIGUOUS:
    case DXGKMEM_CALL_FREE_PAGES:
    case DXGKMEM_CALL_UNMAP_MDL:
    case DXGKMEM_CALL_UNMAP_FRAME_BUFFER:
        return "ended by ";
    default:
        return "made by ";
    }
}

static void write_report(struct writer *writer, const struct program *program,
                         const struct runner_event *event, unsigned report)
{
    unsigned line = event->report[report].earlier_line;
    enum dxgkmem_call call = event->report[report].earlier_call;

    write_text(writer, dxgkmem_violation_name(event->report[report].code));
    if (line == 0)
        return;
    write_text(writer, " (");
    write_text(writer, blame(call));
    write_text(writer, trace_call_name(call));
    write_text(writer, ", line ");
    write_decimal(writer, program_line_number(program, line - 1));
    write_character(writer, ')');
}

static bool is_read(uint8_t opcode)
{
    return opcode == OP_DMA_READ || opcode == OP_CPU_READ || opcode == OP_MEMORY_READ;
}

static void write_access(struct writer *writer, const struct runner_event *event)
{
    bool tried = event->values > 0;

    if (tried && event->value[0] != 0)
        write_text(writer, "fault");
    else if (tried && is_read(event->opcode))
        write_hexadecimal(writer, event->value[1]);
    else
        write_text(writer, "done");
}

/* A callback without a status that was refused says so; others say it by their status. */
static void write_call(struct writer *writer, const struct runner_event *event)
{
    bool mistake = event->reports > 0 && dxgkmem_violation_status(event->report[0].code) != STATUS_SUCCESS;
    bool told = event->reports == 0 && event->mistake != DXGKMEM_VIOLATION_NONE;

    if (event->has_status)
        write_text(writer, trace_status_name(event->status));
    else
        write_text(writer, mistake || told ? "refused" : "done");
    if (told) {
        write_text(writer, " for ");
        write_text(writer, dxgkmem_violation_name(event->mistake));
    }
}

static void write_values(struct writer *writer, const struct runner_event *event)
{
    static const char *const names[PROGRAM_OPCODES][4] = {
        [OP_MAP] = {" offset=", " size="},
        [OP_ADL] = {" pages=", " contiguous="},
        [OP_PIN] = {" pages=", " contiguous="},
        [OP_CONTIGUOUS] = {" pages="},
        [OP_PAGES] = {" pages=", " contiguous="},
        [OP_MAP_MDL] = {" pages="},
        [OP_PIN_MDL] = {" pages="},
        [OP_MAP_FB] = {" offset=", " size="},
        [OP_STOP] = {" objects=", " adapter_objects=", " adls=", " mappings="},
    };

    for (unsigned i = 0; i < event->values && names[event->opcode][i] != NULL; i++) {
        write_text(writer, names[event->opcode][i]);
        if (event->value[i] < 10)
            write_decimal(writer, event->value[i]);
        else
            write_hexadecimal(writer, event->value[i]);
    }
}

size_t trace_print(const struct program *program, const struct runner_event *event, char *text, size_t room)
{
    struct writer writer = {.text = text, .room = room};

    if (event->line < program->lines)
        writer.length = program_print_line(&program->line[event->line], text, room);
    else
        write_text(&writer, "the end");
    write_text(&writer, " -> ");
    if (event->skipped) {
        write_text(&writer, "skipped");
        if (event->mistake != DXGKMEM_VIOLATION_NONE) {
            write_text(&writer, ": nobody looks for ");
            write_text(&writer, dxgkmem_violation_name(event->mistake));
        }
        return write_close(&writer);
    }
    if (program_operations[event->opcode].role == PROGRAM_ROLE_ACCESS) {
        write_access(&writer, event);
        return write_close(&writer);
    }
    write_call(&writer, event);
    write_values(&writer, event);
    for (unsigned i = 0; i < event->reports; i++) {
        write_text(&writer, i == 0 ? ": " : ", ");
        write_report(&writer, program, event, i);
    }
    return write_close(&writer);
}
