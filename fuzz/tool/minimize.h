/* SPDX-License-Identifier: MIT */
/* Making a finding's program small, while it stays the same finding. */
#ifndef DXGKMEM_TOOL_MINIMIZE_H
#define DXGKMEM_TOOL_MINIMIZE_H

#include "tool/replay.h"

struct minimized {
    unsigned tries, lines_before;
    bool minimal; /* none of its operations can go; false: the time was up */
};

/*
 * Shrinks the program as long as it shows `finding`, which afterwards is as the small program
 * shows it. seconds: 0: as long as it takes. label: of the line of progress, on a terminal.
 * 0, or TOOL_BAD after saying what is wrong.
 */
int minimize(struct replay *replay, struct program *program, struct finding *finding, unsigned seconds,
             const char *label, struct minimized *minimized);

/* The program as text behind a comment that says what it shows; the caller frees it. */
char *minimize_text(const struct program *program, const struct finding *finding);

#endif
