/* SPDX-License-Identifier: MIT */
/* IRQL and process of the machine, which the stand-ins set and the callbacks look at. world.c has them. */
#ifndef DXGKMEM_KIT_MACHINE_H
#define DXGKMEM_KIT_MACHINE_H

unsigned kit_irql(void);
void kit_set_irql(unsigned irql);
unsigned kit_process(void);
void kit_set_process(unsigned process);

#endif
