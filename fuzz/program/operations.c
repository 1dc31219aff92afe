/* SPDX-License-Identifier: MIT */
/*
 * The table of operations: names, operands, presets, choices, what each ends.
 *
 * Decoder, printer, parser, mutator, matrix and documentation read this table
 * and keep no list of their own. A new operation is one opcode, one row here
 * and one function in the runner.
 *
 * Files outlive the program that wrote them: rows, operands and choices are
 * only ever added, behind the others, with `since` one version up.
 */
#include "operands.h"
#include "program.h"

/* A table: one operand a line. */
/* clang-format off */
#define THINGS PROGRAM_THING(PROGRAM_CLASSES, 0)
#define BIND(k) {.type = PROGRAM_OPERAND_BIND, .kind = (k), .count = PROGRAM_VARIABLES}
#define THING(k) {.type = PROGRAM_OPERAND_THING, .kind = (k), .count = THINGS}
#define THING_KEY(key, k, start) \
    {.name = (key), .type = PROGRAM_OPERAND_THING, .kind = (k), .count = THINGS, .preset = (start)}
#define NUMBER(key, start, likes) \
    {.name = (key), .type = PROGRAM_OPERAND_NUMBER, .kind = PROGRAM_KINDS, .preset = (start),     \
     .taste = (likes)}
#define ADDED_NUMBER(key, start, likes, version) \
    {.name = (key), .type = PROGRAM_OPERAND_NUMBER, .kind = PROGRAM_KINDS, .preset = (start),     \
     .taste = (likes), .since = (version)}
#define SIGNED(key, likes) \
    {.name = (key), .type = PROGRAM_OPERAND_NUMBER, .kind = PROGRAM_KINDS, .negative = true, .taste = (likes)}
#define FLAGS(key, start, names)                                                                 \
    {.name = (key), .type = PROGRAM_OPERAND_NUMBER, .kind = PROGRAM_KINDS, .preset = (start),     \
     .taste = PROGRAM_TASTE_FLAGS, .bits = (names)}
#define CHOICE(key, start, list)                                                                 \
    {.name = (key), .type = PROGRAM_OPERAND_CHOICE, .kind = PROGRAM_KINDS, .preset = (start),     \
     .choices = (list), .count = sizeof(list) / sizeof((list)[0]) - 1}

/* Counts the operands, so that nobody has to. */
#define OPERANDS(...)                                                                                  \
    .operands = sizeof((const struct program_operand[]){__VA_ARGS__}) / sizeof(struct program_operand), \
    .operand = {__VA_ARGS__}

#define NOTHING PROGRAM_THING(PROGRAM_NULL, 0)
#define ALL_ONES (~(uint64_t)0)

const char program_kind_letters[PROGRAM_KINDS + 1] = "doalmh";

const char *const program_kind_words[PROGRAM_KINDS] = {
    [PROGRAM_ADAPTER] = "an adapter",
    [PROGRAM_OBJECT] = "a physical memory object",
    [PROGRAM_ADAPTER_OBJECT] = "an adapter memory object",
    [PROGRAM_ADL] = "an ADL",
    [PROGRAM_MAPPING] = "a CPU mapping",
    [PROGRAM_MEMORY] = "a memory of a WDDM 2.4 callback",
};

const char *const program_class_names[PROGRAM_CLASSES] = {
    [PROGRAM_EXACT] = "",
    [PROGRAM_NULL] = "null",
    [PROGRAM_GARBAGE] = "garbage",
    [PROGRAM_WRONG_KIND] = "wrong_kind",
    [PROGRAM_NEXT] = "next",
    [PROGRAM_FLIPPED] = "flipped",
    [PROGRAM_RECYCLED] = "recycled",
    [PROGRAM_PREVIOUS] = "previous",
    [PROGRAM_OTHER] = "other",
};

