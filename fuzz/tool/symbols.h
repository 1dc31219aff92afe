/* SPDX-License-Identifier: MIT */
/* Names for addresses: llvm-symbolizer or addr2line, asked once for each stack. */
#ifndef DXGKMEM_TOOL_SYMBOLS_H
#define DXGKMEM_TOOL_SYMBOLS_H

#include "tool/finding.h"

#define SYMBOLS_STACK 16

struct symbols_address {
    char module[200];
    uint64_t offset;
};

struct symbols_stack {
    unsigned count;
    struct symbols_address address[SYMBOLS_STACK];
};

/*
 * Fills the finding's frames: the innermost ones that are in this project's files; before them those in the
 * implementation of DXGKMEM_PROVIDER.
 */
void symbols_name(const struct symbols_stack *stack, struct finding *finding);
/* The part of a path that is below the project's folder, or NULL when it is not in there. */
const char *symbols_file(const char *path);

#endif
