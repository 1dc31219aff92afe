/* SPDX-License-Identifier: MIT */
/* The argument blocks of the C form: how operands and members are written, and the call that a block is for. */
#ifndef DXGKMEM_TOOL_CSOURCE_BLOCK_H
#define DXGKMEM_TOOL_CSOURCE_BLOCK_H

#include "tool/csource_internal.h"

/* Room for the name of a variable. */
#define CSOURCE_NAME 64

static inline uint64_t csource_number(const struct csource_writer *writer, unsigned operand)
{
    return writer->line->operand[operand];
}

static inline const struct runner_passed *csource_passed(const struct csource_writer *writer,
                                                         unsigned operand)
{
    return &writer->recording->line[writer->at].passed[operand];
}

/* The value of an operand as a C expression, shifted by so many bytes. */
void csource_value(struct csource_writer *writer, unsigned operand, uint64_t shift);
/* A member that is set to an operand, a number or an address; zeros are left out. */
void csource_field(struct csource_writer *writer, const char *name, unsigned operand);
void csource_field_number(struct csource_writer *writer, const char *name, uint64_t value);
void csource_field_address(struct csource_writer *writer, const char *name, uint64_t value);
/* The interface that a call goes through: its variable, or the driver's only one. */
const char *csource_interface(struct csource_writer *writer);

/* Opens the block of a call. */
void csource_open(struct csource_writer *writer, const char *type);
/* Closes the block and makes the call; pArgs may be spoiled. handle: operand passed before it, or -1. */
void csource_call(struct csource_writer *writer, const char *member, bool has_status, int handle);
/* Takes an output into the variable of the thing of this kind that the line made, if anybody uses it. */
void csource_take(struct csource_writer *writer, enum program_kind kind, const char *member);
/* Ends what was opened. */
void csource_close(struct csource_writer *writer);

#endif
