/* SPDX-License-Identifier: MIT */
/*
 * Property: every byte string can be given to the parser, which accepts it or
 * says why not; what it accepts is printed and parsed again as the same
 * program, and printing is canonical. Every byte string decodes, and what it
 * decodes to survives printing and parsing, encoding and decoding.
 *
 * Input: any bytes. They are taken as text, and as a binary program.
 */
#include "targets/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line at its longest is far below this. */
#define TEXT_BYTES (PROGRAM_OPERATIONS * 1024)

static struct program given, again;
static char text[TEXT_BYTES], text_again[TEXT_BYTES];
static uint8_t encoded[PROGRAM_BYTES];

static void broken(const char *what)
{
    fprintf(stderr, "\nfinding: %s\n%s", what, text);
    abort();
}

static void round_trip(void)
{
    struct program_error error = {0, ""};
    size_t length = program_print(&given, text, sizeof text);

    if (length >= sizeof text || strlen(text) != length)
        broken("the printer's length is wrong");
    if (!program_is_text((const uint8_t *)text, length))
        broken("printed text is not taken for text");
    if (!program_parse(&again, text, length, &error)) {
        fprintf(stderr, "\nline %u: %s", error.line, error.message);
        broken("printed text is refused by the parser");
    }
    if (!program_equal(&given, &again))
        broken("parsing the printed text gives another program");
    if (program_print(&again, text_again, sizeof text_again) != length ||
        memcmp(text, text_again, length + 1) != 0)
        broken("the printed form is not canonical");

    length = program_encode(&given, encoded, sizeof encoded);
    if (!length)
        broken("a program does not fit into its bound");
    if (program_is_text(encoded, length))
        broken("the binary form is taken for text");
    program_decode(&again, encoded, length);
    if (!program_equal(&given, &again))
        broken("decoding the binary form gives another program");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct program_error error = {0, ""};

    text[0] = '\0';
    program_decode(&given, bytes, size);
    round_trip();

    (void)program_is_text(bytes, size);
    if (program_parse(&given, (const char *)bytes, size, &error))
        round_trip();
    else if (error.line == 0 || error.message[0] == '\0' ||
             !memchr(error.message, '\0', sizeof error.message))
        broken("a refusal says neither where nor why");
    return 0;
}
