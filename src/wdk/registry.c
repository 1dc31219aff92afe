/* SPDX-License-Identifier: MIT */
/* The registry: a table of values that the harness fills, whatever the key; read in the two ways that drivers do. */
#include "wdk.h"
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>

#define VALUES 32
#define VALUE_BYTES 256

struct value {
    WCHAR name[64];
    ULONG type;
    ULONG bytes;
    unsigned char data[VALUE_BYTES];
};
static struct value value[VALUES];
static unsigned values;

void wdk_registry_begin(void)
{
    values = 0;
}

void wdk_registry_add(const char *name, uint32_t type, const void *data, size_t bytes)
{
    if (values == VALUES || bytes > VALUE_BYTES || strlen(name) >= sizeof value->name / sizeof(WCHAR)) {
        (void)fprintf(stderr, "dxgkmem_kit_registry: %s: more than 32 values, 63 characters or 256 bytes\n",
                      name);
        exit(2);
    }
    for (size_t i = 0; i <= strlen(name); i++)
        value[values].name[i] = (WCHAR)name[i];
    value[values].type = type;
    value[values].bytes = (ULONG)bytes;
    memcpy(value[values++].data, data, bytes);
}

static const struct value *find_value(const UNICODE_STRING *wanted)
{
    UNICODE_STRING has;

    for (unsigned i = 0; i < values; i++) {
        RtlInitUnicodeString(&has, value[i].name);
        if (RtlEqualUnicodeString(wanted, &has, TRUE))
            return &value[i];
    }
    return NULL;
}

/* DIRECT: numbers of up to 8 bytes go straight to EntryContext, as far as memory code reads them. */
static NTSTATUS answer(const RTL_QUERY_REGISTRY_TABLE *entry, ULONG type, const void *data, ULONG bytes,
                       PVOID context)
{
    if ((entry->Flags & RTL_QUERY_REGISTRY_DIRECT) == 0 && entry->QueryRoutine == NULL)
        return STATUS_INVALID_PARAMETER;
    if ((entry->Flags & RTL_QUERY_REGISTRY_DIRECT) == 0)
        return entry->QueryRoutine(entry->Name, type, (PVOID)(uintptr_t)data, bytes, context,
                                   entry->EntryContext);
    if ((entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) != 0 &&
        entry->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT != type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (bytes > sizeof(ULONGLONG))
        return STATUS_NOT_SUPPORTED;
    memcpy(entry->EntryContext, data, bytes);
    return STATUS_SUCCESS;
}

NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                PVOID Context, PVOID Environment)
{
    (void)RelativeTo;
    (void)Path;
    (void)Environment;
    wdk_at_most(PASSIVE_LEVEL, "RtlQueryRegistryValues", HERE);
    for (const RTL_QUERY_REGISTRY_TABLE *entry = QueryTable;
         entry->QueryRoutine != NULL || entry->Name != NULL; entry++) {
        NTSTATUS status = STATUS_SUCCESS;
        const struct value *found;
        UNICODE_STRING name;

        RtlInitUnicodeString(&name, entry->Name);
        found = find_value(&name);
        if (found != NULL)
            status = answer(entry, found->type, found->data, found->bytes, Context);
        else if ((entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0)
            status = STATUS_OBJECT_NAME_NOT_FOUND;
        else if ((entry->DefaultType & 0xffffffu) != REG_NONE && entry->DefaultData != NULL)
            status = answer(entry, entry->DefaultType & 0xffffffu, entry->DefaultData,
                            entry->DefaultLength != 0 ? entry->DefaultLength : (ULONG)sizeof(ULONG), Context);
        if (!NT_SUCCESS(status))
            return status;
    }
    return STATUS_SUCCESS;
}

/* -- keys and values by handle ------------------------------------------------------------------------- */

void wdk_handle_of_process(const char *call, kit_stack stack)
{
    wdk_mistake("handle_of_the_process", call, stack, 0,
                "without OBJ_KERNEL_HANDLE the process that is current can use the handle, and close it");
}

/* A handle is the address of a key that was opened; every key has all values. */
NTSTATUS ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    kit_stack stack = HERE;
    void *key;

    (void)DesiredAccess;
    wdk_at_most(PASSIVE_LEVEL, "ZwOpenKey", stack);
    if (ObjectAttributes == NULL || ObjectAttributes->Length != sizeof *ObjectAttributes ||
        ObjectAttributes->ObjectName == NULL) {
        wdk_mistake("object_attributes", "ZwOpenKey", stack, 0,
                    "the attributes were not made by InitializeObjectAttributes, or have no name");
        return STATUS_INVALID_PARAMETER;
    }
    if ((ObjectAttributes->Attributes & OBJ_KERNEL_HANDLE) == 0)
        wdk_handle_of_process("ZwOpenKey", stack);
    key = kit_fails(stack) ? NULL : malloc(1);
    if (key == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    wdk_born(&(struct wdk_thing){.kind = "registry key", .address = key, .made = stack});
    *KeyHandle = key;
    return STATUS_SUCCESS;
}

static bool is_open(HANDLE handle, const char *call, kit_stack stack)
{
    if (wdk_find("registry key", handle) != NULL)
        return true;
    wdk_mistake("handle_not_open", call, stack, 0, "no open handle has this value");
    return false;
}

NTSTATUS ZwClose(HANDLE Handle)
{
    wdk_at_most(PASSIVE_LEVEL, "ZwClose", HERE);
    if (wdk_find(WDK_THREAD_HANDLE, Handle) != NULL) {
        wdk_thread_close(Handle);
        return STATUS_SUCCESS;
    }
    if (!is_open(Handle, "ZwClose", HERE))
        return STATUS_INVALID_HANDLE;
    wdk_died(wdk_find("registry key", Handle));
    free(Handle);
    return STATUS_SUCCESS;
}

/* How much comes before the data, and the whole, in a class; 0: no such class. */
static ULONG head_of(KEY_VALUE_INFORMATION_CLASS class, const UNICODE_STRING *name, ULONG *bytes,
                     const struct value *it)
{
    ULONG head = 0;

    if (class == KeyValuePartialInformation)
        head = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
    else if (class == KeyValueFullInformation)
        head =
            (ULONG)ALIGN_UP_BY(FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name) + name->Length, sizeof(ULONG));
    *bytes = head + it->bytes;
    return head;
}

