/* SPDX-License-Identifier: MIT */
/* The callbacks that interface.c hands out, and how each begins. */
#ifndef DXGKMEM_CORE_CALLBACKS_H
#define DXGKMEM_CORE_CALLBACKS_H

#include "instance.h"

/* Alignment of an argument block: that of its type, but never more than a pointer's. */
#define ARGUMENT_ALIGNMENT(block)                                                                            \
    (_Alignof(__typeof__(block)) < _Alignof(void *) ? _Alignof(__typeof__(block)) : _Alignof(void *))

#define CALL_BEGIN(call, name, arguments, captured, writable)                                                \
    call_begin(                                                                                              \
        call, DXGKMEM_CALL_##name,                                                                           \
        &(struct call_arguments){arguments, &(captured), sizeof(captured), ARGUMENT_ALIGNMENT(captured)},    \
        writable)

NTSTATUS APIENTRY CALLBACK
dxgkmem_create_physical_memory_object(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *pArgs);
VOID APIENTRY CALLBACK
dxgkmem_destroy_physical_memory_object(const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_open_physical_memory_object(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *pArgs);
VOID APIENTRY CALLBACK
dxgkmem_close_physical_memory_object(const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_map_physical_memory(DXGKARGCB_MAP_PHYSICAL_MEMORY *pArgs);
VOID APIENTRY CALLBACK dxgkmem_unmap_physical_memory(const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_allocate_adl(DXGKARGCB_ALLOCATE_ADL *pArgs);
VOID APIENTRY CALLBACK dxgkmem_free_adl(const DXGKARGCB_FREE_ADL *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_pin_frame_buffer_for_save2(const HANDLE hAdapter,
                                                              DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_pin_frame_buffer_for_save(const HANDLE hAdapter,
                                                             DXGKARGCB_PINFRAMEBUFFERFORSAVE *pArgs);
NTSTATUS APIENTRY CALLBACK
dxgkmem_unpin_frame_buffer_for_save(const HANDLE hAdapter, const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_map_frame_buffer_pointer(const HANDLE hAdapter,
                                                            DXGKARGCB_MAPFRAMEBUFFERPOINTER *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_unmap_frame_buffer_pointer(const HANDLE hAdapter,
                                                              const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_allocate_contiguous_memory(const HANDLE hAdapter,
                                                              DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_free_contiguous_memory(const HANDLE hAdapter,
                                                          const DXGKARGCB_FREECONTIGUOUSMEMORY *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_allocate_pages_for_mdl(const HANDLE hAdapter,
                                                          DXGKARGCB_ALLOCATEPAGESFORMDL *pArgs);
NTSTATUS APIENTRY CALLBACK dxgkmem_free_pages_from_mdl(const HANDLE hAdapter,
                                                       const DXGKARGCB_FREEPAGESFROMMDL *pArgs);

NTSTATUS APIENTRY CALLBACK dxgkmem_map_mdl_to_iommu(const HANDLE hAdapter, DXGKARGCB_MAPMDLTOIOMMU *pArgs);
VOID APIENTRY CALLBACK dxgkmem_unmap_mdl_from_iommu(const HANDLE hAdapter,
                                                    const DXGKARGCB_UNMAPMDLFROMIOMMU *pArgs);

/*
 * Fills every member of the interface but the header fields. objects_only: for a driver that must use physical
 * memory objects; the WDDM 2.4 callbacks then refuse whatever they are given.
 */
void interface_fill(DXGKRNL_INTERFACE *all, bool objects_only);

#endif
