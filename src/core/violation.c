/* SPDX-License-Identifier: MIT */
/* Names, sentences and statuses of violations, names of calls: the tables of the public headers made readable. */
#include "core.h"

struct violation_row {
    const char *name;
    const char *sentence;
    NTSTATUS status;
};

static const struct violation_row violation_rows[DXGKMEM_VIOLATION_COUNT] = {
    {"none", "no violation", STATUS_SUCCESS},
#define VIOLATION_ROW(constant, name, status, sentence) {#name, sentence, status},
    DXGKMEM_VIOLATIONS(VIOLATION_ROW)
#undef VIOLATION_ROW
};

static const char *const call_names[DXGKMEM_CALL_COUNT] = {"none",
#define CALL_NAME(constant, name) name,
                                                           DXGKMEM_CALLS(CALL_NAME)
#undef CALL_NAME
};

static const struct violation_row *row_of(enum dxgkmem_violation_code code)
{
    return &violation_rows[(unsigned)code < DXGKMEM_VIOLATION_COUNT ? code : DXGKMEM_VIOLATION_NONE];
}

const char *dxgkmem_violation_name(enum dxgkmem_violation_code code)
{
    return row_of(code)->name;
}

const char *dxgkmem_violation_sentence(enum dxgkmem_violation_code code)
{
    return row_of(code)->sentence;
}

NTSTATUS dxgkmem_violation_status(enum dxgkmem_violation_code code)
{
    return row_of(code)->status;
}

const char *dxgkmem_call_name(enum dxgkmem_call call)
{
    return call_names[(unsigned)call < DXGKMEM_CALL_COUNT ? call : DXGKMEM_CALL_NONE];
}
