/* SPDX-License-Identifier: MIT */
/* Pool and MDLs: tags, who allocated, what was freed twice, writes past the end. */
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
    block = bytes < SIZE_MAX - TAIL ? malloc(bytes + TAIL) : NULL;
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

    wdk_at_most(DISPATCH_LEVEL, "IoFreeMdl", HERE);
    if (thing == NULL) {
        wdk_mistake("mdl_not_allocated", "IoFreeMdl", HERE, 0,
                    "no MDL of IoAllocateMdl begins at this address");
        return;
    }
    wdk_died(thing);
    free(Mdl);
}

/* Page numbers of a process are none of a device: good for counting, not for DMA. */
VOID MmBuildMdlForNonPagedPool(PMDL Mdl)
{
    PPFN_NUMBER page = MmGetMdlPfnArray(Mdl);

    Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
    Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    for (ULONG i = 0; i < ADDRESS_AND_SIZE_TO_SPAN_PAGES(Mdl->MappedSystemVa, Mdl->ByteCount); i++)
        page[i] = ((ULONG_PTR)Mdl->StartVa >> PAGE_SHIFT) + i;
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
