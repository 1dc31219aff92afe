/* SPDX-License-Identifier: MIT */
/*
 * Ordered sets of ranges [start, end) whose nodes are embedded in things: taken
 * logical addresses, claimed I/O ranges, CPU mappings, ADLs over an object.
 *
 * A treap: a search tree by start that is also a heap by a keyed hash of the
 * start, so its depth is logarithmic as good as always, whatever the ranges are.
 * Each node knows the extent and the widest gap of its subtree. Nothing here
 * allocates, fails or recurses. The owner of the tree locks it.
 */
#ifndef DXGKMEM_CORE_RANGES_H
#define DXGKMEM_CORE_RANGES_H

#include "core.h"

struct range_node {
    struct range_node *parent, *left, *right;
    uint64_t start, end;         /* set by the owner before the insertion, start < end */
    uint64_t min_start, max_end; /* of the subtree */
    uint64_t max_gap;            /* widest gap between neighbours within the subtree */
    uint64_t priority;           /* no child's is higher */
};

struct range_tree {
    struct range_node *root;
};

/* The key of the hash; only while every tree is empty. */
void range_set_key(uint64_t key);

void range_insert(struct range_tree *tree, struct range_node *node);
void range_remove(struct range_tree *tree, struct range_node *node);

/* The node with the lowest start that has a point in [start, end), or NULL. */
struct range_node *range_first_overlap(const struct range_tree *tree, uint64_t start, uint64_t end);
/* The first node, and the one after a node, by start; NULL at the end. */
struct range_node *range_first(const struct range_tree *tree);
struct range_node *range_next(const struct range_node *node);

/*
 * The lowest place for `length` points within [low, high] (both inclusive, low > 0) that
 * touches no node and, when boundary (a power of two) is not 0, crosses no
 * multiple of it. Only for trees whose nodes do not overlap. False: there is none.
 */
bool range_find_gap(const struct range_tree *tree, uint64_t low, uint64_t high, uint64_t length,
                    uint64_t boundary, uint64_t *start);

/* NULL when every node keeps the rules of the tree; for audits. */
const char *range_audit_nodes(const struct range_tree *tree);

static inline const char *range_audit(const struct range_tree *tree)
{
    return tree->root == NULL ? NULL : range_audit_nodes(tree);
}

#endif
