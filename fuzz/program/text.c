/* SPDX-License-Identifier: MIT */
/*
 * The parser of the text form: lines to operations, and what to tell a person
 * who wrote a wrong one. Printing is in print.c.
 */
#include "bytes.h"
#include "program.h"
#include "writer.h"

/* A piece of the text; not terminated. */
struct token {
    const char *text;
    size_t size;
};

struct parser {
    struct program *program;
    const char *at, *end;  /* what is left of the text */
    const char *line_end;  /* of the present line, its comment cut off */
    struct writer message; /* of the error */
    unsigned line;         /* from 1 */
    bool failed;
    bool world_seen;
};

/* -- messages ---------------------------------------------------------------- */

/* As much of a token as fits a message, in quotes; bytes that are no text as '?'. */
#define QUOTED_AT_MOST 24

static void say_token(struct parser *parser, struct token token)
{
    write_character(&parser->message, '\'');
    for (size_t i = 0; i < token.size && i < QUOTED_AT_MOST; i++) {
        char character = token.text[i];
        if (character < ' ' || character > '~')
            character = '?';
        write_character(&parser->message, character);
    }
    if (token.size > QUOTED_AT_MOST)
        write_text(&parser->message, "...");
    write_character(&parser->message, '\'');
}

static void say(struct parser *parser, const char *text)
{
    write_text(&parser->message, text);
}

/* Begins a message; the caller says the rest. Always false, for `return`. */
static bool fail(struct parser *parser, const char *text)
{
    parser->failed = true;
    say(parser, text);
    return false;
}

static bool fail_token(struct parser *parser, const char *before, struct token token, const char *after)
{
    fail(parser, before);
    say_token(parser, token);
    say(parser, after);
    return false;
}

static void say_list(struct parser *parser, const char *const *list)
{
    for (unsigned i = 0; list[i]; i++) {
        if (i)
            say(parser, ", ");
        say(parser, list[i]);
    }
}

/* "an adapter memory object like a0" */
static void say_kind(struct parser *parser, enum program_kind kind)
{
    say(parser, program_kind_words[kind]);
    say(parser, " like ");
    write_character(&parser->message, program_kind_letters[kind]);
    write_character(&parser->message, '0');
}

/* -- tokens ------------------------------------------------------------------ */

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static bool token_is(struct token token, const char *name)
{
    size_t i = 0;

    while (i < token.size && name[i] && token.text[i] == name[i])
        i++;
    return i == token.size && !name[i];
}

/* The next token of the line; size 0 at its end. */
static struct token next_token(struct parser *parser)
{
    struct token token;

    while (parser->at < parser->line_end && is_blank(*parser->at))
        parser->at++;
    token.text = parser->at;
    while (parser->at < parser->line_end && !is_blank(*parser->at))
        parser->at++;
    token.size = (size_t)(parser->at - token.text);
    return token;
}

/* Cuts a token at the first `separator`: returns what is before it and leaves what is behind. */
static bool cut_token(struct token *token, char separator, struct token *before)
{
    for (size_t i = 0; i < token->size; i++) {
        if (token->text[i] != separator)
            continue;
        before->text = token->text;
        before->size = i;
        token->text += i + 1;
        token->size -= i + 1;
        return true;
    }
    return false;
}

/* Place of a token in a list that ends with NULL, or -1. */
static int find_name(const char *const *list, struct token token)
{
    for (int i = 0; list[i]; i++) {
        if (token_is(token, list[i]))
            return i;
    }
    return -1;
}

/* How many letters to add, drop or change to come from a token to a name; both are cut at 15. */
static unsigned distance(struct token token, const char *name)
{
    uint8_t row[16];
    unsigned width = token.size < 15 ? (unsigned)token.size : 15;

    for (unsigned i = 0; i <= width; i++)
        row[i] = (uint8_t)i;
    for (unsigned k = 0; k < 15 && name[k]; k++) {
        unsigned diagonal = row[0];
        row[0] = (uint8_t)(k + 1);
        for (unsigned i = 1; i <= width; i++) {
            unsigned best = diagonal + (token.text[i - 1] != name[k]);
            if (row[i] + 1u < best)
                best = row[i] + 1u;
            if (row[i - 1] + 1u < best)
                best = row[i - 1] + 1u;
            diagonal = row[i];
            row[i] = (uint8_t)best;
        }
    }
    return row[width];
}

