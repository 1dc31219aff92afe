/* SPDX-License-Identifier: MIT */
/*
 * The treap of ranges against a plain array: what is in it, overlaps, order, gaps; and an
 * audit problem for each way in which a tree can be damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/ranges.h"

#define SPACE 200u /* points 0 to 199 */
#define NODES 64u

static struct range_node nodes[NODES];
static bool in_tree[NODES];
static struct range_tree tree;
static uint32_t seed;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static bool overlaps(const struct range_node *node, uint64_t start, uint64_t end)
{
    return node->start < end && node->end > start;
}

static const struct range_node *plain_first_overlap(uint64_t start, uint64_t end)
{
    const struct range_node *found = NULL;
    for (unsigned i = 0; i < NODES; i++)
        if (in_tree[i] && overlaps(&nodes[i], start, end) && (found == NULL || nodes[i].start < found->start))
            found = &nodes[i];
    return found;
}

static bool plain_free(uint64_t start, uint64_t end)
{
    return plain_first_overlap(start, end) == NULL;
}

static bool plain_gap(uint64_t low, uint64_t high, uint64_t length, uint64_t boundary, uint64_t *start)
{
    for (uint64_t at = low; at <= high && high - at >= length - 1; at++) {
        if (boundary != 0 && at / boundary != (at + length - 1) / boundary)
            continue;
        if (plain_free(at, at + length)) {
            *start = at;
            return true;
        }
    }
    return false;
}

static void expect_order(void)
{
    const struct range_node *previous = NULL;
    unsigned count = 0, expected = 0;
    for (unsigned i = 0; i < NODES; i++)
        expected += in_tree[i];
    for (const struct range_node *node = range_first(&tree); node != NULL; node = range_next(node)) {
        assert_true(previous == NULL || previous->start <= node->start);
        assert_true(in_tree[node - nodes]);
        previous = node;
        count++;
    }
    assert_int_equal(count, expected);
}

static void expect_same(void)
{
    assert_null(range_audit(&tree));
    expect_order();
    for (uint64_t start = 0; start < SPACE; start += 3) {
        for (uint64_t length = 1; length < 40; length += 4) {
            const struct range_node *expected = plain_first_overlap(start, start + length);
            const struct range_node *found = range_first_overlap(&tree, start, start + length);
            assert_int_equal(found == NULL, expected == NULL);
            /* Ranges that begin alike are equally first. */
            if (found != NULL && expected != NULL)
                assert_true(found->start == expected->start && overlaps(found, start, start + length));
        }
    }
}

static void expect_same_gaps(void)
{
    static const uint64_t boundaries[] = {0, 1, 2, 4, 8, 16, 32, 256};
    for (unsigned b = 0; b < sizeof(boundaries) / sizeof(boundaries[0]); b++) {
        for (uint64_t length = 1; length <= 20; length++) {
            for (unsigned i = 0; i < 20; i++) {
                uint64_t low = 1 + next_random(SPACE), high = next_random(SPACE + 30), expected = 0,
                         found = 0;
                bool is_expected = (boundaries[b] == 0 || length <= boundaries[b]) &&
                                   plain_gap(low, high, length, boundaries[b], &expected);
                assert_int_equal(range_find_gap(&tree, low, high, length, boundaries[b], &found),
                                 is_expected);
                if (is_expected)
                    assert_int_equal(found, expected);
            }
        }
    }
}

static void take_all_out(void)
{
    for (unsigned i = 0; i < NODES; i++) {
        if (in_tree[i])
            range_remove(&tree, &nodes[i]);
        in_tree[i] = false;
    }
    assert_null(tree.root);
    assert_null(range_audit(&tree));
    assert_null(range_first(&tree));
    assert_null(range_first_overlap(&tree, 0, UINT64_MAX));
}

static void disjoint_ranges(void **state)
{
    (void)state;
    for (seed = 1; seed <= 30; seed++) {
        uint32_t begin = seed;
        for (unsigned step = 0; step < 120; step++) {
            unsigned i = next_random(NODES);
            if (in_tree[i]) {
                range_remove(&tree, &nodes[i]);
                in_tree[i] = false;
            } else {
                nodes[i].start = 1 + next_random(SPACE);
                nodes[i].end = nodes[i].start + 1 + next_random(9);
                if (!plain_free(nodes[i].start, nodes[i].end))
                    continue;
                range_insert(&tree, &nodes[i]);
                in_tree[i] = true;
            }
            assert_null(range_audit(&tree));
            if (step % 40 == 39) {
                expect_same();
                expect_same_gaps();
            }
        }
        take_all_out();
        seed = begin;
    }
}

