/* SPDX-License-Identifier: MIT */
/* Implements html.h. */
#include "tool/html.h"

void html_text(FILE *to, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            if ((unsigned char)*text >= 0x20 || *text == '\n' || *text == '\t')
                fputc(*text, to);
            break;
        }
    }
}

static const char *const style[] = {
#include "page_style.h"
};

void html_begin(FILE *to, const char *title, const char *heading)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          to);
    html_text(to, title);
    fputs("</title>\n<style>\n", to);
    for (size_t i = 0; i < sizeof style / sizeof style[0]; i++)
        fputs(style[i], to);
    fputs("</style>\n</head>\n<body>\n<main>\n<h1>", to);
    html_text(to, heading);
    fputs("</h1>\n", to);
}

void html_end(FILE *to)
{
    fputs("</main>\n</body>\n</html>\n", to);
}
