/* SPDX-License-Identifier: MIT */
/* The treap of ranges. It knows nothing of what the ranges mean and takes no lock. */
#include "ranges.h"

/* Nobody who chooses ranges knows it, so nobody can make a tree deep. */
static uint64_t priority_key;

void range_set_key(uint64_t key)
{
    priority_key = key;
}

/*
 * From the ranges alone, so that a tree has the same shape wherever its nodes are. Of nodes with one start each comes
 * after those that are there, and takes its priority from the last of them: no two that live have the same.
 */
static uint64_t priority_of(const struct range_node *node, const struct range_node *before)
{
    uint64_t from = before != NULL && before->start == node->start ? before->priority : node->start;

    return mix64(from ^ priority_key);
}

/* Recomputes what a node knows of its subtree from its children. */
static void node_pull(struct range_node *node)
{
    const struct range_node *left = node->left, *right = node->right;
    uint64_t end = node->end, gap = 0;

    node->min_start = node->start;
    if (left != NULL) {
        node->min_start = left->min_start;
        end = greatest(end, left->max_end);
        gap = left->max_gap;
        if (node->start > left->max_end)
            gap = greatest(gap, node->start - left->max_end);
    }
    if (right != NULL) {
        end = greatest(end, right->max_end);
        gap = greatest(gap, right->max_gap);
        if (right->min_start > node->end)
            gap = greatest(gap, right->min_start - node->end);
    }
    node->max_end = end;
    node->max_gap = gap;
}

static void pull_upwards(struct range_node *node)
{
    for (; node != NULL; node = node->parent)
        node_pull(node);
}

static struct range_node **link_to(struct range_tree *tree, struct range_node *node)
{
    if (node->parent == NULL)
        return &tree->root;
    return node->parent->left == node ? &node->parent->left : &node->parent->right;
}

/* Lifts a node above its parent. */
static void rotate_up(struct range_tree *tree, struct range_node *node)
{
    struct range_node *parent = node->parent;
    struct range_node **link = link_to(tree, parent);
    struct range_node *moved;

    if (parent->left == node) {
        moved = node->right;
        parent->left = moved;
        node->right = parent;
    } else {
        moved = node->left;
        parent->right = moved;
        node->left = parent;
    }
    if (moved != NULL)
        moved->parent = parent;
    node->parent = parent->parent;
    parent->parent = node;
    *link = node;
    node_pull(parent);
    node_pull(node);
}

void range_insert(struct range_tree *tree, struct range_node *node)
{
    struct range_node *parent = NULL, *before = NULL, **link = &tree->root;

    while (*link != NULL) {
        parent = *link;
        if (node->start < parent->start) {
            link = &parent->left;
        } else {
            before = parent;
            link = &parent->right;
        }
    }
    node->priority = priority_of(node, before);
    node->left = node->right = NULL;
    node->parent = parent;
    *link = node;
    node_pull(node);
    while (node->parent != NULL && node->priority > node->parent->priority)
        rotate_up(tree, node);
    pull_upwards(node->parent);
}

void range_remove(struct range_tree *tree, struct range_node *node)
{
    struct range_node *only;

    while (node->left != NULL && node->right != NULL)
        rotate_up(tree, node->left->priority > node->right->priority ? node->left : node->right);
    only = node->left != NULL ? node->left : node->right;
    *link_to(tree, node) = only;
    if (only != NULL)
        only->parent = node->parent;
    pull_upwards(node->parent);
    node->parent = node->left = node->right = NULL;
}

struct range_node *range_first_overlap(const struct range_tree *tree, uint64_t start, uint64_t end)
{
    struct range_node *node = tree->root;

    while (node != NULL) {
        /* Whatever overlaps on the left starts lower; if the left reaches past `start`, the answer is there or nowhere. */
        if (node->left != NULL && node->left->max_end > start)
            node = node->left;
        else if (node->start < end && node->end > start)
            return node;
        else if (node->start >= end)
            return NULL;
        else
            node = node->right;
    }
    return NULL;
}

struct range_node *range_first(const struct range_tree *tree)
{
    struct range_node *node = tree->root;
    while (node != NULL && node->left != NULL)
        node = node->left;
    return node;
}

