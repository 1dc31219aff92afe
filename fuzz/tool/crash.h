/* SPDX-License-Identifier: MIT */
/* What a process that ended badly has printed, read as a finding. */
#ifndef DXGKMEM_TOOL_CRASH_H
#define DXGKMEM_TOOL_CRASH_H

#include "tool/child.h"
#include "tool/finding.h"

/*
 * Fills the finding from a failed assertion, a sanitizer's report, what a fuzz target or this tool
 * prints of an invariant, or, without any of these, from how the process ended. `program` is what
 * it was given. kind is FINDING_NONE when it ended well and said nothing.
 */
void crash_read(struct finding *finding, const struct program *program, const struct child_end *end);

/* The finding of a process that ended well, and before it was done. */
void crash_left(struct finding *finding);

/* In a child: signals that end it print where, unless a sanitizer does that. */
void crash_install(void);

#endif
