/* SPDX-License-Identifier: MIT */
/*
 * Programs as text: the canonical form that text.c reads back.
 */
#include "program.h"
#include "writer.h"

static void print_number(struct writer *writer, uint64_t value)
{
    if (value == ~(uint64_t)0)
        write_text(writer, "max");
    else if (value < 10)
        write_decimal(writer, value);
    else
        write_hexadecimal(writer, value);
}

static void print_signed(struct writer *writer, uint64_t value)
{
    if (value >> 63) {
        write_character(writer, '-');
        value = 0 - value;
    }
    print_number(writer, value);
}

/* Names of the bits that have one, then the rest as a number. */
static void print_bits(struct writer *writer, const struct program_bit *bit, uint64_t value)
{
    bool any = false;

    if (value == ~(uint64_t)0 || value == 0) {
        print_number(writer, value);
        return;
    }
    for (; bit->name; bit++) {
        if ((value & bit->value) != bit->value)
            continue;
        if (any)
            write_character(writer, '|');
        write_text(writer, bit->name);
        value &= ~bit->value;
        any = true;
    }
    if (value) {
        if (any)
            write_character(writer, '|');
        print_number(writer, value);
    }
}

static void print_variable(struct writer *writer, enum program_kind kind, uint64_t value)
{
    write_character(writer, program_kind_letters[kind]);
    write_decimal(writer, PROGRAM_VARIABLE_OF(value));
}

static void print_thing(struct writer *writer, enum program_kind kind, uint64_t value)
{
    enum program_class class = PROGRAM_CLASS_OF(value);

    if (class != PROGRAM_EXACT && class < PROGRAM_CLASSES) {
        write_text(writer, program_class_names[class]);
        if (class == PROGRAM_NULL && PROGRAM_VARIABLE_OF(value) == 0)
            return;
        write_character(writer, ':');
    }
    print_variable(writer, kind, value);
}

static void print_operand(struct writer *writer, const struct program_operand *operand, uint64_t value)
{
    write_character(writer, ' ');
    if (operand->name) {
        write_text(writer, operand->name);
        write_character(writer, '=');
    }
    switch (operand->type) {
    case PROGRAM_OPERAND_BIND:
        print_variable(writer, operand->kind, value);
        break;
    case PROGRAM_OPERAND_THING:
        print_thing(writer, operand->kind, value);
        break;
    case PROGRAM_OPERAND_CHOICE:
        write_text(writer, operand->choices[value % operand->count]);
        break;
    case PROGRAM_OPERAND_NUMBER:
        if (operand->bits)
            print_bits(writer, operand->bits, value);
        else if (operand->negative)
            print_signed(writer, value);
        else
            print_number(writer, value);
        break;
    }
}

static void print_line(struct writer *writer, const struct program_line *line)
{
    if (line->opcode >= PROGRAM_OPCODES) {
        write_text(writer, "# unknown operation ");
        write_decimal(writer, line->opcode);
        return;
    }

    const struct program_operation *operation = &program_operations[line->opcode];
    write_text(writer, operation->name);
    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        if (!operand->name || line->operand[i] != operand->preset)
            print_operand(writer, operand, line->operand[i]);
    }
}

size_t program_print_line(const struct program_line *line, char *text, size_t room)
{
    struct writer writer = {text, room, 0};

    print_line(&writer, line);
    return write_close(&writer);
}

size_t program_print(const struct program *program, char *text, size_t room)
{
    struct writer writer = {text, room, 0};

    write_text(&writer, "world ");
    write_text(&writer, program_world_names[program->world % PROGRAM_WORLDS]);
    write_character(&writer, '\n');
    for (unsigned i = 0; i < program->lines; i++) {
        print_line(&writer, &program->line[i]);
        write_character(&writer, '\n');
    }
    return write_close(&writer);
}
