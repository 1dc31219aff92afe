/* SPDX-License-Identifier: MIT */
/*
 * A finding and its signature: what makes two findings the same one.
 *
 * However it came about (an invariant, a violation that was asked for, a failed
 * assertion, a sanitizer, a signal, a limit), a finding says what happened, at
 * which operation, and with which class of operand. That and, of a crash, the
 * functions it happened in, are the signature: minimising keeps it, triage
 * groups by it. Numbers in the sentence about it and the place in the program are not part of it.
 */
#ifndef DXGKMEM_FINDING_H
#define DXGKMEM_FINDING_H

#include "program/runner.h"

enum finding_kind {
    FINDING_NONE,
    FINDING_INVARIANT, /* number: the invariant, 1..22; name: the message without things and numbers */
    FINDING_VIOLATION, /* number: enum dxgkmem_violation_code; nothing wrong, but what was asked for */
    FINDING_PANIC,     /* name: the assertion of the implementation that failed */
    FINDING_SANITIZER, /* name: what it reports, "heap-use-after-free" */
    FINDING_SIGNAL,    /* number: the signal; name: "SIGSEGV" */
    FINDING_TIMEOUT,
    FINDING_MEMORY, /* more memory than it may have */
    FINDING_EXIT,   /* number: an exit status that nothing explains */
    FINDING_KINDS
};

/* The worst first. */
enum finding_severity {
    SEVERITY_DEVICE,     /* a device reaches memory that was freed, or that is not its own */
    SEVERITY_OWNERS,     /* memory has two owners */
    SEVERITY_LEAK,       /* something of a former or another owner is seen */
    SEVERITY_CORRUPTION, /* the state is wrong */
    SEVERITY_DENIAL,     /* it stops, hangs, or takes what it should not */
    SEVERITY_HARNESS,    /* the fuzzer's own mistake */
    SEVERITIES
};

struct finding_frame {
    char function[80];
    char file[120]; /* below the project's folder: src/core/adl.c; "": unknown */
    unsigned line;  /* 0: unknown */
};

#define FINDING_FRAMES 3

struct finding {
    enum finding_kind kind;
    unsigned number;
    char name[96];
    enum runner_fact fact; /* of an invariant: what it is about, where several checks look at it */
    /* The operation: index in the program (program->lines: the final stop), and what it is. */
    bool placed; /* whether it is known; otherwise the next three mean nothing */
    unsigned line;
    uint8_t opcode;
    uint8_t operand_class; /* enum program_class: that of its first handle that is not as it should be */
    char message[240];     /* one sentence for a person; may be empty */
    unsigned frames;       /* of a crash, the innermost first, without those of sanitizers and libc */
    struct finding_frame frame[FINDING_FRAMES];
};

/* An invariant was broken, with the message of the runner. */
void finding_of_invariant(struct finding *finding, const struct program *program,
                          const struct runner_finding *found);
/* What a run in this process found; false (and FINDING_NONE) when nothing. */
bool finding_of_run(struct finding *finding, const struct program *program,
                    const struct runner_result *result);
/* Says at which operation it was: fills line, opcode and operand_class. */
void finding_place(struct finding *finding, const struct program *program, unsigned line);
/* The class of the first handle of an operation that is neither exact nor left out; else exact. */
enum program_class finding_class_of(const struct program_line *line);

/* Whether two have the same signature. Places that are not known agree with every place. */
bool finding_same(const struct finding *one, const struct finding *other);
/*
 * The same without the operation and the class, and of a crash the innermost function alone: what one
 * bug shows at several operations agrees in that.
 */
bool finding_same_cause(const struct finding *one, const struct finding *other);
enum finding_severity finding_severity(const struct finding *finding);
/* "device", and "a device reaches freed memory" */
const char *finding_severity_name(enum finding_severity severity);
const char *finding_severity_sentence(enum finding_severity severity);
/* "invariant", "violation", "panic", ... */
const char *finding_kind_name(enum finding_kind kind);

/* What it is, without where: "invariant 5", "panic", "heap-use-after-free". Returns text. */
const char *finding_what(const struct finding *finding, char *text, size_t room);
/* What it means: the invariant's sentence, the violation's, the assertion; else the message. */
const char *finding_meaning(const struct finding *finding);
/* Where: "free_adl recycled", "the final stop", "?". Returns text. */
const char *finding_where(const struct finding *finding, char *text, size_t room);
/*
 * The signature as a name for files: lower case, digits, '-': "invariant-5-free_adl-recycled-1f2e".
 * Findings with one signature have one name; it ends with a hash of what the words leave out.
 */
const char *finding_slug(const struct finding *finding, char *text, size_t room);

#define FINDING_TEXT 128 /* room enough for what, where and slug */

#endif