static const char *const wddm[] = {"2.0", "2.4", "2.6", "2.9", "3.0", "3.1", "3.2", NULL};
static const char *const remap[] = {"auto", "always", "unsupported", NULL};
static const char *const type[] = {"mdl", "contiguous", "section", "io", "invalid", NULL};
static const char *const cache[] = {"cached", "noncached", "writecombined", "invalid", NULL};
static const char *const protection[] = {"readwrite", "readonly", "execute", "writecopy", "invalid", NULL};
static const char *const mode[] = {"kernel", "user", "invalid", NULL};
static const char *const field[] = {"count", "flags", "base", "entry", NULL};
static const char *const mdl_field[] = {"count", "start", "entry", NULL};
/* What is wrong with an MDL; from twice on it is the last page. */
static const char *const mdl[] = {"good",  "null", "misaligned", "unlocked", "twice",
                                  "gap",   "beyond", "others",   NULL};
static const char *const how[] = {"null", "misaligned", NULL};
static const char *const strategy[] = {"random", "pct", "listed", NULL};

/* MM_ALLOCATE_ and MM_DONT_ZERO_ALLOCATION */
static const struct program_bit mdl_flags[] = {
    {"dont_zero", MM_DONT_ZERO_ALLOCATION},
    {"local_node", MM_ALLOCATE_FROM_LOCAL_NODE_ONLY},
    {"fully_required", MM_ALLOCATE_FULLY_REQUIRED},
    {"no_wait", MM_ALLOCATE_NO_WAIT},
    {"prefer_contiguous", MM_ALLOCATE_PREFER_CONTIGUOUS},
    {"require_chunks", MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS},
    {"large_pages", MM_ALLOCATE_FAST_LARGE_PAGES},
    {"hot_remove", MM_ALLOCATE_AND_HOT_REMOVE},
    {NULL, 0},
};
static const struct program_bit section_attributes[] = {{"commit", SEC_COMMIT}, {NULL, 0}};
static const struct program_bit adl_flags[] = {{"require", 1}, {"prefer", 2}, {NULL, 0}};
static const struct program_bit pin_flags[] = {{"prefer", 1}, {NULL, 0}};

