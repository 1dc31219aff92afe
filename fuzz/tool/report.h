/* SPDX-License-Identifier: MIT */
/*
 * What a finding looks like to a person. The tool and the fuzz targets print it
 * the same way.
 */
#ifndef DXGKMEM_REPORT_H
#define DXGKMEM_REPORT_H

#include "program/runner.h"

#include <stdio.h>

/* The sentence of an invariant, without a full stop. */
const char *report_invariant(unsigned number);

/* A word for a fact, and the fact of a word: RUNNER_FACT_OTHER when it is none. */
const char *report_fact(enum runner_fact fact);
enum runner_fact report_fact_named(const char *word);

/*
 * Prints the violated invariant, what was expected and what happened, and the
 * line that did it. `file` may be NULL; source_line gives the line of `file`
 * for each operation, or is NULL.
 */
void report_finding(FILE *to, const char *file, const struct program *program, const unsigned *source_line,
                    const struct runner_finding *finding);

/*
 * A program was not run, for the implementation of this name has no world like its: the beginning of a
 * line, which the caller ends. Whether a text has such a line.
 */
void report_unlike(FILE *to, const char *name, unsigned world);
bool report_says_unlike(const char *text);

/* Prints the program as text. */
void report_program(FILE *to, const struct program *program);

#endif
