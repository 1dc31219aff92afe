/* SPDX-License-Identifier: MIT */
/*
 * The insides of the Windows machine, shared by its files only:
 *
 *   machine.c  what the machine is: IRQL, processes, ranges of RAM, whose domains
 *   memory.c   pages of objects: taking, giving back, locking
 *   map.c      CPU mappings
 *   guarded.c  the two routines that raise exceptions
 */
#ifndef DXGKMEM_MACHINE_NT_INTERNAL_H
#define DXGKMEM_MACHINE_NT_INTERNAL_H

#include <ntifs.h>

#include "machine.h"

/* Not every kit has these. */
#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite 0x80000000u
#define MdlMappingNoExecute 0x40000000u
#endif
#ifndef SEC_WRITECOMBINE
#define SEC_WRITECOMBINE 0x40000000u
#endif
NTKERNELAPI PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS address, SIZE_T bytes, ULONG protection);

/* A lock that memory_lock made: an MDL of its own. */
struct nt_pin {
    struct nt_pin *next;
    uint64_t first, pages;
    MDL *mdl;
};

/* A CPU mapping. */
struct nt_window {
    struct nt_window *next;
    void *base;
    uint64_t pages;
    MDL *mdl;         /* NULL: of I/O space */
    bool pinned;      /* the MDL's pages were locked for it */
    PEPROCESS owner;  /* referenced; NULL: of the kernel */
    uint64_t process; /* its number, or 0 */
};

/* The pages of one object. Of `mdl`, `address` and `section` its type has what it needs. */
struct dxgkmem_memory {
    DXGK_PHYSICAL_MEMORY_TYPE type;
    MEMORY_CACHING_TYPE cache;
    uint64_t pages;
    uint64_t first_page;      /* IO_SPACE */
    MDL *mdl;                 /* MDL */
    void *section;            /* SECTION: the object, referenced */
    uint8_t *address;         /* SECTION, CONTIGUOUS_MEMORY: where the kernel sees all of it */
    bool writable;            /* SECTION, CONTIGUOUS_MEMORY */
    struct dxgkmem_lock lock; /* of both lists */
    struct nt_pin *pins;
    struct nt_window *windows;
};

struct nt_machine {
    struct dxgkmem_machine machine;
    uint64_t highest_page;
    struct dxgkmem_machine *domains;
};

/* An MDL says its length in 32 bits. */
#define NT_MDL_PAGES ((uint64_t)0xfffff)

static inline SIZE_T bytes_of(uint64_t pages)
{
    return (SIZE_T)(pages << DXGKMEM_PAGE_SHIFT);
}

/* -- memory.c -------------------------------------------------------------------------- */

NTSTATUS nt_memory_create(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
                          struct dxgkmem_memory **memory);
void nt_memory_destroy(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
void nt_memory_zero(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
NTSTATUS nt_memory_lock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                        uint64_t pages);
void nt_memory_unlock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                      uint64_t pages);
struct dxgkmem_run nt_memory_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                 uint64_t first);
/* An MDL of pages of a section or a contiguous block, locked; NULL: no memory. Undone by MmUnlockPages and IoFreeMdl. */
MDL *nt_lock_pages(const struct dxgkmem_memory *memory, uint64_t first, uint64_t pages);

/* -- map.c ------------------------------------------------------------------------------- */

NTSTATUS nt_map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base);
void nt_unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
              uint64_t process);

/* -- guarded.c ----------------------------------------------------------------------------- */

/* MmProbeAndLockPages of kernel addresses; false: it raised an exception. */
bool nt_probe_and_lock(MDL *mdl, LOCK_OPERATION operation);
/* MmMapLockedPagesSpecifyCache; NULL: it had no room, or raised an exception, as it does for user mode. */
void *nt_map_locked(MDL *mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, ULONG priority);

#endif
