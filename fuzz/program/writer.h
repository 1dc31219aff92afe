/* SPDX-License-Identifier: MIT */
/*
 * Writing text into a bounded buffer without a C library.
 *
 * A writer counts what it would need and keeps what fits; close it once to
 * terminate the text. With room 0 it only counts, and text may be NULL.
 */
#ifndef DXGKMEM_PROGRAM_WRITER_H
#define DXGKMEM_PROGRAM_WRITER_H

#include <dxgkmem/ddi_base.h>

struct writer {
    char *text;
    size_t room;
    size_t length; /* that it would need, without the terminator */
};

static inline void write_character(struct writer *writer, char character)
{
    if (writer->length < writer->room)
        writer->text[writer->length] = character;
    writer->length++;
}

static inline void write_text(struct writer *writer, const char *text)
{
    while (*text)
        write_character(writer, *text++);
}

static inline void write_in_base(struct writer *writer, uint64_t number, unsigned base)
{
    char digit[20];
    unsigned digits = 0;

    do {
        digit[digits++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    while (digits)
        write_character(writer, digit[--digits]);
}

static inline void write_decimal(struct writer *writer, uint64_t number)
{
    write_in_base(writer, number, 10);
}

static inline void write_hexadecimal(struct writer *writer, uint64_t number)
{
    write_text(writer, "0x");
    write_in_base(writer, number, 16);
}

/* Terminates, cutting when it must; returns the length that the text would need. */
static inline size_t write_close(struct writer *writer)
{
    if (writer->room)
        writer->text[writer->length < writer->room ? writer->length : writer->room - 1] = '\0';
    return writer->length;
}

#endif
