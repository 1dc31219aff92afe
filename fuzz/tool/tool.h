/* SPDX-License-Identifier: MIT */
/*
 * What the files of the dxgkmem command share: its verbs, its errors, its ends.
 *
 * Exit status: 0 done and clean, 1 a finding (or a difference), 2 bad input or
 * usage, 130 interrupted. Every error is one line on stderr that names the file
 * and, where there is one, the line.
 */
#ifndef DXGKMEM_TOOL_H
#define DXGKMEM_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TOOL_CLEAN = 0, TOOL_FINDING = 1, TOOL_BAD = 2, TOOL_INTERRUPTED = 130 };

/* Prints "dxgkmem: ..." and a newline; returns TOOL_BAD. */
int tool_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The verbs; arguments[0] is the verb's name. Each returns the exit status. */
int verb_run(int count, char **arguments);
int verb_show(int count, char **arguments);
int verb_csource(int count, char **arguments);
int verb_pack(int count, char **arguments);
int verb_generate(int count, char **arguments);
int verb_minimize(int count, char **arguments);
int verb_triage(int count, char **arguments);
int verb_promote(int count, char **arguments);
int verb_batch(int count, char **arguments);
int verb_drive(int count, char **arguments);
int verb_faults(int count, char **arguments);
int verb_reads(int count, char **arguments);
int verb_explore(int count, char **arguments);
int verb_matrix(int count, char **arguments);
int verb_operations(int count, char **arguments);
int verb_violations(int count, char **arguments);

/* A memory allocation that cannot fail: without memory the tool says so and exits. */
void *tool_alloc(size_t bytes);
char *tool_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether the text is a number up to `most`, decimal or hexadecimal. */
bool tool_number(const char *text, uint64_t most, uint64_t *value);

/* FNV-1a, from TOOL_HASH on; of a file that is there. NULL: of nothing. */
#define TOOL_HASH 0xcbf29ce484222325u
uint64_t tool_hash(uint64_t hash, const void *bytes, size_t size);
uint64_t tool_hash_file(uint64_t hash, const char *path);

/*
 * Writes a file as a whole or not at all: into a new file beside it, which then
 * takes its name. Returns 0 or TOOL_BAD. An interrupt removes the new file.
 */
int tool_write_file(const char *path, const void *bytes, size_t size);
/* The same of what write() writes; to standard output when path is NULL. */
int tool_write_page(const char *path, void (*write)(FILE *to, const void *context), const void *context);

#endif
