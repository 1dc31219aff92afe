/* SPDX-License-Identifier: MIT */
/*
 * Places of operands and values of choices, by name, for code that must know
 * one operation from another: the runner, the engine.
 *
 * The table in operations.c is written with these names, so the two agree. The
 * texts of the names are in the table alone.
 */
#ifndef DXGKMEM_PROGRAM_OPERANDS_H
#define DXGKMEM_PROGRAM_OPERANDS_H

enum program_add_operand {
    ADD_ADAPTER,
    ADD_WDDM,
    ADD_VISIBLE,
    ADD_REMAP,
    ADD_LINK,
    ADD_FRAME_BUFFER,
    ADD_QUOTA_PAGES,
    ADD_QUOTA_ADLS
};

enum program_remove_operand { REMOVE_ADAPTER };

enum program_create_operand {
    CREATE_OBJECT,
    CREATE_ADAPTER_OBJECT,
    CREATE_ADAPTER,
    CREATE_TYPE,
    CREATE_SIZE,
    CREATE_CACHE,
    CREATE_LOW,
    CREATE_HIGH,
    CREATE_SKIP,
    CREATE_BOUNDARY,
    CREATE_FLAGS,
    CREATE_BASE,
    CREATE_PROTECTION,
    CREATE_ATTRIBUTES
};

enum program_destroy_operand { DESTROY_OBJECT, DESTROY_WITH };
enum program_open_operand { OPEN_ADAPTER_OBJECT, OPEN_OBJECT, OPEN_ADAPTER };
enum program_close_operand { CLOSE_ADAPTER_OBJECT };
enum program_map_operand { MAP_MAPPING, MAP_OBJECT, MAP_MODE, MAP_OFFSET, MAP_SIZE };
enum program_unmap_operand { UNMAP_OBJECT, UNMAP_MAPPING, UNMAP_EXTRA, UNMAP_SHIFT };
enum program_adl_operand { ADL_ADL, ADL_ADAPTER_OBJECT, ADL_OFFSET, ADL_SIZE, ADL_FLAGS };
enum program_free_adl_operand { FREE_ADL_ADAPTER_OBJECT, FREE_ADL_ADL, FREE_ADL_SHIFT };
enum program_pin_operand { PIN_ADL, PIN_ADAPTER, PIN_INDEX, PIN_SIZE, PIN_FLAGS };
/* The last two stand where MAP has them. */
enum program_map_fb_operand { MAP_FB_MAPPING, MAP_FB_ADAPTER, MAP_FB_INDEX, MAP_FB_OFFSET, MAP_FB_SIZE };
enum program_unmap_fb_operand { UNMAP_FB_ADAPTER, UNMAP_FB_MAPPING, UNMAP_FB_INDEX, UNMAP_FB_SHIFT };
enum program_unpin_operand { UNPIN_ADAPTER, UNPIN_INDEX };
/* LEGACY and UNRELATED */
enum program_member_operand { MEMBER_ADAPTER, MEMBER_MEMBER };
/* DMA_READ and DMA_WRITE; only the latter has a value */
enum program_dma_operand { DMA_ADAPTER, DMA_ADL, DMA_PAGE, DMA_OFFSET, DMA_VALUE };
/* CPU_READ and CPU_WRITE; only the latter has a value */
enum program_cpu_operand { CPU_MAPPING, CPU_OFFSET, CPU_VALUE };
enum program_scribble_operand { SCRIBBLE_ADL, SCRIBBLE_FIELD, SCRIBBLE_VALUE };
enum program_schedule_operand { SCHEDULE_STRATEGY, SCHEDULE_SEED, SCHEDULE_BOUND };
enum program_switch_operand { SWITCH_STEP, SWITCH_TO };
enum program_fail_operand { FAIL_NTH, FAIL_THEN };
enum program_contiguous_operand {
    CONTIGUOUS_MEMORY,
    CONTIGUOUS_MAPPING,
    CONTIGUOUS_ADAPTER,
    CONTIGUOUS_SIZE,
    CONTIGUOUS_CACHE,
    CONTIGUOUS_LOW,
    CONTIGUOUS_HIGH,
    CONTIGUOUS_BOUNDARY
};
/* The first six as CONTIGUOUS has them. */
enum program_pages_operand { PAGES_SKIP = CONTIGUOUS_BOUNDARY, PAGES_FLAGS };
/* FREE_CONTIGUOUS, FREE_PAGES and UNMAP_MDL; also MEMORY_READ and MEMORY_WRITE, in which DMA_PAGE and so on follow */
enum program_memory_operand { MEMORY_ADAPTER, MEMORY_MEMORY };
enum program_map_mdl_operand {
    MAP_MDL_MEMORY,
    MAP_MDL_ADAPTER,
    MAP_MDL_MDL,
    MAP_MDL_AT,
    MAP_MDL_OFFSET,
    MAP_MDL_SIZE
};
enum program_scribble_mdl_operand { SCRIBBLE_MDL_MEMORY, SCRIBBLE_MDL_FIELD, SCRIBBLE_MDL_VALUE };
/* The one operand of PROCESS, EXIT, IRQL, ARGS and THREAD */
enum program_condition_operand { CONDITION_VALUE };

