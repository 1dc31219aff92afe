/* SPDX-License-Identifier: MIT */
/* Implements windows.h. */
#include "tool/windows.h"

#include "tool/tool.h"

#include <dxgkmem/user.h>

/* The worlds' machines are at most so wide; a page number is a place in the file. */
#define ADDRESS_BITS 52

struct tool_windows *tool_windows_open(struct runner_options *options)
{
    void *windows = dxgkmem_user_windows_create(ADDRESS_BITS);

    if (!windows) {
        tool_error("real CPU mappings are not available here");
        return NULL;
    }
    options->windows = &dxgkmem_user_windows;
    options->windows_context = windows;
    return windows;
}

void tool_windows_close(struct tool_windows *windows)
{
    if (windows)
        dxgkmem_user_windows_destroy(windows);
}
