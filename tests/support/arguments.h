/* SPDX-License-Identifier: MIT */
/*
 * What tests hand to callbacks, and the simulated machine that they are about. Freestanding: tests inside a
 * kernel use it as well.
 */
#ifndef DXGKMEM_TESTS_SUPPORT_ARGUMENTS_H
#define DXGKMEM_TESTS_SUPPORT_ARGUMENTS_H

#include <dxgkmem/dxgkmem.h>
#include <dxgkmem/sim.h>

/* The machine: two stretches of RAM with I/O space between them and above. Pages. */
#define RAM_LOW_END 0x400u
#define IO_PAGE 0x400u
#define IO_PAGES 0x100u
#define RAM_HIGH 0x500u
#define RAM_HIGHEST 0x8ffu
#define RAM_PAGES (RAM_LOW_END + RAM_HIGHEST + 1 - RAM_HIGH)
#define ADDRESS_BITS 36u

#define PAGE ((SIZE_T)DXGKMEM_PAGE_BYTES)
#define EVERY_ADDRESS 0x7fffffffffffffff
#define FRAME_BUFFER_PAGES 8u

#define V24 ((uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM2_4)
#define V28 ((uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM2_8)
#define V29 ((uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM2_9)
#define V31 ((uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM3_1)
#define V32 ((uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM3_2)

struct dxgkmem_sim_config sim_config(uint64_t page_limit);

/* An identity adapter that sees everything; one whose DMA is remapped and that sees 16 MiB. */
struct dxgkmem_adapter_config adapter_identity(uint64_t device, uint32_t version);
struct dxgkmem_adapter_config adapter_remapped(uint64_t device, uint32_t version);

typedef DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create_arguments;

create_arguments mdl_arguments(HANDLE adapter, SIZE_T bytes);
create_arguments contiguous_arguments(HANDLE adapter, SIZE_T bytes);
create_arguments section_arguments(HANDLE adapter, SIZE_T bytes, ULONG protection);
create_arguments io_arguments(HANDLE adapter, uint64_t page, SIZE_T bytes);
PHYSICAL_ADDRESS physical(uint64_t address);

#endif
