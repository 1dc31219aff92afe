/* SPDX-License-Identifier: MIT */
/* Writes argument blocks as C; see csource_block.h. */
#include "tool/csource_block.h"

#include "program/operands.h"

#include <inttypes.h>

static const char *const kind_names[PROGRAM_KINDS] = {"adapter", "object",  "adapter_object",
                                                      "adl",     "mapping", "memory"};

const char *csource_variable(const struct csource_writer *writer, int thing, char *text)
{
    const struct recording_thing *it = &writer->recording->thing[thing];

    if (writer->how->driver && it->view.kind == PROGRAM_ADAPTER)
        snprintf(text, CSOURCE_NAME, "adapter");
    else if (it->life > 1)
        snprintf(text, CSOURCE_NAME, "%s%u_%u", kind_names[it->view.kind], it->view.variable, it->life);
    else
        snprintf(text, CSOURCE_NAME, "%s%u", kind_names[it->view.kind], it->view.variable);
    return text;
}

static bool bits_of_handle(const struct csource_writer *writer, unsigned operand)
{
    return program_is_handle(program_operations[writer->line->opcode].operand[operand].kind);
}

void csource_value(struct csource_writer *writer, unsigned operand, uint64_t shift)
{
    const struct runner_passed *value = csource_passed(writer, operand);
    enum program_kind kind = program_operations[writer->line->opcode].operand[operand].kind;
    FILE *to = writer->body;
    char name[CSOURCE_NAME];

    if (value->thing < 0) {
        if (value->value == 0)
            fputs("NULL", to);
        else
            fprintf(to, "(HANDLE)(ULONG_PTR)0x%" PRIx64, value->value);
        return;
    }
    csource_variable(writer, value->thing, name);
    if (value->class == PROGRAM_NEXT || value->class == PROGRAM_FLIPPED) {
        bool next = value->class == PROGRAM_NEXT;
        uint64_t far = kind == PROGRAM_ADL ? sizeof(DXGK_ADL) : 4096;

        if (bits_of_handle(writer, operand) && !writer->how->driver) {
            writer->needs |= NEEDS_BITS;
            fprintf(to, "other_bits(%s, %d)", name, next);
        } else if (next) {
            fprintf(to, "(void *)((ULONG_PTR)%s + %" PRIu64 ")", name,
                    bits_of_handle(writer, operand) ? 1 : far);
        } else {
            fprintf(to, "(void *)((ULONG_PTR)%s ^ %u)", name, kind == PROGRAM_MAPPING ? 4096u : 8u);
        }
    } else if (shift) {
        fprintf(to, "(void *)((ULONG_PTR)%s + (ULONG_PTR)0x%" PRIx64 ")", name, shift);
    } else {
        fputs(name, to);
    }
}

void csource_field(struct csource_writer *writer, const char *name, unsigned operand)
{
    fprintf(writer->body, "            .%s = ", name);
    csource_value(writer, operand, 0);
    fputs(",\n", writer->body);
}

void csource_field_number(struct csource_writer *writer, const char *name, uint64_t value)
{
    if (value)
        fprintf(writer->body,
                value < 10 ? "            .%s = %" PRIu64 ",\n" : "            .%s = 0x%" PRIx64 ",\n", name,
                value);
}

void csource_field_address(struct csource_writer *writer, const char *name, uint64_t value)
{
    if (value)
        fprintf(writer->body, "            .%s.QuadPart = (LONGLONG)0x%" PRIx64 ",\n", name, value);
}

void csource_open(struct csource_writer *writer, const char *type)
{
    fprintf(writer->body, "    {\n        %s args = {\n", type);
}

const char *csource_interface(struct csource_writer *writer)
{
    uint8_t opcode = writer->line->opcode;

    if (writer->how->driver || (opcode != OP_LEGACY && opcode < OP_CONTIGUOUS)) {
        writer->needs |= NEEDS_INTERFACE;
        return "dxgk";
    }
    writer->needs |= opcode == OP_LEGACY ? NEEDS_REFUSING : NEEDS_OFFERING;
    return opcode == OP_LEGACY ? "refuses" : "dxgk24";
}

void csource_call(struct csource_writer *writer, const char *member, bool has_status, int handle)
{
    FILE *to = writer->body;

    fputs("        };\n", to);
    csource_look_before(writer);
    fprintf(to, "        %s%s->%s(", has_status ? "status = " : "", csource_interface(writer), member);
    if (handle >= 0) {
        csource_value(writer, (unsigned)handle, 0);
        fputs(", ", to);
    }
    if (writer->spoiled == PROGRAM_HOW_NULL) {
        fputs("NULL);\n        (void)args;\n", to);
    } else if (writer->spoiled == PROGRAM_HOW_MISALIGNED && !writer->how->driver) {
        writer->needs |= NEEDS_MISALIGNED;
        fputs("misaligned(&args, sizeof args));\n", to);
    } else if (writer->spoiled == PROGRAM_HOW_MISALIGNED) {
        fputs("(void *)((char *)&args + 1));\n", to);
    } else {
        fputs("&args);\n", to);
    }
    csource_look_after(writer);
    writer->spoiled = -1;
}

void csource_close(struct csource_writer *writer)
{
    fputs("    }\n", writer->body);
}

void csource_take(struct csource_writer *writer, enum program_kind kind, const char *member)
{
    char name[CSOURCE_NAME];
    int thing = csource_made(writer, kind);

    if (thing < 0 || !(writer->uses[thing] & (USES_VALUE | USES_TOLD)))
        return;
    csource_variable(writer, thing, name);
    if (writer->uses[thing] & USES_VALUE)
        fprintf(writer->body, "        %s = args.%s;\n", name, member);
    if (writer->uses[thing] & USES_TOLD)
        fprintf(writer->body, "        %s_told = remember(args.%s);\n", name, member);
    if (kind == PROGRAM_MAPPING && writer->uses[thing] & USES_SIZE)
        fprintf(writer->body, "        %s_size = args.Size;\n", name);
}