static void put(KEY_VALUE_INFORMATION_CLASS class, PVOID to, ULONG room, const UNICODE_STRING *name,
                ULONG head, const struct value *it)
{
    if (class == KeyValuePartialInformation) {
        *(PKEY_VALUE_PARTIAL_INFORMATION)to =
            (KEY_VALUE_PARTIAL_INFORMATION){.Type = it->type, .DataLength = it->bytes};
    } else {
        PKEY_VALUE_FULL_INFORMATION full = to;

        *full = (KEY_VALUE_FULL_INFORMATION){
            .Type = it->type, .DataOffset = head, .DataLength = it->bytes, .NameLength = name->Length};
        memcpy(full->Name, name->Buffer, name->Length);
    }
    memcpy((PUCHAR)to + head, it->data, room - head < it->bytes ? room - head : it->bytes);
}

NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                         KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                         ULONG Length, PULONG ResultLength)
{
    const struct value *found;
    ULONG head, bytes;

    wdk_at_most(PASSIVE_LEVEL, "ZwQueryValueKey", HERE);
    if (!is_open(KeyHandle, "ZwQueryValueKey", HERE))
        return STATUS_INVALID_HANDLE;
    found = find_value(ValueName);
    if (found == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    head = head_of(KeyValueInformationClass, ValueName, &bytes, found);
    if (head == 0)
        return STATUS_INVALID_PARAMETER;
    *ResultLength = bytes;
    if (Length < head)
        return STATUS_BUFFER_TOO_SMALL;
    put(KeyValueInformationClass, KeyValueInformation, Length, ValueName, head, found);
    return Length < bytes ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