/* -- values ------------------------------------------------------------------ */

static int digit_value(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

static bool parse_number(struct parser *parser, struct token token, uint64_t *value)
{
    struct token digits = token;
    unsigned base = 10;
    uint64_t number = 0;

    *value = ~(uint64_t)0;
    if (token_is(token, "max"))
        return true;
    if (digits.size > 2 && digits.text[0] == '0' && (digits.text[1] == 'x' || digits.text[1] == 'X')) {
        base = 16;
        digits.text += 2;
        digits.size -= 2;
    }
    if (!digits.size)
        return fail(parser, "expected a number, found nothing");
    for (size_t i = 0; i < digits.size; i++) {
        int digit = digit_value(digits.text[i]);
        if (digit < 0 || digit >= (int)base)
            return fail_token(parser, "expected a number like 12, 0x3000 or max, found ", token, "");
        if (number > (~(uint64_t)0 - (unsigned)digit) / base)
            return fail_token(parser, "the number ", token, " is above 2^64 - 1");
        number = number * base + (unsigned)digit;
    }
    *value = number;
    return true;
}

static bool parse_signed(struct parser *parser, struct token token, uint64_t *value)
{
    struct token magnitude = token;

    if (!token.size || token.text[0] != '-')
        return parse_number(parser, token, value);
    magnitude.text++;
    magnitude.size--;
    if (!parse_number(parser, magnitude, value))
        return false;
    if (*value > (uint64_t)1 << 63)
        return fail_token(parser, "the number ", token, " is below -2^63");
    *value = 0 - *value;
    return true;
}

/* One name of a bit, or a number. */
static bool parse_bit(struct parser *parser, const struct program_bit *bits, struct token token,
                      uint64_t *value)
{
    for (const struct program_bit *bit = bits; bit->name; bit++) {
        if (token_is(token, bit->name)) {
            *value = bit->value;
            return true;
        }
    }
    if (token_is(token, "max") || (token.size && digit_value(token.text[0]) >= 0 && token.text[0] <= '9'))
        return parse_number(parser, token, value);
    fail_token(parser, "expected a number or names joined by |, found ", token, "; the names: ");
    for (const struct program_bit *bit = bits; bit->name; bit++) {
        if (bit != bits)
            say(parser, ", ");
        say(parser, bit->name);
    }
    return false;
}

static bool parse_bits(struct parser *parser, const struct program_bit *bits, struct token token,
                       uint64_t *value)
{
    struct token part;
    uint64_t all = 0, one;

    while (cut_token(&token, '|', &part)) {
        if (!parse_bit(parser, bits, part, &one))
            return false;
        all |= one;
    }
    if (!parse_bit(parser, bits, token, &one))
        return false;
    *value = all | one;
    return true;
}

/* A variable of a kind, without class. */
static bool parse_variable(struct parser *parser, enum program_kind kind, struct token token, uint64_t *value)
{
    unsigned number = 0;
    bool fits = token.size >= 2 && token.size <= 3 && token.text[0] == program_kind_letters[kind] &&
                !(token.size == 3 && token.text[1] == '0');

    for (size_t i = 1; fits && i < token.size; i++) {
        fits = token.text[i] >= '0' && token.text[i] <= '9';
        number = number * 10 + (unsigned)(token.text[i] - '0');
    }
    if (fits && number < PROGRAM_VARIABLES) {
        *value = number;
        return true;
    }
    fail(parser, "expected ");
    say_kind(parser, kind);
    if (fits)
        say(parser, " (to 15)");
    if (!token.size)
        say(parser, ", found nothing");
    else
        fail_token(parser, ", found ", token, "");
    return false;
}

static bool parse_bind(struct parser *parser, enum program_kind kind, struct token token, uint64_t *value)
{
    struct token variable = token, class;

    if (cut_token(&variable, ':', &class) || token_is(token, program_class_names[PROGRAM_NULL])) {
        fail_token(parser, "", token, " has a class; this operation makes the thing: write ");
        say_kind(parser, kind);
        return false;
    }
    return parse_variable(parser, kind, token, value);
}

static bool parse_thing(struct parser *parser, enum program_kind kind, struct token token, uint64_t *value)
{
    struct token variable = token, name;
    uint64_t number;

    if (token_is(token, program_class_names[PROGRAM_NULL])) {
        *value = PROGRAM_THING(PROGRAM_NULL, 0);
        return true;
    }
    if (!cut_token(&variable, ':', &name))
        return parse_variable(parser, kind, token, value);
    for (unsigned class = PROGRAM_EXACT + 1; class < PROGRAM_CLASSES; class ++) {
        if (!token_is(name, program_class_names[class]))
            continue;
        if (!parse_variable(parser, kind, variable, &number))
            return false;
        *value = PROGRAM_THING(class, number);
        return true;
    }
    fail_token(parser, "unknown class ", name, "; classes: ");
    for (unsigned class = PROGRAM_EXACT + 1; class < PROGRAM_CLASSES; class ++) {
        if (class > PROGRAM_EXACT + 1)
            say(parser, ", ");
        say(parser, program_class_names[class]);
    }
    return false;
}

static bool parse_choice(struct parser *parser, const struct program_operand *operand, struct token token,
                         uint64_t *value)
{
    int place = find_name(operand->choices, token);

    if (place < 0) {
        fail(parser, operand->name);
        fail_token(parser, "= does not take ", token, "; it takes ");
        say_list(parser, operand->choices);
        return false;
    }
    *value = (uint64_t)place;
    return true;
}

static bool parse_value(struct parser *parser, const struct program_operand *operand, struct token token,
                        uint64_t *value)
{
    switch (operand->type) {
    case PROGRAM_OPERAND_BIND:
        return parse_bind(parser, operand->kind, token, value);
    case PROGRAM_OPERAND_THING:
        return parse_thing(parser, operand->kind, token, value);
    case PROGRAM_OPERAND_CHOICE:
        return parse_choice(parser, operand, token, value);
    case PROGRAM_OPERAND_NUMBER:
        break;
    }
    if (operand->bits)
        return parse_bits(parser, operand->bits, token, value);
    if (operand->negative)
        return parse_signed(parser, token, value);
    return parse_number(parser, token, value);
}

/* -- lines ------------------------------------------------------------------- */

static void say_keys(struct parser *parser, const struct program_operation *operation)
{
    bool any = false;

    for (unsigned i = 0; i < operation->operands; i++) {
        if (!operation->operand[i].name)
            continue;
        say(parser, any ? ", " : "it takes ");
        say(parser, operation->operand[i].name);
        any = true;
    }
    if (!any)
        say(parser, "it takes no keys");
}

/* key=value, where `keyed` has one bit for each operand that was given already. */
static bool parse_keyed(struct parser *parser, struct program_line *line, struct token token, unsigned *keyed)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    struct token value = token, key;

    if (!cut_token(&value, '=', &key)) {
        fail_token(parser, "expected key=value, found ", token, "; ");
        say_keys(parser, operation);
        return false;
    }
    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        if (!operand->name || !token_is(key, operand->name))
            continue;
        if (*keyed >> i & 1)
            return fail_token(parser, "the key ", key, " is given twice");
        *keyed |= 1u << i;
        return parse_value(parser, operand, value, &line->operand[i]);
    }
    fail(parser, operation->name);
    fail_token(parser, " has no key ", key, "; ");
    say_keys(parser, operation);
    return false;
}

