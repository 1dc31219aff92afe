/* SPDX-License-Identifier: MIT */
/* Real CPU mappings for runs of the tool: one memory file, mapped. */
#ifndef DXGKMEM_TOOL_WINDOWS_H
#define DXGKMEM_TOOL_WINDOWS_H

#include "program/runner.h"

struct tool_windows;

/* Makes them and names them in the options; NULL after saying what is wrong. */
struct tool_windows *tool_windows_open(struct runner_options *options);
void tool_windows_close(struct tool_windows *windows);

#endif
