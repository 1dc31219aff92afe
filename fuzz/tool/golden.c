/* SPDX-License-Identifier: MIT */
/* Implements golden.h. */
#include "tool/golden.h"

#include "tool/tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "# The hash of each corpus program's trace: a change of behaviour changes it.\n"
                           "# Written by: ./dev replay --update\n";

struct entry {
    char *name;
    uint64_t hash;
    bool used;
};

struct golden {
    const char *path;
    bool update;
    size_t count, room;
    struct entry *entry;
};

static struct entry *find(struct golden *golden, const char *name)
{
    for (size_t i = 0; i < golden->count; i++)
        if (strcmp(golden->entry[i].name, name) == 0)
            return &golden->entry[i];
    return NULL;
}

static struct entry *add(struct golden *golden, const char *name, uint64_t hash)
{
    if (golden->count == golden->room) {
        size_t room = golden->room ? 2 * golden->room : 64;
        struct entry *entries = tool_alloc(room * sizeof *entries);
        if (golden->count)
            memcpy(entries, golden->entry, golden->count * sizeof *entries);
        free(golden->entry);
        golden->entry = entries;
        golden->room = room;
    }
    struct entry *entry = &golden->entry[golden->count++];
    *entry = (struct entry){.name = tool_format("%s", name), .hash = hash};
    return entry;
}

/* One line of the file; false when it is neither an entry nor empty. */
static bool take_line(struct golden *golden, char *line)
{
    char *comment = strchr(line, '#'), *rest, *end;
    const char *name, *hash;

    if (comment)
        *comment = '\0';
    name = strtok_r(line, " \t\r\n", &rest);
    if (!name)
        return true;
    hash = strtok_r(NULL, " \t\r\n", &rest);
    if (!hash || strlen(hash) != 16 || strtok_r(NULL, " \t\r\n", &rest) || find(golden, name))
        return false;
    errno = 0;
    uint64_t value = strtoull(hash, &end, 16);
    if (errno || *end)
        return false;
    add(golden, name, value);
    return true;
}

struct golden *golden_open(const char *path, bool update)
{
    struct golden *golden = tool_alloc(sizeof *golden);
    FILE *file = fopen(path, "r");
    char line[1024];

    *golden = (struct golden){.path = path, .update = update};
    if (!file && !(update && errno == ENOENT)) {
        tool_error("%s: cannot be read: %s", path, strerror(errno));
        golden_close(golden);
        return NULL;
    }
    for (unsigned number = 1; file && fgets(line, sizeof line, file); number++) {
        if (take_line(golden, line))
            continue;
        tool_error("%s:%u: expected a name that is not there yet and a hash of 16 digits", path, number);
        fclose(file);
        golden_close(golden);
        return NULL;
    }
    if (file && (ferror(file) | fclose(file))) {
        tool_error("%s: cannot be read: %s", path, strerror(errno));
        golden_close(golden);
        return NULL;
    }
    return golden;
}

bool golden_check(struct golden *golden, const char *name, uint64_t hash)
{
    struct entry *entry = find(golden, name);

    if (golden->update) {
        if (!entry)
            entry = add(golden, name, hash);
        entry->hash = hash;
        entry->used = true;
        return true;
    }
    if (!entry) {
        printf("%s: no golden hash; this trace has %016" PRIx64 "\n", name, hash);
        return false;
    }
    entry->used = true;
    if (entry->hash == hash)
        return true;
    printf("%s: trace %016" PRIx64 ", golden %016" PRIx64 "\n", name, hash, entry->hash);
    return false;
}

unsigned golden_unused(struct golden *golden)
{
    unsigned unused = 0;
    size_t kept = 0;

    for (size_t i = 0; i < golden->count; i++) {
        struct entry *entry = &golden->entry[i];
        if (entry->used || !golden->update) {
            if (!entry->used) {
                printf("%s: in the golden file, but no program has this name\n", entry->name);
                unused++;
            }
            golden->entry[kept++] = *entry;
        } else {
            free(entry->name);
        }
    }
    golden->count = kept;
    return unused;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

int golden_save(struct golden *golden)
{
    size_t size = sizeof head;

    qsort(golden->entry, golden->count, sizeof *golden->entry, by_name);
    for (size_t i = 0; i < golden->count; i++)
        size += strlen(golden->entry[i].name) + 18;

    char *text = tool_alloc(size), *at = text;
    at += sprintf(at, "%s", head);
    for (size_t i = 0; i < golden->count; i++)
        at += sprintf(at, "%s %016" PRIx64 "\n", golden->entry[i].name, golden->entry[i].hash);
    int status = tool_write_file(golden->path, text, (size_t)(at - text));
    free(text);
    if (!status)
        printf("%s: %zu hashes written\n", golden->path, golden->count);
    return status;
}

void golden_close(struct golden *golden)
{
    if (!golden)
        return;
    for (size_t i = 0; i < golden->count; i++)
        free(golden->entry[i].name);
    free(golden->entry);
    free(golden);
}