static bool parse_operands(struct parser *parser, struct program_line *line)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    struct token token;
    unsigned keyed = 0;

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        line->operand[i] = operand->preset;
        if (operand->name)
            continue;
        token = next_token(parser);
        if (!parse_value(parser, operand, token, &line->operand[i]))
            return false;
    }
    for (unsigned i = operation->operands; i < PROGRAM_OPERANDS; i++)
        line->operand[i] = 0;
    while (token = next_token(parser), token.size) {
        if (!parse_keyed(parser, line, token, &keyed))
            return false;
    }
    return true;
}

static bool parse_world(struct parser *parser)
{
    struct token token = next_token(parser), more;
    int world = find_name(program_world_names, token);

    if (parser->world_seen)
        return fail(parser, "a second world line; a program has one world");
    if (parser->program->lines)
        return fail(parser, "the world line must come before every operation");
    if (world < 0) {
        fail_token(parser, "unknown world ", token, "; worlds: ");
        say_list(parser, program_world_names);
        return false;
    }
    more = next_token(parser);
    if (more.size)
        return fail_token(parser, "expected the end of the world line, found ", more, "");
    parser->program->world = (uint8_t)world;
    parser->world_seen = true;
    return true;
}

static bool parse_operation(struct parser *parser, struct token name)
{
    struct program *program = parser->program;
    unsigned nearest = 0, best = ~0u;

    for (unsigned opcode = 0; opcode < PROGRAM_OPCODES; opcode++) {
        if (token_is(name, program_operations[opcode].name)) {
            if (program->lines == PROGRAM_OPERATIONS)
                return fail(parser, "too many operations: a program has 128 at most");
            program->line[program->lines].opcode = (uint8_t)opcode;
            program->line[program->lines].source = (uint16_t)(parser->line <= UINT16_MAX ? parser->line : 0);
            if (!parse_operands(parser, &program->line[program->lines]))
                return false;
            program->lines++;
            return true;
        }
        unsigned far = distance(name, program_operations[opcode].name);
        if (far < best) {
            best = far;
            nearest = opcode;
        }
    }
    fail_token(parser, "unknown operation ", name, "; the nearest is ");
    say(parser, program_operations[nearest].name);
    return false;
}

