/* SPDX-License-Identifier: MIT */
/*
 * Programs: the language of the fuzzer.
 *
 * A program is a world and a list of operations. Operations name things by
 * variables, sixteen of each kind: d adapters, o physical memory objects, a
 * adapter memory objects, l ADLs, m CPU mappings, h memories of the WDDM 2.4 callbacks. An operation that makes a
 * thing binds a variable; later ones name it, together with a class that says
 * which wrong value derived from it is to be passed instead. Taking a line out
 * of a program therefore never changes what the other lines mean.
 *
 * This header owns the representation and the table of operations. It is
 * freestanding: it also runs inside the drivers.
 */
#ifndef DXGKMEM_PROGRAM_H
#define DXGKMEM_PROGRAM_H

#include <dxgkmem/ddi.h>

/* The version that the encoder writes. Older files decode with the table of their version, forever. */
#define PROGRAM_VERSION 5
#define PROGRAM_OPERATIONS 128 /* at most; further bytes of a file are ignored */
#define PROGRAM_OPERANDS 16
#define PROGRAM_VARIABLES 16 /* of each kind */

/* A bound on the encoded form: header and every operation at its longest. */
#define PROGRAM_BYTES 16384

/* Kinds of things, and with them of variables: d, o, a, l, m, h in text. */
enum program_kind {
    PROGRAM_ADAPTER,
    PROGRAM_OBJECT,
    PROGRAM_ADAPTER_OBJECT,
    PROGRAM_ADL,
    PROGRAM_MAPPING,
    PROGRAM_MEMORY,
    PROGRAM_KINDS
};

/* Which value an operand passes, derived from the variable it names. */
enum program_class {
    PROGRAM_EXACT,      /* what the variable holds, alive or ended; text: o0 */
    PROGRAM_NULL,       /* NULL; text: null (variable 0) or null:o3 */
    PROGRAM_GARBAGE,    /* a fixed value that was never given out, chosen by the variable's number */
    PROGRAM_WRONG_KIND, /* a handle of another kind related to the variable's */
    PROGRAM_NEXT,       /* the variable's handle with the next generation; for addresses the next slot */
    PROGRAM_FLIPPED,    /* the variable's value with one bit of its check (address: a low bit) flipped */
    PROGRAM_RECYCLED,   /* an ended value whose slot (address) the variable's thing uses now */
    PROGRAM_PREVIOUS,   /* what the variable held before it was last bound */
    PROGRAM_OTHER,      /* a live thing of the same kind that belongs to another object or adapter */
    PROGRAM_CLASSES
};

enum program_operand_type {
    PROGRAM_OPERAND_BIND,   /* a variable of `kind` that the operation binds when it succeeds; value 0..15 */
    PROGRAM_OPERAND_THING,  /* a variable of `kind` with a class; value = class << 4 | variable */
    PROGRAM_OPERAND_NUMBER, /* any 64-bit number */
    PROGRAM_OPERAND_CHOICE  /* one of `choices` by name; value is its place in the list */
};

/* A name for one bit (or several) of a number. */
struct program_bit {
    const char *name;
    uint64_t value;
};

struct program_operand {
    const char *name; /* key in text; NULL: positional (binds and the leading things) */
    enum program_operand_type type;
    enum program_kind kind;
    uint8_t count;              /* how many values there are; a NUMBER: 0 */
    bool negative;              /* NUMBER: two's complement; values with the top bit set are written -N */
    const char *const *choices; /* ends with NULL */
    uint64_t preset;            /* value when the text leaves it out, and in files older than `since` */
    uint8_t since;              /* first PROGRAM_VERSION that has it; 0: since the operation is there */
    /* NUMBER: names of its bits, the last name is NULL; NULL: they have none. */
    const struct program_bit *bits;
    /* NUMBER: which values the mutator likes; see enum program_taste. */
    int taste;
};

/* What a number stands for, so that mutation tries values that matter. */
enum program_taste {
    PROGRAM_TASTE_ANY,
    PROGRAM_TASTE_BYTES,   /* sizes and offsets: multiples of 4096 and their neighbours */
    PROGRAM_TASTE_ADDRESS, /* physical addresses: ends of ranges, powers of two */
    PROGRAM_TASTE_FLAGS,   /* single bits */
    PROGRAM_TASTE_SMALL,   /* 0..15 */
    PROGRAM_TASTE_MASK,    /* 0, powers of two, all ones */
    PROGRAM_TASTE_ACCESS   /* where eight bytes are read or written: multiples of 8, mostly within one page */
};

