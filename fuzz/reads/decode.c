/* SPDX-License-Identifier: MIT */
/* Implements decode.h. */
#include "reads/decode.h"

#include <capstone/capstone.h>

#define INSTRUCTION_BYTES 15 /* the longest */

static csh capstone;
static cs_insn *instruction_room;

bool decode_open(void)
{
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK)
        return false;
    if (cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
        instruction_room = cs_malloc(capstone);
    if (instruction_room != NULL)
        return true;
    (void)cs_close(&capstone);
    return false;
}

void decode_close(void)
{
    cs_free(instruction_room, 1);
    (void)cs_close(&capstone);
    instruction_room = NULL;
}

struct decoded decode(uintptr_t instruction, bool write)
{
    const uint8_t *code = (const uint8_t *)instruction; /* it was just executed */
    size_t left = INSTRUCTION_BYTES;
    uint64_t address = instruction;
    /* A fault says whether it is a write. What changes memory in place reads it first, and faults as a write. */
    struct decoded decoded = {.bytes = 1, .reads = !write, .writes = write};

    if (!cs_disasm_iter(capstone, &code, &left, &address, instruction_room))
        return decoded;
    const cs_x86 *x86 = &instruction_room->detail->x86;
    for (unsigned i = 0; i < x86->op_count; i++) {
        const cs_x86_op *operand = &x86->operands[i];

        if (operand->type != X86_OP_MEM)
            continue;
        decoded.bytes = operand->size;
        decoded.reads = !write || operand->access == (CS_AC_READ | CS_AC_WRITE);
        /* A string move has two operands in memory. Of vector moves the library takes stores for reads. */
        if (operand->access == (write ? CS_AC_WRITE : CS_AC_READ))
            break;
    }
    return decoded;
}