/* Finds the end of the present line and of its text before a comment; false when a byte is no text. */
static bool find_line_end(struct parser *parser, const char **next)
{
    const char *p = parser->at;
    const char *comment = NULL;

    for (; p < parser->end && *p != '\n'; p++) {
        unsigned char byte = (unsigned char)*p;
        bool carriage_return = byte == '\r' && (p + 1 == parser->end || p[1] == '\n');
        if ((byte < ' ' && byte != '\t' && !carriage_return) || byte == 0x7f) {
            fail(parser, "the byte ");
            write_hexadecimal(&parser->message, byte);
            say(parser, byte ? " is not text" : " (NUL) is not text; is this a binary program?");
            return false;
        }
        if (byte == '#' && !comment)
            comment = p;
    }
    *next = p < parser->end ? p + 1 : p;
    if (comment)
        p = comment;
    else if (p > parser->at && p[-1] == '\r')
        p--;
    parser->line_end = p;
    return true;
}

static void parse_lines(struct parser *parser)
{
    const char *next;

    for (parser->line = 1; parser->at < parser->end; parser->line++) {
        if (!find_line_end(parser, &next))
            return;
        struct token name = next_token(parser);
        if (name.size && !(token_is(name, "world") ? parse_world(parser) : parse_operation(parser, name)))
            return;
        parser->at = next;
    }
}

bool program_parse(struct program *program, const char *text, size_t size, struct program_error *error)
{
    struct parser parser;

    parser.program = program;
    parser.at = text;
    parser.end = size ? text + size : text;
    parser.failed = false;
    parser.world_seen = false;
    parser.message = (struct writer){error ? error->message : NULL, error ? sizeof(error->message) : 0, 0};
    program->world = WORLD_SMALL;
    program->lines = 0;

    /* the byte order mark that some editors put first */
    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
        parser.at += 3;
    parse_lines(&parser);
    if (parser.failed) {
        program->world = WORLD_SMALL;
        program->lines = 0;
    }
    write_close(&parser.message);
    if (error)
        error->line = parser.failed ? parser.line : 0;
    return !parser.failed;
}

bool program_is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < 9)
            return false;
    }
    return true;
}