/* Choices, in the order of their lists. */
enum program_wddm {
    PROGRAM_WDDM_2_0,
    PROGRAM_WDDM_2_4,
    PROGRAM_WDDM_2_6,
    PROGRAM_WDDM_2_9,
    PROGRAM_WDDM_3_0,
    PROGRAM_WDDM_3_1,
    PROGRAM_WDDM_3_2,
    PROGRAM_WDDMS
};
/* UNSUPPORTED: as AUTO, but the driver does not report DmaRemappingSupported. */
enum program_remap { PROGRAM_REMAP_AUTO, PROGRAM_REMAP_ALWAYS, PROGRAM_REMAP_UNSUPPORTED };
enum program_type {
    PROGRAM_TYPE_MDL,
    PROGRAM_TYPE_CONTIGUOUS,
    PROGRAM_TYPE_SECTION,
    PROGRAM_TYPE_IO,
    PROGRAM_TYPE_INVALID
};
enum program_cache {
    PROGRAM_CACHE_CACHED,
    PROGRAM_CACHE_NONCACHED,
    PROGRAM_CACHE_WRITECOMBINED,
    PROGRAM_CACHE_INVALID
};
enum program_protection {
    PROGRAM_PROTECTION_READWRITE,
    PROGRAM_PROTECTION_READONLY,
    PROGRAM_PROTECTION_EXECUTE,
    PROGRAM_PROTECTION_WRITECOPY,
    PROGRAM_PROTECTION_INVALID
};
enum program_mode { PROGRAM_MODE_KERNEL, PROGRAM_MODE_USER, PROGRAM_MODE_INVALID };
enum program_field { PROGRAM_FIELD_COUNT, PROGRAM_FIELD_FLAGS, PROGRAM_FIELD_BASE, PROGRAM_FIELD_ENTRY };
enum program_mdl_field { PROGRAM_MDL_COUNT, PROGRAM_MDL_START, PROGRAM_MDL_ENTRY };
enum program_mdl {
    PROGRAM_MDL_GOOD,
    PROGRAM_MDL_NULL,
    PROGRAM_MDL_MISALIGNED,
    PROGRAM_MDL_UNLOCKED,
    PROGRAM_MDL_TWICE,
    PROGRAM_MDL_GAP,
    PROGRAM_MDL_BEYOND,
    PROGRAM_MDL_OTHERS
};
enum program_how { PROGRAM_HOW_NULL, PROGRAM_HOW_MISALIGNED };
enum program_strategy { PROGRAM_STRATEGY_RANDOM, PROGRAM_STRATEGY_PCT, PROGRAM_STRATEGY_LISTED };

#endif
