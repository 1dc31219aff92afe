/* SPDX-License-Identifier: MIT */
/* Writing HTML and SVG: text that is made harmless, the page around it, its one style sheet. */
#ifndef DXGKMEM_TOOL_HTML_H
#define DXGKMEM_TOOL_HTML_H

#include <stdio.h>

/* Text between tags or in a quoted attribute. */
void html_text(FILE *to, const char *text);
/* The page up to its heading. It asks for nothing over a network and has no script. */
void html_begin(FILE *to, const char *title, const char *heading);
void html_end(FILE *to);

#endif