const struct program_operation program_operations[PROGRAM_OPCODES] = {
    [OP_ADD] = {
        .name = "add",
        .summary = "Adds a physical adapter, alone or linked to another one.",
        .role = PROGRAM_ROLE_SYSTEM, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [ADD_ADAPTER] = BIND(PROGRAM_ADAPTER),
            [ADD_WDDM] = CHOICE("wddm", PROGRAM_WDDM_3_2, wddm),
            [ADD_VISIBLE] = NUMBER("visible", ALL_ONES, PROGRAM_TASTE_ADDRESS),
            [ADD_REMAP] = CHOICE("remap", PROGRAM_REMAP_AUTO, remap),
            [ADD_LINK] = THING_KEY("link", PROGRAM_ADAPTER, NOTHING),
            [ADD_FRAME_BUFFER] = NUMBER("frame_buffer", 0x4000, PROGRAM_TASTE_BYTES),
            [ADD_QUOTA_PAGES] = NUMBER("quota_pages", 0, PROGRAM_TASTE_SMALL),
            [ADD_QUOTA_ADLS] = NUMBER("quota_adls", 0, PROGRAM_TASTE_SMALL)),
    },
    [OP_REMOVE] = {
        .name = "remove",
        .summary = "Removes a physical adapter, and with the last of a chain all that is open on it.",
        .role = PROGRAM_ROLE_SYSTEM, .since = 1, .ends = PROGRAM_ADAPTER,
        OPERANDS([REMOVE_ADAPTER] = THING(PROGRAM_ADAPTER)),
    },
    [OP_CREATE] = {
        .name = "create",
        .summary = "Creates a physical memory object and, with an adapter, opens it there.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [CREATE_OBJECT] = BIND(PROGRAM_OBJECT),
            [CREATE_ADAPTER_OBJECT] = BIND(PROGRAM_ADAPTER_OBJECT),
            [CREATE_ADAPTER] = THING_KEY("adapter", PROGRAM_ADAPTER, PROGRAM_THING(PROGRAM_EXACT, 0)),
            [CREATE_TYPE] = CHOICE("type", PROGRAM_TYPE_MDL, type),
            [CREATE_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES),
            [CREATE_CACHE] = CHOICE("cache", PROGRAM_CACHE_CACHED, cache),
            [CREATE_LOW] = NUMBER("low", 0, PROGRAM_TASTE_ADDRESS),
            [CREATE_HIGH] = NUMBER("high", ALL_ONES, PROGRAM_TASTE_ADDRESS),
            [CREATE_SKIP] = NUMBER("skip", 0, PROGRAM_TASTE_BYTES),
            [CREATE_BOUNDARY] = NUMBER("boundary", 0, PROGRAM_TASTE_MASK),
            [CREATE_FLAGS] = FLAGS("flags", 0, mdl_flags),
            [CREATE_BASE] = NUMBER("base", 0, PROGRAM_TASTE_ADDRESS),
            [CREATE_PROTECTION] = CHOICE("protection", PROGRAM_PROTECTION_READWRITE, protection),
            [CREATE_ATTRIBUTES] = FLAGS("attributes", 0, section_attributes)),
    },
    [OP_DESTROY] = {
        .name = "destroy",
        .summary = "Destroys a physical memory object and closes the adapter memory object it names.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_OBJECT,
        OPERANDS(
            [DESTROY_OBJECT] = THING(PROGRAM_OBJECT),
            [DESTROY_WITH] = THING_KEY("with", PROGRAM_ADAPTER_OBJECT, NOTHING)),
    },
    [OP_OPEN] = {
        .name = "open",
        .summary = "Opens a physical memory object on the logical adapter of an adapter.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [OPEN_ADAPTER_OBJECT] = BIND(PROGRAM_ADAPTER_OBJECT),
            [OPEN_OBJECT] = THING(PROGRAM_OBJECT),
            [OPEN_ADAPTER] = THING(PROGRAM_ADAPTER)),
    },
    [OP_CLOSE] = {
        .name = "close",
        .summary = "Closes an adapter memory object.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_ADAPTER_OBJECT,
        OPERANDS([CLOSE_ADAPTER_OBJECT] = THING(PROGRAM_ADAPTER_OBJECT)),
    },
    [OP_MAP] = {
        .name = "map",
        .summary = "Maps part of a physical memory object for the CPU.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [MAP_MAPPING] = BIND(PROGRAM_MAPPING),
            [MAP_OBJECT] = THING(PROGRAM_OBJECT),
            [MAP_MODE] = CHOICE("mode", PROGRAM_MODE_KERNEL, mode),
            [MAP_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_BYTES),
            [MAP_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES)),
    },
    [OP_UNMAP] = {
        .name = "unmap",
        .summary = "Ends a CPU mapping; extra is added to the size that map returned, shift to its base.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_MAPPING,
        OPERANDS(
            [UNMAP_OBJECT] = THING(PROGRAM_OBJECT),
            [UNMAP_MAPPING] = THING(PROGRAM_MAPPING),
            [UNMAP_EXTRA] = SIGNED("extra", PROGRAM_TASTE_BYTES),
            [UNMAP_SHIFT] = SIGNED("shift", PROGRAM_TASTE_BYTES)),
    },
    [OP_ADL] = {
        .name = "adl",
        .summary = "Allocates an ADL over part of an adapter memory object.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [ADL_ADL] = BIND(PROGRAM_ADL),
            [ADL_ADAPTER_OBJECT] = THING(PROGRAM_ADAPTER_OBJECT),
            [ADL_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_BYTES),
            [ADL_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES),
            [ADL_FLAGS] = FLAGS("flags", 0, adl_flags)),
    },
    [OP_FREE_ADL] = {
        .name = "free_adl",
        .summary = "Frees an ADL; shift is added to the pointer.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_ADL,
        OPERANDS(
            [FREE_ADL_ADAPTER_OBJECT] = THING(PROGRAM_ADAPTER_OBJECT),
            [FREE_ADL_ADL] = THING(PROGRAM_ADL),
            [FREE_ADL_SHIFT] = SIGNED("shift", PROGRAM_TASTE_ACCESS)),
    },
    [OP_PIN] = {
        .name = "pin",
        .summary = "Pins the frame-buffer save area of one physical adapter of a chain.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [PIN_ADL] = BIND(PROGRAM_ADL),
            [PIN_ADAPTER] = THING(PROGRAM_ADAPTER),
            [PIN_INDEX] = NUMBER("index", 0, PROGRAM_TASTE_SMALL),
            [PIN_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES),
            [PIN_FLAGS] = FLAGS("flags", 0, pin_flags)),
    },
    [OP_UNPIN] = {
        .name = "unpin",
        .summary = "Unpins the frame-buffer save area of one physical adapter of a chain.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [UNPIN_ADAPTER] = THING(PROGRAM_ADAPTER),
            [UNPIN_INDEX] = NUMBER("index", 0, PROGRAM_TASTE_SMALL)),
    },
    [OP_LEGACY] = {
        .name = "legacy",
        .summary = "Calls one of the WDDM 2.4 memory callbacks through an interface that does not offer them.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [MEMBER_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MEMBER_MEMBER] = NUMBER("member", 0, PROGRAM_TASTE_SMALL)),
    },
    [OP_UNRELATED] = {
        .name = "unrelated",
        .summary = "Calls a member of the interface that is not about memory.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [MEMBER_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MEMBER_MEMBER] = NUMBER("member", 0, PROGRAM_TASTE_SMALL)),
    },
    [OP_DMA_READ] = {
        .name = "dma_read",
        .summary = "The device of an adapter reads eight bytes of a page of an ADL.",
        .role = PROGRAM_ROLE_ACCESS, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [DMA_ADAPTER] = THING(PROGRAM_ADAPTER),
            [DMA_ADL] = THING(PROGRAM_ADL),
            [DMA_PAGE] = NUMBER("page", 0, PROGRAM_TASTE_SMALL),
            [DMA_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_ACCESS)),
    },
    [OP_DMA_WRITE] = {
        .name = "dma_write",
        .summary = "The device of an adapter writes eight bytes of a page of an ADL.",
        .role = PROGRAM_ROLE_ACCESS, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [DMA_ADAPTER] = THING(PROGRAM_ADAPTER),
            [DMA_ADL] = THING(PROGRAM_ADL),
            [DMA_PAGE] = NUMBER("page", 0, PROGRAM_TASTE_SMALL),
            [DMA_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_ACCESS),
            [DMA_VALUE] = NUMBER("value", 1, PROGRAM_TASTE_ANY)),
    },
    [OP_CPU_READ] = {
        .name = "cpu_read",
        .summary = "The CPU, in the current process, reads eight bytes through a mapping.",
        .role = PROGRAM_ROLE_ACCESS, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [CPU_MAPPING] = THING(PROGRAM_MAPPING),
            [CPU_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_ACCESS)),
    },
    [OP_CPU_WRITE] = {
        .name = "cpu_write",
        .summary = "The CPU, in the current process, writes eight bytes through a mapping.",
        .role = PROGRAM_ROLE_ACCESS, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [CPU_MAPPING] = THING(PROGRAM_MAPPING),
            [CPU_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_ACCESS),
            [CPU_VALUE] = NUMBER("value", 1, PROGRAM_TASTE_ANY)),
    },
    [OP_SCRIBBLE] = {
        .name = "scribble",
        .summary = "The driver writes to an ADL that it was given: to a field of it or to its page array.",
        .role = PROGRAM_ROLE_ACCESS, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [SCRIBBLE_ADL] = THING(PROGRAM_ADL),
            [SCRIBBLE_FIELD] = CHOICE("field", PROGRAM_FIELD_COUNT, field),
            [SCRIBBLE_VALUE] = NUMBER("value", ALL_ONES, PROGRAM_TASTE_ANY)),
    },
    [OP_PROCESS] = {
        .name = "process",
        .summary = "Makes another process the current one.",
        .role = PROGRAM_ROLE_WORLD, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS([CONDITION_VALUE] = NUMBER("number", 2, PROGRAM_TASTE_SMALL)),
    },
    [OP_EXIT] = {
        .name = "exit",
        .summary = "A process ends, and with it its user mappings.",
        .role = PROGRAM_ROLE_SYSTEM, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS([CONDITION_VALUE] = NUMBER("number", 2, PROGRAM_TASTE_SMALL)),
    },
    [OP_IRQL] = {
        .name = "irql",
        .summary = "Sets the IRQL of the calls that follow.",
        .role = PROGRAM_ROLE_WORLD, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS([CONDITION_VALUE] = NUMBER("level", 0, PROGRAM_TASTE_SMALL)),
    },
    [OP_FAIL] = {
        .name = "fail",
        .summary = "Makes the nth fallible call of the host from now fail, once, and the then-th after it; "
                   "0 takes it back.",
        .role = PROGRAM_ROLE_WORLD, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS(
            [FAIL_NTH] = NUMBER("nth", 1, PROGRAM_TASTE_SMALL),
            [FAIL_THEN] = ADDED_NUMBER("then", 0, PROGRAM_TASTE_SMALL, 2)),
    },
    [OP_ARGS] = {
        .name = "args",
        .summary = "The next callback gets a pArgs that is NULL or misaligned.",
        .role = PROGRAM_ROLE_WORLD, .since = 1, .ends = PROGRAM_KINDS,
        OPERANDS([CONDITION_VALUE] = CHOICE("how", PROGRAM_HOW_NULL, how)),
    },
    [OP_STOP] = {
        .name = "stop",
        .summary = "Stops the instance and reports all that was left.",
        .role = PROGRAM_ROLE_SYSTEM, .since = 1, .ends = PROGRAM_KINDS,
    },
    [OP_SCHEDULE] = {
        .name = "schedule",
        .summary = "How the threads of the program take turns, where the host lets them.",
        .role = PROGRAM_ROLE_WORLD, .since = 2, .ends = PROGRAM_KINDS,
        OPERANDS(
            [SCHEDULE_STRATEGY] = CHOICE("strategy", PROGRAM_STRATEGY_RANDOM, strategy),
            [SCHEDULE_SEED] = NUMBER("seed", 1, PROGRAM_TASTE_ANY),
            [SCHEDULE_BOUND] = NUMBER("bound", 3, PROGRAM_TASTE_SMALL)),
    },
    [OP_THREAD] = {
        .name = "thread",
        .summary = "The lines that follow are those of thread 1 to 4; 0: of none, after all have ended.",
        .role = PROGRAM_ROLE_WORLD, .since = 2, .ends = PROGRAM_KINDS,
        OPERANDS([CONDITION_VALUE] = NUMBER("number", 0, PROGRAM_TASTE_SMALL)),
    },
    [OP_SWITCH] = {
        .name = "switch",
        .summary = "With strategy=listed: at this step the turn goes to this thread.",
        .role = PROGRAM_ROLE_WORLD, .since = 2, .ends = PROGRAM_KINDS,
        OPERANDS(
            [SWITCH_STEP] = NUMBER("step", 0, PROGRAM_TASTE_ANY),
            [SWITCH_TO] = NUMBER("to", 1, PROGRAM_TASTE_SMALL)),
    },
    [OP_CONTIGUOUS] = {
        .name = "contiguous",
        .summary = "Allocates contiguous memory by the WDDM 2.4 callback, mapped for kernel and device.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 3, .ends = PROGRAM_KINDS,
        OPERANDS(
            [CONTIGUOUS_MEMORY] = BIND(PROGRAM_MEMORY),
            [CONTIGUOUS_MAPPING] = BIND(PROGRAM_MAPPING),
            [CONTIGUOUS_ADAPTER] = THING(PROGRAM_ADAPTER),
            [CONTIGUOUS_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES),
            [CONTIGUOUS_CACHE] = CHOICE("cache", PROGRAM_CACHE_CACHED, cache),
            [CONTIGUOUS_LOW] = NUMBER("low", 0, PROGRAM_TASTE_ADDRESS),
            [CONTIGUOUS_HIGH] = NUMBER("high", ALL_ONES, PROGRAM_TASTE_ADDRESS),
            [CONTIGUOUS_BOUNDARY] = NUMBER("boundary", 0, PROGRAM_TASTE_MASK)),
    },
    [OP_FREE_CONTIGUOUS] = {
        .name = "free_contiguous",
        .summary = "Frees contiguous memory.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 3, .ends = PROGRAM_MEMORY,
        OPERANDS(
            [MEMORY_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MEMORY_MEMORY] = THING(PROGRAM_MEMORY)),
    },
    [OP_PAGES] = {
        .name = "pages",
        .summary = "Allocates pages for an MDL by the WDDM 2.4 callback, mapped for kernel and device.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 3, .ends = PROGRAM_KINDS,
        OPERANDS(
            [CONTIGUOUS_MEMORY] = BIND(PROGRAM_MEMORY),
            [CONTIGUOUS_MAPPING] = BIND(PROGRAM_MAPPING),
            [CONTIGUOUS_ADAPTER] = THING(PROGRAM_ADAPTER),
            [CONTIGUOUS_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES),
            [CONTIGUOUS_CACHE] = CHOICE("cache", PROGRAM_CACHE_CACHED, cache),
            [CONTIGUOUS_LOW] = NUMBER("low", 0, PROGRAM_TASTE_ADDRESS),
            [CONTIGUOUS_HIGH] = NUMBER("high", ALL_ONES, PROGRAM_TASTE_ADDRESS),
            [PAGES_SKIP] = NUMBER("skip", 0, PROGRAM_TASTE_BYTES),
            [PAGES_FLAGS] = FLAGS("flags", 0, mdl_flags)),
    },
    [OP_FREE_PAGES] = {
        .name = "free_pages",
        .summary = "Frees the pages of an MDL.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 3, .ends = PROGRAM_MEMORY,
        OPERANDS(
            [MEMORY_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MEMORY_MEMORY] = THING(PROGRAM_MEMORY)),
    },
    [OP_MEMORY_READ] = {
        .name = "memory_read",
        .summary = "The device of an adapter reads eight bytes of a page of a memory.",
        .role = PROGRAM_ROLE_ACCESS, .since = 3, .ends = PROGRAM_KINDS,
        OPERANDS(
            [MEMORY_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MEMORY_MEMORY] = THING(PROGRAM_MEMORY),
            [DMA_PAGE] = NUMBER("page", 0, PROGRAM_TASTE_SMALL),
            [DMA_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_ACCESS)),
    },
    [OP_MEMORY_WRITE] = {
        .name = "memory_write",
        .summary = "The device of an adapter writes eight bytes of a page of a memory.",
        .role = PROGRAM_ROLE_ACCESS, .since = 3, .ends = PROGRAM_KINDS,
        OPERANDS(
            [MEMORY_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MEMORY_MEMORY] = THING(PROGRAM_MEMORY),
            [DMA_PAGE] = NUMBER("page", 0, PROGRAM_TASTE_SMALL),
            [DMA_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_ACCESS),
            [DMA_VALUE] = NUMBER("value", 1, PROGRAM_TASTE_ANY)),
    },
    [OP_SCRIBBLE_MDL] = {
        .name = "scribble_mdl",
        .summary = "The driver writes to an MDL that it was given: what it describes, or one of its page numbers.",
        .role = PROGRAM_ROLE_ACCESS, .since = 3, .ends = PROGRAM_KINDS,
        OPERANDS(
            [SCRIBBLE_MDL_MEMORY] = THING(PROGRAM_MEMORY),
            [SCRIBBLE_MDL_FIELD] = CHOICE("field", PROGRAM_MDL_COUNT, mdl_field),
            [SCRIBBLE_MDL_VALUE] = NUMBER("value", ALL_ONES, PROGRAM_TASTE_ANY)),
    },
    [OP_MAP_MDL] = {
        .name = "map_mdl",
        .summary = "Maps an MDL of the driver's own for the device by the WDDM 2.4 callback.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 4, .ends = PROGRAM_KINDS,
        OPERANDS(
            [MAP_MDL_MEMORY] = BIND(PROGRAM_MEMORY),
            [MAP_MDL_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MAP_MDL_MDL] = CHOICE("mdl", PROGRAM_MDL_GOOD, mdl),
            [MAP_MDL_AT] = NUMBER("at", 0, PROGRAM_TASTE_SMALL),
            [MAP_MDL_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_BYTES),
            [MAP_MDL_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES)),
    },
    [OP_UNMAP_MDL] = {
        .name = "unmap_mdl",
        .summary = "Ends the mapping of an MDL.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 4, .ends = PROGRAM_MEMORY,
        OPERANDS(
            [MEMORY_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MEMORY_MEMORY] = THING(PROGRAM_MEMORY)),
    },
    [OP_PIN_MDL] = {
        .name = "pin_mdl",
        .summary = "Pins the frame-buffer save area of one physical adapter by the WDDM 2.4 callback, for an MDL.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 4, .ends = PROGRAM_KINDS,
        OPERANDS(
            [PIN_ADL] = BIND(PROGRAM_ADL),
            [PIN_ADAPTER] = THING(PROGRAM_ADAPTER),
            [PIN_INDEX] = NUMBER("index", 0, PROGRAM_TASTE_SMALL),
            [PIN_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES)),
    },
    [OP_MAP_FB] = {
        .name = "map_fb",
        .summary = "Maps a piece of a frame-buffer save area for the CPU by the WDDM 2.4 callback.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 5, .ends = PROGRAM_KINDS,
        OPERANDS(
            [MAP_FB_MAPPING] = BIND(PROGRAM_MAPPING),
            [MAP_FB_ADAPTER] = THING(PROGRAM_ADAPTER),
            [MAP_FB_INDEX] = NUMBER("index", 0, PROGRAM_TASTE_SMALL),
            [MAP_FB_OFFSET] = NUMBER("offset", 0, PROGRAM_TASTE_BYTES),
            [MAP_FB_SIZE] = NUMBER("size", 0x1000, PROGRAM_TASTE_BYTES)),
    },
    [OP_UNMAP_FB] = {
        .name = "unmap_fb",
        .summary = "Ends the CPU mapping of a frame-buffer save area; shift is added to its base.",
        .role = PROGRAM_ROLE_CALLBACK, .since = 5, .ends = PROGRAM_MAPPING,
        OPERANDS(
            [UNMAP_FB_ADAPTER] = THING(PROGRAM_ADAPTER),
            [UNMAP_FB_MAPPING] = THING(PROGRAM_MAPPING),
            [UNMAP_FB_INDEX] = NUMBER("index", 0, PROGRAM_TASTE_SMALL),
            [UNMAP_FB_SHIFT] = SIGNED("shift", PROGRAM_TASTE_BYTES)),
    },
};
/* clang-format on */
