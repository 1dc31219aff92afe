/* SPDX-License-Identifier: MIT */
/*
 * The golden file: the hash of each program's trace, one "name hash" a line, in
 * order of names. A '#' begins a comment.
 */
#ifndef DXGKMEM_TOOL_GOLDEN_H
#define DXGKMEM_TOOL_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>

struct golden;

/* NULL after saying what is wrong. update: a missing file is an empty one, and hashes are taken in. */
struct golden *golden_open(const char *path, bool update);
/* Whether the hash is the golden one; says so when it is not. */
bool golden_check(struct golden *golden, const char *name, uint64_t hash);
/* How many entries no golden_check named; says which. When updating they are forgotten. */
unsigned golden_unused(struct golden *golden);
/* 0 or TOOL_BAD. */
int golden_save(struct golden *golden);
void golden_close(struct golden *golden);

#endif