/* What an operation is, for the runner and the matrix. */
enum program_role {
    PROGRAM_ROLE_CALLBACK, /* a driver calls the interface */
    PROGRAM_ROLE_SYSTEM,   /* the system: adapters, processes, stop */
    PROGRAM_ROLE_ACCESS,   /* a device or the CPU uses memory */
    PROGRAM_ROLE_WORLD     /* conditions for what follows: IRQL, process, faults, bad arguments */
};

struct program_operation {
    const char *name;
    const char *summary; /* one sentence, for help and documentation */
    enum program_role role;
    uint8_t since; /* first PROGRAM_VERSION that has it */
    uint8_t operands;
    struct program_operand operand[PROGRAM_OPERANDS];
    /* Kind of thing it ends when it succeeds (of the THING operand of that kind), or PROGRAM_KINDS. */
    enum program_kind ends;
};

/* The operations by opcode; the enumeration and the table have the same order. */
enum program_opcode {
    OP_ADD,        /* d; wddm= visible= remap= link= frame_buffer= quota_pages= quota_adls= */
    OP_REMOVE,     /* d */
    OP_CREATE,     /* o a; adapter= type= size= cache= low= high= skip= boundary= flags= base= protection=
                    attributes= */
    OP_DESTROY,    /* o; with= */
    OP_OPEN,       /* a o d */
    OP_CLOSE,      /* a */
    OP_MAP,        /* m o; mode= offset= size= */
    OP_UNMAP,      /* o m; extra= (added to the returned size) shift= (added to the base) */
    OP_ADL,        /* l a; offset= size= flags= */
    OP_FREE_ADL,   /* a l; shift= (added to the pointer) */
    OP_PIN,        /* l d; index= size= flags= */
    OP_UNPIN,      /* d; index= */
    OP_LEGACY,     /* d; member= */
    OP_UNRELATED,  /* d; member= */
    OP_DMA_READ,   /* d l; page= offset= */
    OP_DMA_WRITE,  /* d l; page= offset= value= */
    OP_CPU_READ,   /* m; offset= */
    OP_CPU_WRITE,  /* m; offset= value= */
    OP_SCRIBBLE,   /* l; field= (count, flags, base, entry) value= */
    OP_PROCESS,    /* number= */
    OP_EXIT,       /* number=: a process ends */
    OP_IRQL,       /* level= */
    OP_FAIL,       /* nth= then= */
    OP_ARGS,       /* how= (null, misaligned): pArgs of the next callback */
    OP_STOP,       /* */
    OP_SCHEDULE,   /* strategy= (random, pct, listed) seed= bound= */
    OP_THREAD,     /* number=: whose the lines that follow are */
    OP_SWITCH,     /* step= to= */
    OP_CONTIGUOUS, /* h m d; size= cache= low= high= boundary= */
    OP_FREE_CONTIGUOUS, /* d h */
    OP_PAGES,           /* h m d; size= cache= low= high= skip= flags= */
    OP_FREE_PAGES,      /* d h */
    OP_MEMORY_READ,     /* d h; page= offset= */
    OP_MEMORY_WRITE,    /* d h; page= offset= value= */
    OP_SCRIBBLE_MDL,    /* h; field= (count, start, entry) value= */
    OP_MAP_MDL,         /* h d; mdl= (good, null, misaligned, ...) at= offset= size= */
    OP_UNMAP_MDL,       /* d h */
    OP_PIN_MDL,         /* l d; index= size= */
    OP_MAP_FB,          /* m d; index= offset= size= */
    OP_UNMAP_FB,        /* d m; index= shift= */
    PROGRAM_OPCODES
};

/* Kinds that handles name; the others are addresses. */
static inline bool program_is_handle(enum program_kind kind)
{
    return kind <= PROGRAM_ADAPTER_OBJECT || kind == PROGRAM_MEMORY;
}

extern const struct program_operation program_operations[PROGRAM_OPCODES];