static void overlapping_ranges(void **state)
{
    (void)state;
    for (seed = 100; seed < 130; seed++) {
        uint32_t begin = seed;
        for (unsigned step = 0; step < 120; step++) {
            unsigned i = next_random(NODES);
            if (in_tree[i]) {
                range_remove(&tree, &nodes[i]);
                in_tree[i] = false;
            } else {
                nodes[i].start = next_random(SPACE);
                nodes[i].end = nodes[i].start + 1 + next_random(step % 2 == 0 ? 5 : 120);
                range_insert(&tree, &nodes[i]);
                in_tree[i] = true;
            }
            if (step % 20 == 19)
                expect_same();
        }
        take_all_out();
        seed = begin;
    }
}

/* Every point but a few is taken; only the gap of the right width will do. */
static void narrow_gaps(void **state)
{
    uint64_t start;
    (void)state;
    for (unsigned i = 0; i < NODES; i++) {
        nodes[i].start = 10u + i * 10u;
        nodes[i].end = nodes[i].start + 10 - i % 5; /* gaps of 0 to 4 */
        range_insert(&tree, &nodes[i]);
        in_tree[i] = true;
    }
    for (uint64_t length = 1; length <= 4; length++)
        for (uint64_t low = 1; low < 660; low++) {
            uint64_t expected = 0;
            assert_true(plain_gap(low, 800, length, 0, &expected));
            assert_true(range_find_gap(&tree, low, 800, length, 0, &start));
            assert_int_equal(start, expected);
        }
    assert_false(range_find_gap(&tree, 10, 649, 5, 0, &start));
    assert_true(range_find_gap(&tree, 10, 1000, 5, 0, &start));
    assert_int_equal(start, nodes[NODES - 1].end);
    take_all_out();
}

static void ends_of_the_space(void **state)
{
    const uint64_t most = UINT64_MAX >> 12;
    uint64_t start;
    (void)state;
    /* An empty tree: the lowest place within the bounds, or none. */
    assert_true(range_find_gap(&tree, 5, 5, 1, 0, &start));
    assert_int_equal(start, 5);
    assert_false(range_find_gap(&tree, 5, 4, 1, 0, &start));
    assert_false(range_find_gap(&tree, 5, 6, 3, 0, &start));
    assert_false(range_find_gap(&tree, 5, 100, 5, 4, &start));
    assert_true(range_find_gap(&tree, 5, 100, 4, 4, &start));
    assert_int_equal(start, 8);
    assert_false(range_find_gap(&tree, 5, 10, 4, 4, &start));
    assert_true(range_find_gap(&tree, most - 3, most, 4, 0, &start));
    assert_int_equal(start, most - 3);
    assert_false(range_find_gap(&tree, most - 3, most, 5, 0, &start));
    /* Moved up to a boundary beyond the end of all numbers: there is no such place. */
    assert_false(range_find_gap(&tree, UINT64_MAX - 2, UINT64_MAX, 3, 16, &start) && start + 3 < start);
    /* The very last range. */
    nodes[0].start = most;
    nodes[0].end = most + 1;
    range_insert(&tree, &nodes[0]);
    in_tree[0] = true;
    assert_false(range_find_gap(&tree, most, most, 1, 0, &start));
    assert_true(range_find_gap(&tree, most - 1, most, 1, 0, &start));
    assert_ptr_equal(range_first_overlap(&tree, 0, UINT64_MAX), &nodes[0]);
    take_all_out();
}

/* -- damage -------------------------------------------------------------------------- */

static void build_ten(void)
{
    for (unsigned i = 0; i < 10; i++) {
        nodes[i].start = 1 + 10u * i;
        nodes[i].end = nodes[i].start + 5;
        range_insert(&tree, &nodes[i]);
        in_tree[i] = true;
    }
    assert_null(range_audit(&tree));
}

static struct range_node *leaf(void)
{
    struct range_node *node = tree.root;
    while (node->left != NULL || node->right != NULL)
        node = node->left != NULL ? node->left : node->right;
    return node;
}

