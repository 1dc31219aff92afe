/* SPDX-License-Identifier: MIT */
/*
 * A world for one case: an instance of core on the real machine, one or two edu
 * devices as adapters of one logical adapter, and what is done with them. All
 * that is done to memory goes through DXGKRNL_INTERFACE.
 *
 * What fails is said in the log, by case and line, and counted.
 */
#ifndef DXGKMEM_TESTS_WORLD_H
#define DXGKMEM_TESTS_WORLD_H

#include <linux/types.h>

#include "edu.h"

#include "tests/support/arguments.h"

/* What the adapters are; OLDER: identity, and the driver may use the WDDM 2.4 callbacks. */
enum kind { IDENTITY, REMAPPED, OLDER };

/* What was created; fields are set by who makes them. */
struct thing {
	HANDLE object, open;
	SIZE_T bytes;
	u8 *cpu; /* of the whole object */
	DXGK_ADL *adl;
};

struct world {
	const char *name; /* of the case */
	unsigned int failures;
	struct edu *edu;
	struct dxgkmem_machine *machine;
	unsigned int devices; /* that are claimed */
	u64 device[2];
	HANDLE adapter[2];
	DXGKRNL_INTERFACE ddi;
	unsigned int violations; /* reported so far, and the newest */
	enum dxgkmem_violation_code violation;
	struct thing scratch; /* two pages: what the device gets, and what it got */
};

#define expect(world, condition) expect_that(world, condition, #condition, __LINE__)
bool expect_that(struct world *world, bool holds, const char *what, int line);

/* False: there is no such world; that was said. It ends with world_end all the same. edu: two of them. */
bool world_begin(struct world *world, const char *name, struct edu *edu, enum kind kind);
/* Nothing may be left. */
void world_end(struct world *world);
/* Removes both adapters; what is open on them ends. */
void world_remove_adapters(struct world *world);

/* Arguments for objects of so many pages; thing_create fills in the adapter. */
create_arguments mdl(SIZE_T pages);
create_arguments non_cached(SIZE_T pages);
create_arguments write_combined(SIZE_T pages);
/* No two pages of it are neighbours: all have even numbers. */
create_arguments scattered(SIZE_T pages);
create_arguments contiguous(SIZE_T pages);
create_arguments read_only_section(SIZE_T pages);

/* The physical address of the page that a mapping of the kernel shows. */
u64 physical_of(const u8 *cpu);

/* Creates on the first adapter, and maps all of it. */
bool thing_create(struct world *world, create_arguments arguments, struct thing *thing);
NTSTATUS thing_adl(struct world *world, struct thing *thing, SIZE_T first, SIZE_T pages, bool contiguous);
void thing_free_adl(struct world *world, struct thing *thing);
void thing_unmap(struct world *world, struct thing *thing);
void thing_close(struct world *world, struct thing *thing);
/* Undoes what there is of it and destroys it; nothing when there is no object. */
void thing_destroy(struct world *world, struct thing *thing);

/* The logical address of a page of an ADL. */
u64 adl_address(const DXGK_ADL *adl, SIZE_T page);

/* The device's buffer becomes a page that is filled from this seed. */
void device_takes(struct world *world, unsigned int edu, u8 seed);
/*
 * The device writes at a logical address, of which the CPU sees the page at
 * `cpu`: whether the bytes arrived there, all of them and nothing else. Half of
 * them is a failure.
 */
bool device_writes(struct world *world, unsigned int edu, u64 address, u8 *cpu);
/* Whether the device, when it reads at a logical address, gets what the CPU sees. */
bool device_reads(struct world *world, unsigned int edu, u64 address, u8 *cpu);

void fill(u8 *memory, SIZE_T bytes, u8 seed);
bool is_filled(const u8 *memory, SIZE_T bytes, u8 seed);

#endif
