/* SPDX-License-Identifier: MIT */
/*
 * The language of programs: the table is sound, both forms round-trip, and
 * every byte string decodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/engine/random.h"
#include "fuzz/program/operands.h"
#include "fuzz/program/program.h"
#include "fuzz/program/world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct program program, other;
static uint8_t bytes[PROGRAM_BYTES], more_bytes[PROGRAM_BYTES];
static char text[128 * 1024], more_text[128 * 1024];

/* -- the table --------------------------------------------------------------------- */

static bool is_word(const char *name)
{
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(name);
}

static void check_operand(const struct program_operation *operation, unsigned place)
{
    const struct program_operand *operand = &operation->operand[place];

    if (operand->name) {
        assert_true(is_word(operand->name));
        for (unsigned i = 0; i < place; i++) {
            if (operation->operand[i].name)
                assert_string_not_equal(operation->operand[i].name, operand->name);
        }
    } else {
        /* what has no key comes first, so that text can be read from left to right */
        assert_true(operand->type == PROGRAM_OPERAND_BIND || operand->type == PROGRAM_OPERAND_THING);
        if (place)
            assert_null(operation->operand[place - 1].name);
    }
    switch (operand->type) {
    case PROGRAM_OPERAND_BIND:
        assert_null(operand->name);
        assert_int_equal(operand->count, PROGRAM_VARIABLES);
        assert_true(operand->kind < PROGRAM_KINDS);
        break;
    case PROGRAM_OPERAND_THING:
        assert_int_equal(operand->count, PROGRAM_CLASSES * 16);
        assert_true(operand->kind < PROGRAM_KINDS && operand->preset < operand->count);
        break;
    case PROGRAM_OPERAND_CHOICE:
        assert_true(operand->count > 1 && operand->preset < operand->count);
        for (unsigned i = 0; i < operand->count; i++) {
            assert_true(is_word(operand->choices[i]));
            for (unsigned k = 0; k < i; k++)
                assert_string_not_equal(operand->choices[i], operand->choices[k]);
        }
        assert_null(operand->choices[operand->count]);
        break;
    case PROGRAM_OPERAND_NUMBER:
        assert_int_equal(operand->count, 0);
        assert_true(operand->taste <= PROGRAM_TASTE_ACCESS);
        assert_false(operand->negative && operand->bits);
        for (const struct program_bit *bit = operand->bits; bit && bit->name; bit++) {
            assert_true(is_word(bit->name) && bit->name[0] >= 'a' && strcmp(bit->name, "max") != 0);
            assert_true(bit->value && !(bit->value & (bit->value - 1)));
        }
        break;
    default:
        fail();
    }
}

static void test_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PROGRAM_OPCODES; i++) {
        const struct program_operation *operation = &program_operations[i];
        assert_non_null(operation->name);
        assert_true(is_word(operation->name));
        assert_string_not_equal(operation->name, "world");
        assert_non_null(operation->summary);
        assert_int_equal(operation->summary[strlen(operation->summary) - 1], '.');
        assert_true(operation->since >= 1 && operation->since <= PROGRAM_VERSION);
        assert_true(operation->operands <= PROGRAM_OPERANDS);
        assert_true(operation->ends <= PROGRAM_KINDS);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(program_operations[k].name, operation->name);
        bool names_what_it_ends = operation->ends == PROGRAM_KINDS;
        for (unsigned k = 0; k < operation->operands; k++) {
            check_operand(operation, k);
            names_what_it_ends |= operation->operand[k].type == PROGRAM_OPERAND_THING &&
                                  operation->operand[k].kind == operation->ends;
        }
        assert_true(names_what_it_ends);
    }
}