static void audit_problems(void **state)
{
    struct range_node *node, copy;
    (void)state;
    build_ten();
    node = leaf();

    tree.root->parent = node;
    assert_string_equal(range_audit(&tree), "the root of a range tree has a parent");
    tree.root->parent = NULL;

    copy = *node;
    node->end = node->start;
    assert_string_equal(range_audit(&tree), "a range is empty");
    *node = copy;

    node->max_gap++;
    assert_string_equal(range_audit(&tree), "a range tree's summary is wrong");
    *node = copy;
    node->min_start--;
    assert_string_equal(range_audit(&tree), "a range tree's summary is wrong");
    *node = copy;
    node->max_end++;
    assert_string_equal(range_audit(&tree), "a range tree's summary is wrong");
    *node = copy;
    assert_null(range_audit(&tree));

    /* A range that moved past its neighbour. */
    node = range_first(&tree);
    copy = *node;
    node->start = node->min_start = 500;
    node->end = node->max_end = 501;
    assert_non_null(range_audit(&tree));
    *node = copy;
    take_all_out();
}

/* By hand: a parent whose priority is lower than its child's, everything else in order. */
static void not_a_heap(void **state)
{
    struct range_node a = {.start = 1, .end = 2}, b = {.start = 5, .end = 6};
    struct range_tree right_way = {NULL}, wrong_way = {NULL};
    struct range_node *root, *child;
    (void)state;
    range_insert(&right_way, &a);
    range_insert(&right_way, &b);
    root = right_way.root == &a ? &b : &a; /* the other one */
    child = right_way.root;
    root->left = root->right = NULL;
    child->left = child->right = NULL;
    root->parent = NULL;
    child->parent = root;
    if (child->start < root->start)
        root->left = child;
    else
        root->right = child;
    root->min_start = 1;
    root->max_end = 6;
    root->max_gap = 3;
    child->min_start = child->start;
    child->max_end = child->end;
    child->max_gap = 0;
    wrong_way.root = root;
    assert_string_equal(range_audit(&wrong_way), "a range tree is not a heap");
}

static void out_of_order(void **state)
{
    struct range_node a = {.start = 1, .end = 2}, b = {.start = 5, .end = 6}, *child;
    struct range_tree both = {NULL};
    (void)state;
    range_insert(&both, &a);
    range_insert(&both, &b);
    child = both.root == &a ? &b : &a;
    /* To the other side of its parent. */
    both.root->left = both.root->left == NULL ? child : NULL;
    both.root->right = both.root->right == NULL ? child : NULL;
    {
        const char *problem = range_audit(&both);
        assert_true(strcmp(problem, "ranges are out of order") == 0 ||
                    strcmp(problem, "a range tree's summary is wrong") == 0);
    }
    /* With summaries that agree with the wrong order the order itself is what is seen. */
    child->min_start = child->start;
    both.root->min_start = both.root->left != NULL ? child->start : both.root->start;
    both.root->max_end = child->end > both.root->end ? child->end : both.root->end;
    both.root->max_gap = 0;
    assert_string_equal(range_audit(&both), "ranges are out of order");
}

/* Ranges that somebody chose: in order, all with one start, or with one start before another that is there. */
static void chosen_ranges_make_no_tree_deep(void **state)
{
    static struct range_node many[4096];
    (void)state;
    for (unsigned choice = 0; choice < 3; choice++) {
        struct range_tree tree_of_many = {NULL};
        unsigned deepest = 0;
        range_set_key(0x1234567 + choice);
        for (unsigned i = 0; i < 4096; i++) {
            many[i].start = choice == 0 ? i : choice == 1 ? 7 : i == 0;
            many[i].end = many[i].start + 1;
            range_insert(&tree_of_many, &many[i]);
        }
        for (unsigned i = 0; i < 4096; i++) {
            unsigned depth = 0;
            for (const struct range_node *node = &many[i]; node != NULL; node = node->parent)
                depth++;
            deepest = depth > deepest ? depth : deepest;
        }
        assert_null(range_audit(&tree_of_many));
        assert_in_range(deepest, 12, 64); /* 4096 nodes at random: about 30 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disjoint_ranges), cmocka_unit_test(overlapping_ranges),
        cmocka_unit_test(narrow_gaps),     cmocka_unit_test(ends_of_the_space),
        cmocka_unit_test(audit_problems),  cmocka_unit_test(not_a_heap),
        cmocka_unit_test(out_of_order),    cmocka_unit_test(chosen_ranges_make_no_tree_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
