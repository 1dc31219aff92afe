/* SPDX-License-Identifier: MIT */
/* A program as C: straight-line calls, expectations of the model compiled in. */
#ifndef DXGKMEM_TOOL_CSOURCE_H
#define DXGKMEM_TOOL_CSOURCE_H

#include "tool/recording.h"

#include <stdio.h>

struct csource {
    const char *name;     /* of the function with the calls; NULL: program */
    const char *title;    /* where the program is from: a file's name */
    const unsigned *line; /* of each operation its line in that file */
    bool driver;          /* the driver's function alone, for a test driver */
};

void csource_write(FILE *to, const struct recording *recording, const struct csource *how);

#endif
