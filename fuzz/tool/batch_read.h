/* SPDX-License-Identifier: MIT */
/* What came back from a driver's device, compared with what the same programs do in this process. */
#ifndef DXGKMEM_TOOL_BATCH_READ_H
#define DXGKMEM_TOOL_BATCH_READ_H

#include <stdbool.h>

/* The arguments: a file of replies, the programs. golden: a file of hashes, or NULL. Returns the exit status. */
int batch_read_replies(const char *golden, bool lenient, int count, char **arguments);

#endif
