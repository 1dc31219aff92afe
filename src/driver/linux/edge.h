/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Included before every file whose edges are counted. Where the compiler calls
 * __sanitizer_cov_trace_pc(), the assembler puts one instruction that counts in a byte of that
 * edge's own: an emulator follows calls and returns slowly, and there are more edges than
 * anything else. The compiler takes flags for lost at a call, so losing them does no harm. (Not
 * incb: that keeps the carry, which an emulator first has to find out.) coverage.lds gathers the
 * bytes.
 */
#ifndef DXGKMEM_DRIVER_LINUX_EDGE_H
#define DXGKMEM_DRIVER_LINUX_EDGE_H

/* clang-format off */
asm(".ifndef dxgkmem_edge\n" /* once a unit, of however many files it is */
	".set dxgkmem_edge, 1\n"
	".macro call target:vararg\n"
	".ifc \\target,__sanitizer_cov_trace_pc\n"
	"	.pushsection .bss.dxgkmem_edges,\"aw\",@nobits\n"
	"773:	.skip 1\n"
	"	.popsection\n"
	"	addb $1, 773b(%rip)\n"
	".else\n"
	"	callq \\target\n"
	".endif\n"
	".endm\n"
	".endif\n");
/* clang-format on */

#endif
