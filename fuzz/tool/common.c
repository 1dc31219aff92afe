/* SPDX-License-Identifier: MIT */
/* Errors, memory and sums of the dxgkmem command; see tool.h. */
#include "tool/tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int tool_error(const char *format, ...)
{
    va_list arguments;

    fflush(stdout); /* what was printed before comes before */
    fputs("dxgkmem: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return TOOL_BAD;
}

void *tool_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);

    if (!memory) {
        tool_error("no memory");
        exit(TOOL_BAD);
    }
    return memory;
}

char *tool_format(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = tool_alloc((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

bool tool_number(const char *text, uint64_t most, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    return !errno && end != text && !*end && text[0] != '-' && *value <= most;
}

uint64_t tool_hash(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

uint64_t tool_hash_file(uint64_t hash, const char *path)
{
    static uint8_t bytes[1 << 16];
    FILE *file = path ? fopen(path, "rbe") : NULL;
    size_t got;

    while (file && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        hash = tool_hash(hash, bytes, got);
    if (file)
        fclose(file);
    return hash;
}
