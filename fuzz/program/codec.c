/* SPDX-License-Identifier: MIT */
/*
 * The binary form of programs: decoding, encoding, comparing.
 *
 * Decoding is total and costs one pass over the bytes. What the bytes mean is
 * in the table of operations alone.
 */
#include "program.h"

#define HEADER_BYTES 2
#define NUMBER_BYTES 10
#define LINE_BYTES (1 + PROGRAM_OPERANDS * NUMBER_BYTES) /* at most */

/*
 * The rest of a number whose first byte says that more follow. At most ten
 * bytes in all, whatever they are; NULL when the bytes end before the number does.
 */
static const uint8_t *read_number(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    uint64_t number = *at & 0x7f;
    unsigned shift = 7;

    if (end - at > NUMBER_BYTES)
        end = at + NUMBER_BYTES;
    const uint8_t *last = at + NUMBER_BYTES;
    while (++at != end) {
        uint64_t byte = *at;
        number |= (byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80 || at + 1 == last) {
            *value = number;
            return at + 1;
        }
    }
    return NULL;
}

/*
 * Reads the operands that line->opcode has in this version and zeroes the slots behind them; NULL when
 * the bytes end too early.
 */
static const uint8_t *read_operands(struct program_line *line, uint8_t version, const uint8_t *at,
                                    const uint8_t *end)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    const struct program_operand *operand = operation->operand;
    uint64_t *value = line->operand;

    for (const uint64_t *stop = value + operation->operands; value != stop; value++, operand++) {
        if (operand->since > version) {
            *value = operand->preset;
            continue;
        }
        if (at == end)
            return NULL;
        uint8_t byte = *at;
        if (operand->count) {
            /* a thing's class goes round as well: there are count / 16 of them */
            *value = byte < operand->count ? byte : (uint8_t)(byte % operand->count);
        } else if (byte < 0x80) {
            *value = byte;
        } else {
            at = read_number(at, end, value);
            if (!at)
                return NULL;
            continue;
        }
        at++;
    }
    while (value != line->operand + PROGRAM_OPERANDS)
        *value++ = 0;
    return at;
}

void program_decode(struct program *program, const uint8_t *bytes, size_t size)
{
    uint8_t version = 1;
    uint16_t lines = 0;

    program->world = size > 1 ? bytes[1] % PROGRAM_WORLDS : WORLD_SMALL;
    program->lines = 0;
    if (size <= HEADER_BYTES)
        return;
    if (bytes[0] >= 1 && bytes[0] <= PROGRAM_VERSION)
        version = bytes[0];

    const uint8_t *at = bytes + HEADER_BYTES, *end = bytes + size;
    while (at != end && lines < PROGRAM_OPERATIONS) {
        uint8_t opcode = *at++;
        if (opcode >= PROGRAM_OPCODES || program_operations[opcode].since > version)
            continue;
        program->line[lines].opcode = opcode;
        program->line[lines].source = 0;
        at = read_operands(&program->line[lines], version, at, end);
        if (!at)
            break;
        lines++;
    }
    program->lines = lines;
}

static size_t number_bytes(uint64_t number)
{
    size_t bytes = 1;

    while (number >= 0x80) {
        number >>= 7;
        bytes++;
    }
    return bytes;
}

size_t program_line_bytes(const struct program_line *line)
{
    const struct program_operation *operation = &program_operations[line->opcode];
    size_t bytes = 1;

    for (unsigned i = 0; i < operation->operands; i++)
        bytes += operation->operand[i].count ? 1 : number_bytes(line->operand[i]);
    return bytes;
}

static bool line_valid(const struct program_line *line)
{
    if (line->opcode >= PROGRAM_OPCODES)
        return false;

    const struct program_operation *operation = &program_operations[line->opcode];
    unsigned i;
    for (i = 0; i < operation->operands; i++) {
        uint8_t count = operation->operand[i].count;
        if (count && line->operand[i] >= count)
            return false;
    }
    for (; i < PROGRAM_OPERANDS; i++) {
        if (line->operand[i])
            return false;
    }
    return true;
}

static uint8_t *write_line(const struct program_line *line, uint8_t *at)
{
    const struct program_operand *operand = program_operations[line->opcode].operand;
    const uint64_t *value = line->operand, *stop = value + program_operations[line->opcode].operands;

    *at++ = line->opcode;
    for (; value != stop; value++, operand++) {
        uint64_t rest = *value;
        if (!operand->count) {
            for (; rest >= 0x80; rest >>= 7)
                *at++ = (uint8_t)(rest | 0x80);
        }
        *at++ = (uint8_t)rest;
    }
    return at;
}

size_t program_encode(const struct program *program, uint8_t *bytes, size_t room)
{
    uint8_t *at = bytes, *end = bytes + room;

    if (program->world >= PROGRAM_WORLDS || program->lines > PROGRAM_OPERATIONS || room < HEADER_BYTES)
        return 0;
    *at++ = PROGRAM_VERSION;
    *at++ = program->world;
    for (unsigned i = 0; i < program->lines; i++) {
        const struct program_line *line = &program->line[i];
        if (!line_valid(line))
            return 0;
        /* its length is only looked at where room gets scarce */
        if ((size_t)(end - at) < LINE_BYTES && (size_t)(end - at) < program_line_bytes(line))
            return 0;
        at = write_line(line, at);
    }
    return (size_t)(at - bytes);
}

bool program_valid(const struct program *program)
{
    if (program->world >= PROGRAM_WORLDS || program->lines > PROGRAM_OPERATIONS)
        return false;
    for (unsigned i = 0; i < program->lines; i++) {
        if (!line_valid(&program->line[i]))
            return false;
    }
    return true;
}

bool program_equal(const struct program *one, const struct program *other)
{
    if (one->world != other->world || one->lines != other->lines)
        return false;
    for (unsigned i = 0; i < one->lines; i++) {
        if (one->line[i].opcode != other->line[i].opcode)
            return false;
        for (unsigned k = 0; k < PROGRAM_OPERANDS; k++) {
            if (one->line[i].operand[k] != other->line[i].operand[k])
                return false;
        }
    }
    return true;
}
