/* SPDX-License-Identifier: MIT */
/* The small functions of core.h: page counts, powers of two, lists, and that mixing loses nothing. */
#include "tests/support/world.h"

#include "core/core.h"

static void pages(void **state)
{
    (void)state;
    assert_int_equal(pages_of(0), 0);
    assert_int_equal(pages_of(1), 1);
    assert_int_equal(pages_of(PAGE), 1);
    assert_int_equal(pages_of(PAGE + 1), 2);
    assert_int_equal(pages_of(UINT64_MAX), (uint64_t)1 << 52);
    assert_true(is_page_multiple(0));
    assert_true(is_page_multiple(3 * PAGE));
    assert_false(is_page_multiple(3 * PAGE + 1));
    assert_false(is_page_multiple(PAGE / 2));
}

static void powers_of_two(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 4096; value++) {
        unsigned ones = 0;
        for (uint64_t rest = value; rest != 0; rest >>= 1)
            ones += rest & 1;
        assert_int_equal(is_power_of_two(value), ones == 1);
    }
    assert_true(is_power_of_two((uint64_t)1 << 63));
    assert_false(is_power_of_two(UINT64_MAX));
}

/* A link that is on no list says so. */
static void lists(void **state)
{
    struct list_link links[3], *list = NULL;
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        list_append(&list, &links[i]);
    assert_ptr_equal(list, &links[0]);
    assert_ptr_equal(list_next(list, &links[0]), &links[1]);
    assert_ptr_equal(list_next(list, &links[1]), &links[2]);
    assert_null(list_next(list, &links[2]));
    list_remove(&list, &links[0]);
    assert_ptr_equal(list, &links[1]);
    assert_null(links[0].next);
    assert_null(links[0].previous);
    list_remove(&list, &links[2]);
    assert_ptr_equal(links[1].next, &links[1]);
    assert_ptr_equal(links[1].previous, &links[1]);
    list_remove(&list, &links[1]);
    assert_null(list);
}

/* Undoes mix64, step by step; 0xcfee444d8b59a89b is the inverse of its factor modulo 2^64. */
static uint64_t unmix(uint64_t value)
{
    const uint64_t inverse = 0xcfee444d8b59a89bu;
    value ^= value >> 32;
    value *= inverse;
    value ^= value >> 32;
    value *= inverse;
    return value ^ value >> 32;
}

static void mixing_loses_nothing(void **state)
{
    uint64_t value = 1;
    (void)state;
    assert_int_equal(0xd6e8feb86659fd93u * 0xcfee444d8b59a89bu, 1);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(unmix(mix64(value)), value);
        value = value * 6364136223846793005u + 1442695040888963407u;
    }
    assert_int_equal(unmix(mix64(UINT64_MAX)), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages),
        cmocka_unit_test(powers_of_two),
        cmocka_unit_test(lists),
        cmocka_unit_test(mixing_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
