/* SPDX-License-Identifier: MIT */
/*
 * What goes over the device of a driver, and into the files of `dxgkmem batch`: messages, all of them
 * little-endian, without gaps between what they consist of.
 *
 * A request is a header and, for RUN, programs in binary form, each behind its length (32 bits). A
 * reply is a header of the same shape and what the function says. A file is any number of messages,
 * one behind the other. A client needs to know two fields: `bytes`, how long the request is, and
 * `reply_bytes`, how much room the reply wants.
 *
 * Whoever takes a request checks every field; what is said to be 0 must be 0.
 */
#ifndef DXGKMEM_DRIVER_PROTOCOL_H
#define DXGKMEM_DRIVER_PROTOCOL_H

#if defined(__KERNEL__) && defined(__linux__)
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#define BATCH_MAGIC 0x424d5844u /* "DXMB" */
#define BATCH_VERSION 1

/* The most that one message may have. */
#define BATCH_PROGRAMS 4096u
#define BATCH_REQUEST_BYTES (1u << 20)
#define BATCH_REPLY_BYTES (4u << 20)

enum batch_function {
    BATCH_QUERY = 1, /* -> header, struct batch_limits */
    BATCH_RUN,       /* -> header, for each program a struct batch_result and its trace */
    BATCH_COVERAGE,  /* -> header, a byte for each edge of the driver; 0: not reached */
    BATCH_RESET,     /* -> header; as just loaded */
    BATCH_FUNCTIONS
};

/* Flags of requests. */
#define BATCH_FLAG_TRACE 1u /* RUN: the trace as text, as far as there is room */
#define BATCH_FLAG_CLEAR 2u /* COVERAGE: counters begin at 0 again after they were read */
#define BATCH_FLAG_NEWS 4u  /* RUN: look after each program whether its edges were reached as often before */

/* Flags of a result. */
#define BATCH_RESULT_TRACE_CUT 1u /* there was no room for the whole trace */
#define BATCH_RESULT_NEWS 2u      /* an edge was reached for the first time, or twice as often as ever */

struct batch_header {
    uint32_t magic;
    uint16_t version;
    uint16_t function;
    uint32_t flags;       /* reply: 0 */
    uint32_t language;    /* RUN: PROGRAM_VERSION of who wrote the programs; else, and in replies, 0 */
    uint32_t count;       /* RUN: programs, at least one; else 0; the same in the reply */
    uint32_t bytes;       /* of the whole message, with the header */
    uint32_t reply_bytes; /* how long the reply may become; in replies 0 */
    uint32_t reserved;    /* 0 */
};

struct batch_limits {
    uint32_t language;       /* the newest that is understood */
    uint32_t programs;       /* in one request */
    uint32_t program_bytes;  /* of one program */
    uint32_t request_bytes;  /* of one request */
    uint32_t reply_bytes;    /* of one reply */
    uint32_t coverage_bytes; /* counters; 0: the driver was built without */
    uint32_t pointer_bits;
    uint32_t reserved; /* 0 */
    char host[16];     /* "nt", "linux", "user"; the rest 0 */
};

#define BATCH_MESSAGE_BYTES 240u

struct batch_result {
    uint64_t trace_hash;
    uint32_t invariant; /* of the finding; 0: nothing was found */
    uint32_t line;      /* index of the operation; the number of operations: at the final stop */
    uint32_t callbacks, successes;
    uint32_t trace_bytes;              /* of the text behind this: lines, each with its newline */
    uint32_t flags;                    /* BATCH_RESULT_ */
    char message[BATCH_MESSAGE_BYTES]; /* of the finding; the rest 0 */
};

_Static_assert(sizeof(struct batch_header) == 32, "no gaps");
_Static_assert(sizeof(struct batch_limits) == 48, "no gaps");
_Static_assert(sizeof(struct batch_result) == 32 + BATCH_MESSAGE_BYTES, "no gaps");

#endif
