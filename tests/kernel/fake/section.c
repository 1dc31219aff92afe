/* SPDX-License-Identifier: MIT */
/* The routines of ntifs.h about sections: handles, references, views. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define SECTIONS 512

struct section {
    uint64_t pages;
    PFN_NUMBER *numbers;
    unsigned references, handles;
    bool writable, viewed;
};

static struct section *sections[SECTIONS];

unsigned sections_left(void)
{
    unsigned left = 0;

    for (unsigned i = 0; i < SECTIONS; i++)
        left += sections[i] != NULL;
    return left;
}

struct section *section_of(const void *object)
{
    for (unsigned i = 0; i < SECTIONS; i++)
        if (object != NULL && sections[i] == object)
            return sections[i];
    return NULL;
}

static void drop_section(struct section *section)
{
    if (section->references != 0 || section->handles != 0)
        return;
    for (unsigned i = 0; i < SECTIONS; i++)
        if (sections[i] == section)
            sections[i] = NULL;
    for (uint64_t i = 0; i < section->pages; i++) {
        RULE(frames[section->numbers[i]].locks == 0, "a section goes whose pages are locked");
        frames[section->numbers[i]].owner = FREE;
    }
    free(section->numbers);
    free(section);
}

void dereference_section(struct section *section)
{
    RULE(section->references > 0, "one reference too few");
    RULE(section->references > 1 || !section->viewed, "the last reference goes while it is mapped");
    section->references--;
    drop_section(section);
}

/* Their pages are taken at once, scattered; the rules do not notice. */
NTSTATUS ZwCreateSection(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                         LARGE_INTEGER *bytes, ULONG protection, ULONG kind, HANDLE file)
{
    struct section *section;
    unsigned place = 0;

    RULE(now.irql == 0, "IRQL > PASSIVE_LEVEL");
    RULE((attributes->Attributes & OBJ_KERNEL_HANDLE) != 0, "a handle that the process could use");
    RULE((access & SECTION_QUERY) != 0, "SECTION_QUERY is not asked for");
    RULE((kind & SEC_COMMIT) != 0 && file == NULL, "it is not backed by the page file");
    RULE(protection == PAGE_READONLY || protection == PAGE_READWRITE || protection == PAGE_EXECUTE ||
             protection == PAGE_WRITECOPY,
         "not one of the protections");
    if (fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    while (sections[place] != NULL)
        RULE(++place < SECTIONS, "too many sections for the stand-in");
    section = calloc(1, sizeof *section);
    RULE(section != NULL, "no memory");
    section->pages = ((uint64_t)bytes->QuadPart + KIB4 - 1) / KIB4;
    section->numbers = calloc(section->pages, sizeof(PFN_NUMBER));
    RULE(section->numbers != NULL, "no memory");
    if (take_scattered(section->numbers, section->pages, 0, FAKE_RAM_HIGH_END, false,
                       (kind & SEC_WRITECOMBINE) != 0 ? MmWriteCombined : MmCached) < section->pages)
        broken(__func__, "no page is left");
    for (uint64_t i = 0; i < section->pages; i++) {
        frames[section->numbers[i]].owner = OF_SECTION;
        memset(fake_page(section->numbers[i]), 0, KIB4);
    }
    section->writable = protection == PAGE_READWRITE;
    section->handles = 1;
    sections[place] = section;
    *handle = section;
    return STATUS_SUCCESS;
}

NTSTATUS ZwClose(HANDLE handle)
{
    struct section *section = section_of(handle);

    RULE(now.irql == 0, "IRQL > PASSIVE_LEVEL");
    RULE(section != NULL && section->handles > 0, "it is no handle");
    section->handles--;
    drop_section(section);
    return STATUS_SUCCESS;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, void *type, KPROCESSOR_MODE mode,
                                   void **object, void *information)
{
    struct section *section = section_of(handle);

    RULE(now.irql == 0, "IRQL > PASSIVE_LEVEL");
    RULE(section != NULL && section->handles > 0, "it is no handle");
    RULE(type != NULL || mode == KernelMode, "the type may be left out in kernel mode only");
    (void)access;
    (void)information;
    if (fails())
        return STATUS_ACCESS_DENIED;
    section->references++;
    *object = section;
    return STATUS_SUCCESS;
}

NTSTATUS MmMapViewInSystemSpace(void *object, void **base, SIZE_T *bytes)
{
    struct section *section = section_of(object);

    RULE(now.irql <= APC, "IRQL > APC_LEVEL");
    RULE(section != NULL && section->references > 0, "it is no section");
    RULE(*base == NULL && *bytes == 0, "the stand-in maps all of it, anywhere");
    if (fails())
        return STATUS_NO_MEMORY;
    struct mapping *mapping = new_mapping(VIEW, section->numbers, section->pages);
    mapping->over_writable = section->writable;
    mapping->section = section;
    section->viewed = true;
    *base = mapping->base;
    *bytes = section->pages * KIB4;
    return STATUS_SUCCESS;
}

NTSTATUS MmUnmapViewInSystemSpace(void *base)
{
    struct mapping *mapping = mapping_at(base);

    RULE(now.irql <= APC, "IRQL > APC_LEVEL");
    RULE(mapping != NULL && mapping->kind == VIEW, "no view begins there");
    for (uint64_t i = 0; i < mapping->made.pages; i++)
        RULE(frames[mapping->numbers[i]].locks == 0, "a page of it is still locked");
    mapping->section->viewed = false;
    end_mapping(mapping);
    return STATUS_SUCCESS;
}
