/* SPDX-License-Identifier: MIT */
/* Programs whose threads take turns. */
#ifndef DXGKMEM_TOOL_IN_TURNS_H
#define DXGKMEM_TOOL_IN_TURNS_H

#include <stdbool.h>

/* Runs each of the files once under its own schedule and ends the process with what came of it; or TOOL_BAD. */
int tool_run_in_turns(bool quiet, bool lenient, int count, char **files);

#endif
