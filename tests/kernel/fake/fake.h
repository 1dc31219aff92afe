/* SPDX-License-Identifier: MIT */
/*
 * The controls of the stand-in kernel: 32 MiB of RAM in two ranges, four processes, an IRQL, and a fault
 * in any routine that can fail. A rule that is broken stops the test at once, with its sentence.
 */
#ifndef FAKE_H
#define FAKE_H

#include "ntifs.h"

/* RAM: pages [16, 4096) and [8192, 12288). */
#define FAKE_RAM_LOW 16u
#define FAKE_RAM_LOW_END 4096u
#define FAKE_RAM_HIGH 8192u
#define FAKE_RAM_HIGH_END 12288u
#define FAKE_PROCESSES 4u

/* As new: everything must have been given back. */
void fake_reset(void);
void fake_set_irql(unsigned irql);
/* 1 to FAKE_PROCESSES. */
void fake_set_process(unsigned process);
/* The nth routine from now that can fail does; 0: none. */
void fake_fail_at(unsigned nth);
/* Whether it came to that. */
bool fake_failed(void);
/* What is not given back: blocks, pages, MDLs, locks, mappings, sections, handles, references. */
unsigned fake_left(void);
/* What a mapping that starts at an address was made with. */
struct fake_mapping {
    KPROCESSOR_MODE mode;
    MEMORY_CACHING_TYPE cache;
    bool writable, executable;
    unsigned process;
    uint64_t pages;
};
const struct fake_mapping *fake_mapping_at(const void *base);
/* A byte of a page of RAM, whoever has it. */
uint8_t *fake_page(uint64_t page);

#endif
