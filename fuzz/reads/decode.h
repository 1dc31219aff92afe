/* SPDX-License-Identifier: MIT */
/* How many bytes an instruction accesses, and how; by the disassembler library Capstone. */
#ifndef DXGKMEM_READS_DECODE_H
#define DXGKMEM_READS_DECODE_H

#include <stdbool.h>
#include <stdint.h>

struct decoded {
    unsigned bytes;
    bool reads, writes;
};

bool decode_open(void);
void decode_close(void);
/* The access of an instruction that faulted; write: it faulted as a write. */
struct decoded decode(uintptr_t instruction, bool write);

#endif
