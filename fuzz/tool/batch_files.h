/* SPDX-License-Identifier: MIT */
/* Files of requests and replies: bytes that grow, and the messages one after the other. */
#ifndef DXGKMEM_TOOL_BATCH_FILES_H
#define DXGKMEM_TOOL_BATCH_FILES_H

#include "driver/batch.h"

struct buffer {
    uint8_t *bytes;
    size_t size, room;
};

/* Room for so many more bytes, at the end. */
uint8_t *buffer_extend(struct buffer *buffer, size_t more);
/* The whole file; 0, or TOOL_BAD after saying what is wrong: unreadable, empty, too large. */
int buffer_read_file(const char *path, struct buffer *buffer);

/*
 * The message at `at`, whose header is checked as far as finding its end needs. NULL at the end of
 * the file, and when it is bad: then *status is TOOL_BAD, and it was said why.
 */
const uint8_t *batch_next_message(const char *path, const struct buffer *file, size_t at,
                                  struct batch_header *header, int *status);

#endif