/* Letters and words of the kinds ("d", "an adapter"), names of the classes ("" for exact). */
extern const char program_kind_letters[PROGRAM_KINDS + 1];
extern const char *const program_kind_words[PROGRAM_KINDS];
extern const char *const program_class_names[PROGRAM_CLASSES];

/* The machine a program runs on; by name in the first line of text. See fuzz/program/world.c. */
enum program_world { WORLD_SMALL, WORLD_HOLES, WORLD_HIGH, WORLD_TINY, WORLD_HUGE, PROGRAM_WORLDS };
extern const char *const program_world_names[PROGRAM_WORLDS + 1];

struct program_line {
    uint8_t opcode;
    uint16_t source; /* line of the text that it was parsed from, from 1; 0: none. For messages only */
    uint64_t operand[PROGRAM_OPERANDS];
};

struct program {
    uint8_t world;
    uint16_t lines;
    struct program_line line[PROGRAM_OPERATIONS];
};

/*
 * A program is valid when its world, opcodes, variables, classes and choices
 * exist and every operand slot that its operation does not use is 0. All that
 * decode and parse give out are valid; encode and print want valid ones.
 */
bool program_valid(const struct program *program);
/* Same world, same operations. Lines beyond `lines` do not count, nor where they come from. */
bool program_equal(const struct program *one, const struct program *other);
/* What a person calls an operation: its line in the text, or its number from 1. */
static inline unsigned program_line_number(const struct program *program, unsigned at)
{
    unsigned source = at < program->lines ? program->line[at].source : 0;

    return source != 0 ? source : at + 1;
}

/* A THING operand's value. */
#define PROGRAM_THING(class, variable) ((uint64_t)(class) << 4 | (uint64_t)(variable))
#define PROGRAM_CLASS_OF(value) ((enum program_class)((value) >> 4 & 15))
#define PROGRAM_VARIABLE_OF(value) ((unsigned)((value)&15))

/* -- codec.c: the binary form -------------------------------------------------
 *
 * byte 0 version, byte 1 world, then per operation an opcode byte and its
 * operands: BIND one byte, THING one byte, CHOICE one byte, NUMBER LEB128. Every
 * byte string decodes: a value out of range is reduced modulo its count, an
 * opcode that the file's version does not have is skipped, an operation that is cut off ends
 * the program, an unknown version decodes as version 1. A number has at most ten
 * bytes: the tenth ends it in any case, and bits above the 64th are dropped.
 */
void program_decode(struct program *program, const uint8_t *bytes, size_t size);
/* Writes the canonical form; returns its length, or 0 when it does not fit or the program is not valid. */
size_t program_encode(const struct program *program, uint8_t *bytes, size_t room);
/* How many bytes a line of a valid program takes in the canonical form; the header takes two. */
size_t program_line_bytes(const struct program_line *line);

/* -- text.c: the text form -----------------------------------------------------
 *
 *   # a comment, to the end of the line
 *   world small
 *   add d0 wddm=3.2
 *   create o0 a0 adapter=d0 type=contiguous size=0x3000
 *   adl l0 a0 size=0x3000 flags=require
 *   free_adl a0 recycled:l0
 *
 * Operands that have their preset are left out. parse(print(p)) equals p, and
 * print is canonical. Numbers are decimal below ten, else hexadecimal; max is
 * 2^64 - 1; named bits are joined by |, the bits without a name as a number.
 * The parser takes either base, lines that end in LF or CRLF, tabs, and # to
 * the end of a line. The world line comes first; without one it is small.
 */
struct program_error {
    unsigned line;     /* from 1 */
    char message[160]; /* says what was found and what is allowed */
};
/* False: *error (may be NULL) says why, and the program is empty. */
bool program_parse(struct program *program, const char *text, size_t size, struct program_error *error);
/* Prints one line without newline, always terminated; returns the length it would need. */
size_t program_print_line(const struct program_line *line, char *text, size_t room);
/* Prints all of it, with the world line; returns the length it would need. */
size_t program_print(const struct program *program, char *text, size_t room);

/* Whether bytes are text and not binary: text has no byte below 9, binary begins with its version, 1 to 8. */
bool program_is_text(const uint8_t *bytes, size_t size);

#endif
