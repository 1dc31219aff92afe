/* SPDX-License-Identifier: MIT */
/* Quotas: all or nothing, exact at the limit, unlimited by default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/instance.h"

static void expect_taken(const struct quota *quota, counter pages, counter objects, counter adls)
{
    assert_int_equal(quota->pages, pages);
    assert_int_equal(quota->objects, objects);
    assert_int_equal(quota->adls, adls);
}

static void all_or_nothing(void **state)
{
    const struct dxgkmem_quota limits = {.pages = 10, .objects = 3, .adls = 2};
    struct quota quota = {0};
    (void)state;
    quota_init(&quota, &limits);
    assert_true(quota_take(&quota, 4, 1, 1));
    expect_taken(&quota, 4, 1, 1);
    assert_false(quota_take(&quota, 7, 1, 1)); /* pages */
    expect_taken(&quota, 4, 1, 1);
    assert_false(quota_take(&quota, 1, 3, 1)); /* objects */
    expect_taken(&quota, 4, 1, 1);
    assert_false(quota_take(&quota, 1, 1, 2)); /* ADLs */
    expect_taken(&quota, 4, 1, 1);
    assert_false(quota_take(&quota, 11, 0, 0)); /* more than there ever is */
    assert_false(quota_take(&quota, 0, 4, 0));
    assert_false(quota_take(&quota, 0, 0, 3));
    expect_taken(&quota, 4, 1, 1);
    assert_true(quota_take(&quota, 6, 2, 1)); /* up to the limit exactly */
    expect_taken(&quota, 10, 3, 2);
    assert_true(quota_take(&quota, 0, 0, 0));
    assert_false(quota_take(&quota, 1, 0, 0));
    assert_false(quota_take(&quota, 0, 1, 0));
    assert_false(quota_take(&quota, 0, 0, 1));
    quota_give(&quota, 10, 3, 2);
    expect_taken(&quota, 0, 0, 0);
    quota_give(&quota, 0, 0, 0);
    expect_taken(&quota, 0, 0, 0);
}

static void unlimited(void **state)
{
    const struct dxgkmem_quota none = {0},
                               huge = {.pages = UINT64_MAX, .objects = UINT32_MAX, .adls = UINT32_MAX};
    struct quota quota = {0};
    (void)state;
    quota_init(&quota, &none);
    assert_false(quota.limited);
    assert_true(quota_take(&quota, (uint64_t)1 << 30, 1u << 30, 1u << 30));
    assert_true(quota_take(&quota, (uint64_t)1 << 29, 1u << 29, 1u << 29));
    quota_give(&quota, 3 * ((uint64_t)1 << 29), 3u << 29, 3u << 29);
    expect_taken(&quota, 0, 0, 0);
    quota_init(&quota, &huge);
    assert_true(quota_take(&quota, 1000, 1000, 1000));
    quota_give(&quota, 1000, 1000, 1000);
}

/* One limit is enough, the smallest that there is. */
static void one_limit(void **state)
{
    static const struct dxgkmem_quota limits[] = {{.pages = 1}, {.objects = 1}, {.adls = 1}};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct quota quota = {0};
        quota_init(&quota, &limits[i]);
        assert_false(quota_take(&quota, 2 * limits[i].pages, 2 * limits[i].objects, 2 * limits[i].adls));
        assert_true(quota_take(&quota, limits[i].pages, limits[i].objects, limits[i].adls));
        assert_false(quota_take(&quota, limits[i].pages, limits[i].objects, limits[i].adls));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(unlimited),
        cmocka_unit_test(one_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
