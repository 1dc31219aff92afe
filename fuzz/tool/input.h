/* SPDX-License-Identifier: MIT */
/*
 * Reading programs: files and folders from the command line, text or binary,
 * and every way in which they can be bad.
 */
#ifndef DXGKMEM_TOOL_INPUT_H
#define DXGKMEM_TOOL_INPUT_H

#include "program/program.h"

/* The files that the command line names, folders replaced by what is in them, in order of names. */
struct input_list {
    size_t count;
    char **path;
    char **name;  /* the last folder and the file: seeds/start.txt */
    bool folders; /* whether any folder was named */
};

/* 0, or TOOL_BAD after saying what is wrong: nothing named, unreadable, an empty folder. */
int input_list_make(struct input_list *list, int count, char **arguments);
void input_list_free(struct input_list *list);

/* The file's own name, without folders. */
const char *input_name(const char *path);

struct input {
    struct program program;
    bool text;
    bool raw;   /* with lenient: bytes that are written like no program, as engines leave them */
    bool empty; /* with lenient: no bytes at all, the program without operations */
    /* Of each operation: its line in the file; of a binary file its number from 1. */
    unsigned line[PROGRAM_OPERATIONS];
};

/*
 * lenient: every byte string is a binary program, as a fuzz target takes it. Otherwise an empty
 * file, an unknown version and an operation that is cut off are refused.
 * 0, or TOOL_BAD after saying what is wrong.
 */
int input_read(struct input *input, const char *path, bool lenient);

/*
 * Reads one after the other and hands each to body. What cannot be read is told, and the rest goes on.
 * 0, or TOOL_BAD when there was such a file.
 */
int input_each(const struct input_list *list, bool lenient,
               void (*body)(void *context, const struct input *input, const struct input_list *list,
                            size_t at),
               void *context);

#endif
