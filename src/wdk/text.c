/* SPDX-License-Identifier: MIT */
/* Strings, bitmaps, printing, and the registry, which is a table that the harness fills. */
#define _GNU_SOURCE
#include "wdk.h"
#include "kit/kit.h"

#include <ntstrsafe.h>
#include <stdarg.h>
#include <stdlib.h>

/* -- memory and strings ------------------------------------------------------------------------ */

SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *a = Source1, *b = Source2;
    SIZE_T equal = 0;

    while (equal < Length && a[equal] == b[equal])
        equal++;
    return equal;
}

static USHORT bytes_of(PCWSTR string)
{
    USHORT bytes = 0;

    while (string != NULL && string[bytes / sizeof *string] != 0 && bytes < MAXUSHORT - 3)
        bytes = (USHORT)(bytes + sizeof *string);
    return bytes;
}

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    DestinationString->Buffer = (PWSTR)(uintptr_t)SourceString;
    DestinationString->Length = bytes_of(SourceString);
    DestinationString->MaximumLength =
        SourceString != NULL ? (USHORT)(DestinationString->Length + sizeof(WCHAR)) : 0;
}

VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    DestinationString->Buffer = (PCHAR)(uintptr_t)SourceString;
    DestinationString->Length = SourceString != NULL ? (USHORT)strlen(SourceString) : 0;
    DestinationString->MaximumLength = (USHORT)(DestinationString->Length + (SourceString != NULL));
}

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    USHORT bytes = SourceString != NULL ? SourceString->Length : 0;

    if (bytes > DestinationString->MaximumLength)
        bytes = DestinationString->MaximumLength;
    if (bytes != 0)
        memcpy(DestinationString->Buffer, SourceString->Buffer, bytes);
    DestinationString->Length = bytes;
}

static WCHAR folded(WCHAR character, BOOLEAN fold)
{
    return fold && character >= L'a' && character <= L'z' ? (WCHAR)(character - 32) : character;
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    for (USHORT i = 0; i < String1->Length / 2 && i < String2->Length / 2; i++) {
        LONG difference =
            folded(String1->Buffer[i], CaseInSensitive) - folded(String2->Buffer[i], CaseInSensitive);

        if (difference != 0)
            return difference;
    }
    return (LONG)String1->Length - (LONG)String2->Length;
}

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0;
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    USHORT bytes = bytes_of(Source);

    if (bytes > Destination->MaximumLength - Destination->Length)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy((UCHAR *)Destination->Buffer + Destination->Length, Source, bytes);
    Destination->Length = (USHORT)(Destination->Length + bytes);
    return STATUS_SUCCESS;
}

NTSTATUS RtlStringCchPrintfA(PSTR Destination, SIZE_T Characters, PCSTR Format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, Format);
    length = vsnprintf(Destination, Characters, Format, arguments);
    va_end(arguments);
    return Characters == 0 || length < 0 ? STATUS_INVALID_PARAMETER
           : (SIZE_T)length < Characters ? STATUS_SUCCESS
                                         : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS RtlStringCchCopyA(PSTR Destination, SIZE_T Characters, PCSTR Source)
{
    return RtlStringCchPrintfA(Destination, Characters, "%s", Source);
}

NTSTATUS RtlStringCchCatA(PSTR Destination, SIZE_T Characters, PCSTR Source)
{
    size_t length = strnlen(Destination, Characters);

    return RtlStringCchCopyA(Destination + length, Characters - length, Source);
}

