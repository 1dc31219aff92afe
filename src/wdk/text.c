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
