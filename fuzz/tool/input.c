/* SPDX-License-Identifier: MIT */
/* Implements input.h. */
#include "tool/input.h"

#include "tool/tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More text than this is no program: 128 operations of at most some hundred bytes, and comments. */
#define TEXT_BYTES (256u * 1024)
#define HEADER_BYTES 2 /* version and world */

/* -- lists --------------------------------------------------------------------- */

static const char *last_part(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    return path + length;
}

const char *input_name(const char *path)
{
    return last_part(path, strlen(path));
}

/* folder/file, whatever stands before it. */
static char *short_name(const char *path)
{
    const char *file = input_name(path);

    if (file == path)
        return tool_format("%s", file);
    return tool_format("%s", last_part(path, (size_t)(file - path) - 1));
}

static void append(struct input_list *list, char *path)
{
    if ((list->count & (list->count + 1)) == 0) {
        size_t room = 2 * list->count + 2;
        char **paths = tool_alloc(room * sizeof *paths);
        if (list->count)
            memcpy(paths, list->path, list->count * sizeof *paths);
        free(list->path);
        list->path = paths;
    }
    list->path[list->count++] = path;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Adds every regular file of the folder; folders in it are not entered. */
static int append_folder(struct input_list *list, const char *folder)
{
    struct dirent **entries;
    size_t before = list->count, length = strlen(folder);
    int count = scandir(folder, &entries, not_hidden, alphasort);

    if (count < 0)
        return tool_error("%s: cannot be read: %s", folder, strerror(errno));
    while (length > 1 && folder[length - 1] == '/')
        length--;
    for (int i = 0; i < count; i++) {
        struct stat about;
        char *path = tool_format("%.*s/%s", (int)length, folder, entries[i]->d_name);
        free(entries[i]);
        if (stat(path, &about) == 0 && S_ISREG(about.st_mode))
            append(list, path);
        else
            free(path);
    }
    free(entries);
    list->folders = true;
    return list->count > before ? 0 : tool_error("%s: no programs in this folder", folder);
}

int input_list_make(struct input_list *list, int count, char **arguments)
{
    *list = (struct input_list){0};
    if (count == 0)
        return tool_error("no file is named");
    for (int i = 0; i < count; i++) {
        struct stat about;
        int status = 0;

        if (stat(arguments[i], &about) != 0)
            status = tool_error("%s: cannot be read: %s", arguments[i], strerror(errno));
        else if (S_ISDIR(about.st_mode))
            status = append_folder(list, arguments[i]);
        else
            append(list, tool_format("%s", arguments[i]));
        if (status) {
            input_list_free(list);
            return status;
        }
    }
    list->name = tool_alloc(list->count * sizeof *list->name);
    for (size_t i = 0; i < list->count; i++)
        list->name[i] = short_name(list->path[i]);
    return 0;
}

void input_list_free(struct input_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->path[i]);
        if (list->name)
            free(list->name[i]);
    }
    free(list->path);
    free(list->name);
    *list = (struct input_list){0};
}

/* -- one file -------------------------------------------------------------------- */

static int read_bytes(const char *path, uint8_t *bytes, size_t room, size_t *size)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return tool_error("%s: cannot be read: %s", path, strerror(errno));
    if (fstat(file, &about) == 0 && !S_ISREG(about.st_mode)) {
        close(file);
        return tool_error("%s: not a regular file", path);
    }
    *size = 0;
    while (*size < room) {
        ssize_t got = read(file, bytes + *size, room - *size);
        if (got < 0) {
            int error = errno;
            close(file);
            return tool_error("%s: cannot be read: %s", path, strerror(error));
        }
        if (got == 0)
            break;
        *size += (size_t)got;
    }
    close(file);
    return 0;
}