NTSTATUS RtlStringCchCopyW(PWSTR Destination, SIZE_T Characters, PCWSTR Source)
{
    SIZE_T i = 0;

    if (Characters == 0)
        return STATUS_INVALID_PARAMETER;
    for (; i + 1 < Characters && Source[i] != 0; i++)
        Destination[i] = Source[i];
    Destination[i] = 0;
    return Source[i] == 0 ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS RtlStringCchLengthW(PCWSTR String, SIZE_T Most, PSIZE_T Length)
{
    *Length = 0;
    while (*Length < Most && String[*Length] != 0)
        ++*Length;
    return *Length < Most ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* Drivers talk all the time; DXGKMEM_KIT_TALK=1 in the environment lets them be heard. */
static ULONG talk(PCSTR format, va_list arguments)
{
    static int heard = -1;

    if (heard < 0)
        heard = getenv("DXGKMEM_KIT_TALK") != NULL;
    if (heard)
        (void)vfprintf(stderr, format, arguments);
    return STATUS_SUCCESS;
}

ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list arguments;

    (void)ComponentId;
    (void)Level;
    va_start(arguments, Format);
    (void)talk(Format, arguments);
    va_end(arguments);
    return STATUS_SUCCESS;
}

ULONG DbgPrint(PCSTR Format, ...)
{
    va_list arguments;

    va_start(arguments, Format);
    (void)talk(Format, arguments);
    va_end(arguments);
    return STATUS_SUCCESS;
}

/* -- bitmaps -------------------------------------------------------------------------------------- */

VOID RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    *BitMapHeader = (RTL_BITMAP){SizeOfBitMap, BitMapBuffer};
}

VOID RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    memset(BitMapHeader->Buffer, 0, (BitMapHeader->SizeOfBitMap + 31) / 32 * sizeof(ULONG));
}

static bool bit(const RTL_BITMAP *map, ULONG index)
{
    return (map->Buffer[index / 32] >> index % 32 & 1u) != 0;
}

static void in_range(const RTL_BITMAP *map, ULONG index, ULONG length, const char *call, kit_stack stack)
{
    if (index > map->SizeOfBitMap || length > map->SizeOfBitMap - index)
        wdk_fatal("bitmap_out_of_range", call, stack, 0, "the bits reach past the end of the bitmap");
}

VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    in_range(BitMapHeader, StartingIndex, NumberToSet, "RtlSetBits", HERE);
    for (ULONG i = StartingIndex; i < StartingIndex + NumberToSet; i++)
        BitMapHeader->Buffer[i / 32] |= 1u << i % 32;
}

VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    in_range(BitMapHeader, StartingIndex, NumberToClear, "RtlClearBits", HERE);
    for (ULONG i = StartingIndex; i < StartingIndex + NumberToClear; i++)
        BitMapHeader->Buffer[i / 32] &= ~(1u << i % 32);
}

static bool all(const RTL_BITMAP *map, ULONG index, ULONG length, bool set)
{
    if (index > map->SizeOfBitMap || length > map->SizeOfBitMap - index)
        return false;
    for (ULONG i = index; i < index + length; i++) {
        if (bit(map, i) != set)
            return false;
    }
    return true;
}

BOOLEAN RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return all(BitMapHeader, StartingIndex, Length, false);
}

BOOLEAN RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return all(BitMapHeader, StartingIndex, Length, true);
}

/* From the hint on, and then from the beginning. */
ULONG RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG size = BitMapHeader->SizeOfBitMap;
    ULONG hint = HintIndex < size ? HintIndex : 0;

    for (ULONG i = 0; i < size; i++) {
        ULONG index = i < size - hint ? hint + i : i - (size - hint);

        if (all(BitMapHeader, index, NumberToFind, false))
            return index;
    }
    return MAXULONG;
}

ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG index = RtlFindClearBits(BitMapHeader, NumberToFind, HintIndex);

    if (index != MAXULONG)
        RtlSetBits(BitMapHeader, index, NumberToFind);
    return index;
}

ULONG RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG count = 0;

    for (ULONG i = 0; i < BitMapHeader->SizeOfBitMap; i++)
        count += bit(BitMapHeader, i);
    return count;
}

/* -- the registry -------------------------------------------------------------------------------------- */

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

static const struct value *find_value(PCWSTR name)
{
    UNICODE_STRING wanted, has;

    RtlInitUnicodeString(&wanted, name);
    for (unsigned i = 0; i < values; i++) {
        RtlInitUnicodeString(&has, value[i].name);
        if (RtlEqualUnicodeString(&wanted, &has, TRUE))
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
        const struct value *found = find_value(entry->Name);
        NTSTATUS status = STATUS_SUCCESS;

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