/* Opcodes, classes, choices and worlds are numbers in files: their places never change. */
static void test_places(void **state)
{
    static const char *const names[] = {
        "add",      "remove",    "create",   "destroy",   "open",     "close",   "map",
        "unmap",    "adl",       "free_adl", "pin",       "unpin",    "legacy",  "unrelated",
        "dma_read", "dma_write", "cpu_read", "cpu_write", "scribble", "process", "exit",
        "irql",     "fail",      "args",     "stop",
    };
    static const char *const classes[] = {"",        "null",     "garbage",  "wrong_kind", "next",
                                          "flipped", "recycled", "previous", "other"};
    static const char *const worlds[] = {"small", "holes", "high", "tiny", "huge"};
    const struct program_operand *create = program_operations[OP_CREATE].operand;

    (void)state;
    assert_true(PROGRAM_OPCODES >= COUNT(names));
    for (unsigned i = 0; i < COUNT(names); i++)
        assert_string_equal(program_operations[i].name, names[i]);
    assert_true(PROGRAM_CLASSES >= COUNT(classes));
    for (unsigned i = 0; i < COUNT(classes); i++)
        assert_string_equal(program_class_names[i], classes[i]);
    assert_true(PROGRAM_WORLDS >= COUNT(worlds));
    for (unsigned i = 0; i < COUNT(worlds); i++)
        assert_string_equal(program_world_names[i], worlds[i]);
    assert_null(program_world_names[PROGRAM_WORLDS]);
    assert_string_equal(program_kind_letters, "doalmh");
    assert_string_equal(create[CREATE_TYPE].choices[PROGRAM_TYPE_IO], "io");
    assert_string_equal(create[CREATE_CACHE].choices[PROGRAM_CACHE_WRITECOMBINED], "writecombined");
    assert_string_equal(create[CREATE_PROTECTION].choices[PROGRAM_PROTECTION_WRITECOPY], "writecopy");
    assert_string_equal(program_operations[OP_ADD].operand[ADD_WDDM].choices[PROGRAM_WDDM_3_2], "3.2");
    assert_int_equal(program_operations[OP_ADD].operand[ADD_WDDM].preset, PROGRAM_WDDM_3_2);
}

static void test_worlds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PROGRAM_WORLDS; i++) {
        const struct dxgkmem_sim_config *machine = &program_worlds[i].machine;
        uint64_t end = 0, ram = 0, io = 0;
        assert_non_null(program_worlds[i].summary);
        assert_true(machine->ranges >= 1 && machine->ranges <= DXGKMEM_SIM_RANGES);
        assert_true(machine->address_bits >= 32 && machine->address_bits <= 52);
        assert_true(!(machine->iotlb_entries & (machine->iotlb_entries - 1)));
        for (unsigned k = 0; k < machine->ranges; k++) {
            assert_true(machine->range[k].page >= end && machine->range[k].pages > 0);
            end = machine->range[k].page + machine->range[k].pages;
            *(machine->range[k].io ? &io : &ram) += machine->range[k].pages;
        }
        assert_true(end <= (uint64_t)1 << (machine->address_bits - 12));
        assert_true(ram > 0 && io > 0);
        if (i == WORLD_TINY)
            assert_int_equal(ram, 40);
        if (i == WORLD_HUGE)
            assert_true(ram == (uint64_t)1 << 31);
    }
}

/* -- the binary form ------------------------------------------------------------------- */

static uint64_t random_value(struct random *random, const struct program_operand *operand)
{
    if (operand->count)
        return random_below(random, operand->count);
    switch (random_below(random, 4)) {
    case 0:
        return operand->preset;
    case 1:
        return random_next(random) >> random_below(random, 64);
    case 2:
        return 0 - (random_next(random) >> random_below(random, 64));
    default:
        return (uint64_t)1 << random_below(random, 64);
    }
}

static void random_program(struct random *random, struct program *made, unsigned lines)
{
    memset(made, 0, sizeof(*made));
    made->world = (uint8_t)random_below(random, PROGRAM_WORLDS);
    made->lines = (uint16_t)lines;
    for (unsigned i = 0; i < lines; i++) {
        struct program_line *line = &made->line[i];
        line->opcode = (uint8_t)random_below(random, PROGRAM_OPCODES);
        for (unsigned k = 0; k < program_operations[line->opcode].operands; k++)
            line->operand[k] = random_value(random, &program_operations[line->opcode].operand[k]);
    }
}

static void check_round_trips(void)
{
    struct program_error error;
    size_t size = program_encode(&program, bytes, sizeof(bytes));

    assert_true(size >= 2);
    program_decode(&other, bytes, size);
    assert_true(program_equal(&program, &other));
    size_t length = program_print(&program, text, sizeof(text));
    assert_true(length < sizeof(text));
    if (!program_parse(&other, text, length, &error))
        fail_msg("line %u: %s\n%s", error.line, error.message, text);
    assert_true(program_equal(&program, &other));
    assert_int_equal(program_print(&other, more_text, sizeof(more_text)), length);
    assert_string_equal(text, more_text);
}