struct range_node *range_next(const struct range_node *node)
{
    if (node->right != NULL) {
        struct range_node *next = node->right;
        while (next->left != NULL)
            next = next->left;
        return next;
    }
    while (node->parent != NULL && node->parent->right == node)
        node = node->parent;
    return node->parent;
}

/* A gap [start, end) and the node that follows it; end is UINT64_MAX and next NULL for the last one. */
struct gap {
    uint64_t start, end;
    struct range_node *next;
};

static struct range_node *leftmost(struct range_node *node)
{
    while (node->left != NULL)
        node = node->left;
    return node;
}

static struct gap gap_between(uint64_t start, struct range_node *next)
{
    struct gap gap = {start, next == NULL ? UINT64_MAX : next->start, next};
    return gap;
}

/* The lowest gap of at least `length` within a subtree that has one. */
static struct gap gap_within(struct range_node *node, uint64_t length)
{
    for (;;) {
        if (node->left != NULL) {
            if (node->left->max_gap >= length) {
                node = node->left;
                continue;
            }
            if (node->start - node->left->max_end >= length)
                return gap_between(node->left->max_end, node);
        }
        CORE_ASSERT(node->right != NULL);
        if (node->right->min_start - node->end >= length)
            return gap_between(node->end, leftmost(node->right));
        node = node->right;
    }
}

/* The lowest gap of at least `length` after a node; the endless one after the last node at the latest. */
static struct gap gap_after(struct range_node *node, uint64_t length)
{
    for (;;) {
        uint64_t end = node->end;
        struct range_node *right = node->right;
        if (right != NULL) {
            if (right->min_start - node->end >= length)
                return gap_between(node->end, leftmost(right));
            if (right->max_gap >= length)
                return gap_within(right, length);
            end = right->max_end;
        }
        while (node->parent != NULL && node->parent->right == node)
            node = node->parent;
        node = node->parent;
        if (node == NULL || node->start - end >= length)
            return gap_between(end, node);
    }
}

/* The gap that begins at the last node that starts at or below a point, or before the first node. */
static struct gap gap_at(const struct range_tree *tree, uint64_t point)
{
    struct range_node *node = tree->root, *before = NULL;
    while (node != NULL) {
        if (node->start <= point) {
            before = node;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    if (before == NULL)
        return gap_between(0, range_first(tree));
    return gap_between(before->end, range_next(before));
}

bool range_find_gap(const struct range_tree *tree, uint64_t low, uint64_t high, uint64_t length,
                    uint64_t boundary, uint64_t *start)
{
    struct gap gap;

    if (high < low || high - low < length - 1 || (boundary != 0 && length > boundary))
        return false;
    for (gap = gap_at(tree, low);; gap = gap_after(gap.next, length)) {
        uint64_t place = greatest(gap.start, low);
        if (place > high || high - place < length - 1)
            return false;
        /* Moved up to a multiple, a block no longer than the boundary crosses none. */
        if (boundary != 0 && (place & (boundary - 1)) + length > boundary)
            place = (place | (boundary - 1)) + 1;
        if (high - place >= length - 1 && place < gap.end && gap.end - place >= length) {
            *start = place;
            return true;
        }
        if (gap.next == NULL)
            return false;
    }
}

const char *range_audit_nodes(const struct range_tree *tree)
{
    const struct range_node *previous = NULL;

    if (tree->root->parent != NULL)
        return "the root of a range tree has a parent";
    for (struct range_node *node = range_first(tree); node != NULL; node = range_next(node)) {
        struct range_node copy = *node;
        if (node->start >= node->end)
            return "a range is empty";
        if (previous != NULL && previous->start > node->start)
            return "ranges are out of order";
        if (node->parent != NULL && node->parent->priority < node->priority)
            return "a range tree is not a heap";
        node_pull(&copy);
        if (copy.min_start != node->min_start || copy.max_end != node->max_end ||
            copy.max_gap != node->max_gap)
            return "a range tree's summary is wrong";
        previous = node;
    }
    return NULL;
}
