/* SPDX-License-Identifier: MIT */
/* Stand-in for driverspecs.h: annotations of drivers, which say nothing here; IRQL is checked when code runs. */
#ifndef DXGKMEM_WDK_DRIVERSPECS_H
#define DXGKMEM_WDK_DRIVERSPECS_H

#include <sal.h>

#define _IRQL_requires_max_(irql)
#define _IRQL_requires_min_(irql)
#define _IRQL_requires_same_
#define _IRQL_raises_(irql)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_saves_global_(kind, place)
#define _IRQL_restores_global_(kind, place)
#define _IRQL_always_function_min_(irql)
#define _IRQL_always_function_max_(irql)
#define _Kernel_entry_
#define _Kernel_float_restored_
#define _Dispatch_type_(kind)
#define _Flt_CompletionContext_Outptr_
#define __drv_aliasesMem
#define __drv_allocatesMem(kind)
#define __drv_freesMem(kind)
#define __drv_maxIRQL(irql)
#define __drv_minIRQL(irql)
#define __drv_requiresIRQL(irql)
#define __drv_raisesIRQL(irql)
#define __drv_sameIRQL
#define __drv_strictTypeMatch(mode)
#define __drv_when(when, annotations)
#define __drv_mustHoldCriticalRegion

#endif
