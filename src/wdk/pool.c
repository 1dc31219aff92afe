/* SPDX-License-Identifier: MIT */
/* Pool and MDLs: tags, who allocated, what was freed twice, writes past the end. */
#define _GNU_SOURCE
#include "wdk.h"

#include <stdlib.h>

#define TAIL 16 /* bytes behind a block that must stay as they are */
#define TAIL_BYTE 0xfd
#define FREED 64

struct freed {
    const void *address;
    kit_stack stack;
};
static struct freed freed[FREED]; /* the latest */
static unsigned frees;

void wdk_pool_begin(void)
{
    memset(freed, 0, sizeof freed);
}

/* As in the kernel: what is smaller than a page crosses none, and what is not begins one. */
static PVOID take(SIZE_T bytes)
{
    SIZE_T alignment = 16;
    PVOID block = NULL;

    while (alignment < bytes && alignment < PAGE_SIZE)
        alignment *= 2;
    return bytes < SIZE_MAX - TAIL && posix_memalign(&block, alignment, bytes + TAIL) == 0 ? block : NULL;
}

PVOID wdk_allocate(const struct wdk_thing *what, bool zero, const char *call)
{
    struct wdk_thing thing = *what;
    kit_stack stack = thing.made;
    SIZE_T bytes = thing.bytes;
    unsigned char *block;

    wdk_at_most(thing.paged ? APC_LEVEL : DISPATCH_LEVEL, call, stack);
    if (thing.tag == 0)
        wdk_mistake("pool_tag", call, stack, 0, "the tag is 0");
    if (bytes == 0)
        wdk_mistake("pool_size", call, stack, 0, "allocates no bytes");
    if (kit_fails(stack))
        return NULL;
    block = take(bytes);
    if (block == NULL)
        return NULL;
    memset(block, zero ? 0 : 0xcd, bytes);
    memset(block + bytes, TAIL_BYTE, TAIL);
    thing.address = block;
    wdk_born(&thing);
    return block;
}

static PVOID allocate(SIZE_T bytes, ULONG tag, bool paged, bool zero, const char *call, kit_stack stack)
{
    return wdk_allocate(&(struct wdk_thing){"pool block", NULL, bytes, tag, paged, stack, NULL}, zero, call);
}

void wdk_release(struct wdk_thing *thing, const char *call, kit_stack stack)
{
    unsigned char *memory = (unsigned char *)(uintptr_t)thing->address;
    kit_stack mapped;

    if (kit_block_ended(memory, &mapped))
        wdk_mistake("pool_freed_while_mapped", call, stack, mapped,
                    "the device still reaches the block, through an MDL that is mapped");
    if (thing->paged)
        wdk_at_most(APC_LEVEL, call, stack);
    for (size_t i = 0; i < TAIL; i++) {
        if (memory[thing->bytes + i] != TAIL_BYTE) {
            wdk_mistake("pool_overrun", call, stack, thing->made, "somebody wrote past the end of the block");
            break;
        }
    }
    memset(memory, 0xdd, thing->bytes);
    freed[frees++ % FREED] = (struct freed){memory, stack};
    wdk_died(thing);
    free(memory);
}

static void release(PVOID memory, ULONG tag, bool check, const char *call, kit_stack stack)
{
    struct wdk_thing *thing = wdk_find("pool block", memory);

    wdk_at_most(DISPATCH_LEVEL, call, stack);
    if (thing == NULL) {
        kit_stack earlier = 0;
        bool twice = false;

        for (unsigned i = 0; i < FREED; i++) {
            if (memory != NULL && freed[i].address == memory) {
                twice = true;
                earlier = freed[i].stack;
            }
        }
        wdk_mistake(twice ? "pool_freed_twice" : "pool_not_allocated", call, stack, earlier,
                    twice ? "the block was already freed" : "no block of the pool begins at this address");
        return;
    }
    if (check && tag != thing->tag)
        wdk_mistake("pool_wrong_tag", call, stack, thing->made, "the block was allocated with another tag");
    wdk_release(thing, call, stack);
}

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate(NumberOfBytes, Tag, (Flags & POOL_FLAG_PAGED) != 0,
                    (Flags & POOL_FLAG_UNINITIALIZED) == 0, "ExAllocatePool2", HERE);
}

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate(NumberOfBytes, Tag, PoolType == PagedPool, false, "ExAllocatePoolWithTag", HERE);
}

PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate(NumberOfBytes, Tag, PoolType == PagedPool, true, "ExAllocatePoolZero", HERE);
}

PVOID ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate(NumberOfBytes, Tag, PoolType == PagedPool, false, "ExAllocatePoolUninitialized", HERE);
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    release(P, Tag, true, "ExFreePoolWithTag", HERE);
}

VOID ExFreePool(PVOID P)
{
    release(P, 0, false, "ExFreePool", HERE);
}

/* -- MDLs ---------------------------------------------------------------------------------- */

SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) + ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length) * sizeof(PFN_NUMBER);
}

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
{
    kit_stack stack = HERE;
    PMDL mdl;

    (void)SecondaryBuffer;
    (void)ChargeQuota;
    (void)Irp;
    wdk_at_most(DISPATCH_LEVEL, "IoAllocateMdl", stack);
    mdl = kit_fails(stack) ? NULL : calloc(1, MmSizeOfMdl(VirtualAddress, Length));
    if (mdl == NULL)
        return NULL;
    mdl->Size = (CSHORT)MmSizeOfMdl(VirtualAddress, Length);
    mdl->StartVa = PAGE_ALIGN(VirtualAddress);
    mdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    mdl->ByteCount = Length;
    wdk_born(&(struct wdk_thing){.kind = "MDL", .address = mdl, .made = stack});
    return mdl;
}

VOID IoFreeMdl(PMDL Mdl)
{
    struct wdk_thing *thing = wdk_find("MDL", Mdl);
    kit_stack mapped;

    wdk_at_most(DISPATCH_LEVEL, "IoFreeMdl", HERE);
    if (thing == NULL) {
        wdk_mistake("mdl_not_allocated", "IoFreeMdl", HERE, 0,
                    "no MDL of IoAllocateMdl begins at this address");
        return;
    }
    if (kit_mdl_ended(Mdl, &mapped))
        wdk_mistake("mdl_freed_while_mapped", "IoFreeMdl", HERE, mapped,
                    "the MDL must stay until it is unmapped");
    wdk_died(thing);
    free(Mdl);
}

/* The page behind what the MDL describes from here to the end of the page; of a block, behind all of it there. */
static PFN_NUMBER page_behind(PUCHAR first, PUCHAR end)
{
    const struct wdk_thing *block = wdk_block_around(first);
    PUCHAR page = PAGE_ALIGN(first), begin = first;

    if (block != NULL) {
        PUCHAR address = (PUCHAR)(ULONG_PTR)block->address;

        begin = page > address ? page : address;
        end = address + block->bytes;
    }
    end = end < page + PAGE_SIZE ? end : page + PAGE_SIZE;
    return (PFN_NUMBER)kit_page_of(block != NULL ? block->address : NULL, begin, (size_t)(end - begin));
}

/* With pages of the machine, which a device can reach. */
VOID MmBuildMdlForNonPagedPool(PMDL Mdl)
{
    PUCHAR first = MmGetMdlVirtualAddress(Mdl), end = first + Mdl->ByteCount;
    PPFN_NUMBER page = MmGetMdlPfnArray(Mdl);
    const struct wdk_thing *block = wdk_block_around(first);

    if (block != NULL && block->paged)
        wdk_mistake("mdl_of_paged_pool", "MmBuildMdlForNonPagedPool", HERE, block->made,
                    "the block may be paged out while the device uses it");
    Mdl->MappedSystemVa = first;
    Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    for (; first < end; first = (PUCHAR)PAGE_ALIGN(first) + PAGE_SIZE)
        *page++ = page_behind(first, end);
}

/* May fail, unless the pages are mapped already. */
PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
    kit_stack stack = HERE;
    PVOID base;

    (void)Priority;
    wdk_at_most(DISPATCH_LEVEL, "MmGetSystemAddressForMdlSafe", stack);
    if ((Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) != 0)
        return Mdl->MappedSystemVa;
    if (!kit_mdl_pages_at(Mdl, &base)) {
        wdk_mistake("mdl_without_pages", "MmGetSystemAddressForMdlSafe", stack, 0,
                    "the MDL describes no locked pages");
        return NULL;
    }
    if (kit_fails(stack) || base == NULL)
        return NULL;
    Mdl->MappedSystemVa = base;
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    return base;
}

PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress)
{
    PHYSICAL_ADDRESS address = {.QuadPart = 0};
    uint64_t physical;

    if (kit_physical(BaseAddress, &physical))
        address.QuadPart = (LONGLONG)physical;
    return address;
}