static void test_round_trips(void **state)
{
    struct random random = {1};

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        random_program(&random, &program, i % 1000 ? random_below(&random, 9) : PROGRAM_OPERATIONS);
        assert_true(program_valid(&program));
        check_round_trips();
    }
}

static void test_any_bytes_decode(void **state)
{
    struct random random = {2};

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        size_t size = random_below(&random, i % 1000 ? 200 : sizeof(bytes));
        /* an exact allocation, so that reading behind it is seen */
        uint8_t *input = malloc(size ? size : 1);
        assert_non_null(input);
        for (size_t k = 0; k < size; k++) {
            unsigned below = random_chance(&random, 128) ? 256 : 32;
            input[k] = (uint8_t)random_below(&random, below);
        }
        program_decode(&program, input, size);
        free(input);
        assert_true(program_valid(&program));
        check_round_trips();
        /* canonical: the same bytes again */
        size_t first = program_encode(&program, bytes, sizeof(bytes));
        program_decode(&other, bytes, first);
        assert_int_equal(program_encode(&other, more_bytes, sizeof(more_bytes)), first);
        assert_memory_equal(bytes, more_bytes, first);
    }
}

static void decode(const uint8_t *input, size_t size)
{
    memset(&program, 0xa5, sizeof(program));
    program_decode(&program, input, size);
}

/* A file of version 1 has fail lines without `then`. */
static void test_decode_versions(void **state)
{
    static const uint8_t first[] = {1, 0, OP_FAIL, 3, OP_STOP};
    static const uint8_t second[] = {2, 0, OP_FAIL, 3, 4, OP_STOP};

    (void)state;
    decode(first, sizeof(first));
    assert_int_equal(program.lines, 2);
    assert_int_equal(program.line[0].operand[FAIL_NTH], 3);
    assert_int_equal(program.line[0].operand[FAIL_THEN], 0);
    assert_int_equal(program.line[1].opcode, OP_STOP);
    decode(second, sizeof(second));
    assert_int_equal(program.lines, 2);
    assert_int_equal(program.line[0].operand[FAIL_THEN], 4);
}

static void test_decode_edges(void **state)
{
    static const uint8_t empty[] = {1};
    static const uint8_t world[] = {1, PROGRAM_WORLDS + WORLD_TINY};
    static const uint8_t unknown_version[] = {0xff, WORLD_HIGH, OP_STOP};
    static const uint8_t unknown_opcodes[] = {1, 0, PROGRAM_OPCODES, 0xff, OP_STOP};
    static const uint8_t cut[] = {1, 0, OP_STOP, OP_FREE_ADL, 0, 1};
    static const uint8_t cut_number[] = {1, 0, OP_STOP, OP_FAIL, 0x80};
    static const uint8_t reduced[] = {1,    0, OP_DESTROY, 0x9f, 0xff, OP_MAP, 0x25,
                                      0x25, 5, 0x80,       0,    0x81, 0x80,   0};

    (void)state;
    decode(NULL, 0);
    assert_int_equal(program.world, WORLD_SMALL);
    assert_int_equal(program.lines, 0);
    decode(empty, sizeof(empty));
    assert_int_equal(program.lines, 0);
    decode(world, sizeof(world));
    assert_int_equal(program.world, WORLD_TINY);
    assert_int_equal(program.lines, 0);
    decode(unknown_version, sizeof(unknown_version));
    assert_int_equal(program.world, WORLD_HIGH);
    assert_int_equal(program.lines, 1);
    decode(unknown_opcodes, sizeof(unknown_opcodes));
    assert_int_equal(program.lines, 1);
    assert_int_equal(program.line[0].opcode, OP_STOP);
    decode(cut, sizeof(cut));
    assert_int_equal(program.lines, 1);
    decode(cut_number, sizeof(cut_number));
    assert_int_equal(program.lines, 1);
    decode(reduced, sizeof(reduced));
    assert_int_equal(program.lines, 2);
    assert_int_equal(program.line[0].operand[DESTROY_OBJECT], PROGRAM_THING(PROGRAM_EXACT, 15));
    assert_int_equal(program.line[0].operand[DESTROY_WITH], PROGRAM_THING(15 % PROGRAM_CLASSES, 15));
    assert_int_equal(program.line[1].operand[MAP_MAPPING], 5);
    assert_int_equal(program.line[1].operand[MAP_OBJECT], PROGRAM_THING(PROGRAM_GARBAGE, 5));
    assert_int_equal(program.line[1].operand[MAP_MODE], 5 % 3);
    assert_int_equal(program.line[1].operand[MAP_OFFSET], 0); /* overlong */
    assert_int_equal(program.line[1].operand[MAP_SIZE], 1);
}

