/* SPDX-License-Identifier: MIT */
/* Implements batch_files.h. */
#include "tool/batch_files.h"

#include "tool/tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any file of requests or replies that makes sense. */
#define FILE_BYTES ((size_t)1 << 30)

uint8_t *buffer_extend(struct buffer *buffer, size_t more)
{
    if (more > buffer->room - buffer->size) {
        size_t room = 2 * (buffer->size + more);
        uint8_t *bytes = tool_alloc(room);
        if (buffer->size)
            memcpy(bytes, buffer->bytes, buffer->size);
        free(buffer->bytes);
        buffer->bytes = bytes;
        buffer->room = room;
    }
    buffer->size += more;
    return buffer->bytes + buffer->size - more;
}

int buffer_read_file(const char *path, struct buffer *buffer)
{
    FILE *file = fopen(path, "rb");
    size_t got = 1;

    while (file && got && buffer->size < FILE_BYTES) {
        uint8_t *to = buffer_extend(buffer, 65536);
        got = fread(to, 1, 65536, file);
        buffer->size -= 65536 - got;
    }
    if (!file || ferror(file)) {
        tool_error("%s: cannot be read: %s", path, strerror(errno));
        if (file)
            fclose(file);
        return TOOL_BAD;
    }
    fclose(file);
    if (buffer->size >= FILE_BYTES)
        return tool_error("%s: too large", path);
    return buffer->size ? 0 : tool_error("%s: empty", path);
}

const uint8_t *batch_next_message(const char *path, const struct buffer *file, size_t at,
                                  struct batch_header *header, int *status)
{
    size_t left = file->size - at;

    if (left == 0)
        return NULL;
    if (left >= sizeof *header)
        memcpy(header, file->bytes + at, sizeof *header);
    if (left < sizeof *header)
        *status = tool_error("%s: byte %zu: cut off within a header", path, at);
    else if (header->magic != BATCH_MAGIC)
        *status = tool_error("%s: byte %zu: no message of dxgkmem begins here", path, at);
    else if (header->bytes < sizeof *header || header->bytes > left)
        *status = tool_error("%s: byte %zu: cut off: a message of %" PRIu32 " bytes, and %zu are left", path,
                             at, header->bytes, left);
    else
        return file->bytes + at;
    return NULL;
}