/* Numbers the lines that hold an operation: neither empty, nor a comment, nor the world. */
static void find_lines(struct input *input, const char *text, size_t size)
{
    unsigned line = 1, operation = 0;
    const char *end = text + size;

    for (const char *at = text; at < end && operation < input->program.lines; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end;
        while (at < stop && (*at == ' ' || *at == '\t' || *at == '\r'))
            at++;
        bool world = stop - at >= 5 && memcmp(at, "world", 5) == 0 &&
                     (stop - at == 5 || at[5] == ' ' || at[5] == '\t');
        if (at < stop && *at != '#' && !world)
            input->line[operation++] = line;
        at = stop + 1;
    }
}

/* Where the operation begins that the end of the file cuts off, or 0. Walks as program_decode does. */
static size_t cut_off_at(const uint8_t *bytes, size_t size)
{
    size_t at = HEADER_BYTES;

    for (unsigned lines = 0; at < size && lines < PROGRAM_OPERATIONS;) {
        size_t begin = at;
        uint8_t opcode = bytes[at++];
        if (opcode >= PROGRAM_OPCODES || program_operations[opcode].since > bytes[0])
            continue;
        const struct program_operation *operation = &program_operations[opcode];
        for (unsigned i = 0; i < operation->operands; i++) {
            if (operation->operand[i].since > bytes[0])
                continue;
            bool number = operation->operand[i].type == PROGRAM_OPERAND_NUMBER;
            for (unsigned length = 1;; length++) {
                if (at >= size)
                    return begin;
                if (!(bytes[at++] & 0x80) || !number || length == 10)
                    break;
            }
        }
        lines++;
    }
    return 0;
}

/* Says how the bytes differ from what the project writes. */
static int refuse_binary(const char *path, const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return tool_error("%s: empty: no program", path);
    if (bytes[0] < 1 || bytes[0] > PROGRAM_VERSION)
        return tool_error("%s: neither text nor a program of version 1 to %d: it begins with byte 0x%02x "
                          "(--lenient takes it as it is)",
                          path, PROGRAM_VERSION, bytes[0]);
    if (size < HEADER_BYTES)
        return tool_error("%s: cut off: it ends within the header", path);
    return tool_error("%s: cut off: it ends within the operation at byte %zu (--lenient takes it as it is)",
                      path, cut_off_at(bytes, size));
}

static int read_binary(struct input *input, const char *path, const uint8_t *bytes, size_t size, bool lenient)
{
    input->empty = size == 0;
    input->raw = size > 0 && (bytes[0] < 1 || bytes[0] > PROGRAM_VERSION || size < HEADER_BYTES ||
                              cut_off_at(bytes, size));
    if (!lenient && (input->empty || input->raw))
        return refuse_binary(path, bytes, size);
    program_decode(&input->program, bytes, size);
    input->text = false;
    for (unsigned i = 0; i < input->program.lines; i++)
        input->line[i] = i + 1;
    return 0;
}

static int read_text(struct input *input, const char *path, const char *text, size_t size)
{
    struct program_error error = {0, ""};

    if (!program_parse(&input->program, text, size, &error))
        return tool_error("%s:%u: %s", path, error.line, error.message);
    input->text = true;
    input->raw = input->empty = false;
    find_lines(input, text, size);
    return 0;
}

int input_read(struct input *input, const char *path, bool lenient)
{
    uint8_t *bytes = tool_alloc(TEXT_BYTES + 1);
    size_t size = 0;
    int status = read_bytes(path, bytes, TEXT_BYTES + 1, &size);

    if (status)
        goto out;
    bool text = program_is_text(bytes, size);
    size_t limit = text ? TEXT_BYTES : PROGRAM_BYTES;
    if (size > limit)
        status = tool_error("%s: too large: a %s program has at most %zu bytes", path,
                            text ? "text" : "binary", limit);
    else if (text && size > 0)
        status = read_text(input, path, (const char *)bytes, size);
    else
        status = read_binary(input, path, bytes, size, lenient);
out:
    free(bytes);
    return status;
}

int input_each(const struct input_list *list, bool lenient,
               void (*body)(void *context, const struct input *input, const struct input_list *list,
                            size_t at),
               void *context)
{
    static struct input input;
    int status = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (input_read(&input, list->path[i], lenient))
            status = TOOL_BAD;
        else
            body(context, &input, list, i);
    }
    return status;
}