static void test_decode_long_numbers(void **state)
{
    /* ten bytes end a number, and what is above bit 63 is dropped */
    static const uint8_t long_number[] = {1,    0,    OP_FAIL, 0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff,    0xff, 0xff, 0xff, OP_STOP};
    static const uint8_t highest_bit[] = {1,    0,    OP_FAIL, 0x80, 0x80, 0x80, 0x80,
                                          0x80, 0x80, 0x80,    0x80, 0x80, 0x7f};

    (void)state;
    decode(long_number, sizeof(long_number));
    assert_int_equal(program.lines, 2);
    assert_true(program.line[0].operand[0] == UINT64_MAX);
    decode(highest_bit, sizeof(highest_bit));
    assert_int_equal(program.lines, 1);
    assert_true(program.line[0].operand[0] == (uint64_t)1 << 63);
}

static void test_decode_too_many(void **state)
{
    (void)state;
    memset(bytes, OP_STOP, sizeof(bytes));
    decode(bytes, sizeof(bytes));
    assert_int_equal(program.lines, PROGRAM_OPERATIONS);
}

static void test_encode_bounds(void **state)
{
    struct random random = {3};

    (void)state;
    random_program(&random, &program, 20);
    size_t size = program_encode(&program, bytes, sizeof(bytes)), sum = 2;
    for (unsigned i = 0; i < program.lines; i++)
        sum += program_line_bytes(&program.line[i]);
    assert_int_equal(sum, size);
    for (size_t room = 0; room < size; room++)
        assert_int_equal(program_encode(&program, more_bytes, room), 0);
    assert_int_equal(program_encode(&program, more_bytes, size), size);

    /* the longest program there is */
    memset(&program, 0, sizeof(program));
    program.lines = PROGRAM_OPERATIONS;
    for (unsigned i = 0; i < PROGRAM_OPERATIONS; i++) {
        program.line[i].opcode = OP_CREATE;
        for (unsigned k = 0; k < program_operations[OP_CREATE].operands; k++)
            program.line[i].operand[k] = program_operations[OP_CREATE].operand[k].count ? 0 : UINT64_MAX;
    }
    assert_true(program_encode(&program, bytes, sizeof(bytes)) > 0);
}

static void test_valid_and_equal(void **state)
{
    (void)state;
    memset(&program, 0, sizeof(program));
    program.lines = 1;
    program.line[0].opcode = OP_CLOSE;
    other = program;
    assert_true(program_valid(&program) && program_equal(&program, &other));
    other.line[1].opcode = 200; /* behind the end */
    assert_true(program_valid(&other) && program_equal(&program, &other));
    other.line[0].operand[7] = 1;
    assert_false(program_valid(&other));
    assert_false(program_equal(&program, &other));
    assert_int_equal(program_encode(&other, bytes, sizeof(bytes)), 0);
    other = program;
    other.line[0].operand[0] = PROGRAM_THING(PROGRAM_CLASSES, 0);
    assert_false(program_valid(&other));
    other = program;
    other.line[0].opcode = PROGRAM_OPCODES;
    assert_false(program_valid(&other) || program_equal(&program, &other));
    other = program;
    other.world = PROGRAM_WORLDS;
    assert_false(program_valid(&other) || program_equal(&program, &other));
    other = program;
    other.lines = PROGRAM_OPERATIONS + 1;
    assert_false(program_valid(&other) || program_equal(&program, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_worlds),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_any_bytes_decode),
        cmocka_unit_test(test_decode_versions),
        cmocka_unit_test(test_decode_edges),
        cmocka_unit_test(test_decode_long_numbers),
        cmocka_unit_test(test_decode_too_many),
        cmocka_unit_test(test_encode_bounds),
        cmocka_unit_test(test_valid_and_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
