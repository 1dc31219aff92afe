/* SPDX-License-Identifier: MIT */
/*
 * Every mistake a caller can make, once: X(constant, name, status, sentence).
 *
 * constant  DXGKMEM_VIOLATION_<constant>
 * name      the stable name: traces, reports and the documentation use it
 * status    what a callback that has a status returns with it
 * sentence  what happened, for a person
 *
 * New ones stand at the end: their numbers are part of traces.
 *
 * Source of statuses and names: our decision; Windows documents none of them.
 */
#ifndef DXGKMEM_VIOLATIONS_H
#define DXGKMEM_VIOLATIONS_H

/* A table: one violation a line. */
/* clang-format off */
#define DXGKMEM_VIOLATIONS(X)                                                                                                                                    \
    X(NOT_STARTED, not_started, STATUS_INVALID_DEVICE_STATE, "a callback was called while dxgkmem was not started")                                              \
    X(NULL_ARGUMENTS, null_arguments, STATUS_INVALID_PARAMETER, "pArgs is NULL")                                                                                 \
    X(MISALIGNED_ARGUMENTS, misaligned_arguments, STATUS_DATATYPE_MISALIGNMENT, "pArgs is not aligned for its type")                                             \
    X(IRQL_TOO_HIGH, irql_too_high, STATUS_INVALID_DEVICE_STATE, "the callback was called above APC_LEVEL")                                                      \
    X(WRONG_WDDM_LEVEL, wrong_wddm_level, STATUS_NOT_SUPPORTED, "the adapter's WDDM version does not have this callback")                                        \
    X(NULL_HANDLE, null_handle, STATUS_INVALID_HANDLE, "a required handle is NULL")                                                                              \
    X(UNKNOWN_HANDLE, unknown_handle, STATUS_INVALID_HANDLE, "the handle was never given out")                                                                   \
    X(STALE_HANDLE, stale_handle, STATUS_INVALID_HANDLE, "the handle has ended")                                                                                 \
    X(WRONG_KIND_HANDLE, wrong_kind_handle, STATUS_OBJECT_TYPE_MISMATCH, "the handle names a thing of another kind")                                             \
    X(ADAPTER_REMOVED, adapter_removed, STATUS_DEVICE_REMOVED, "the handle ended when its adapter was removed")                                                  \
    X(CLOSE_AFTER_DESTROY, close_after_destroy, STATUS_INVALID_HANDLE, "the adapter memory object was already released by the destroy that named it")            \
    X(SECOND_OPEN, second_open, STATUS_SHARING_VIOLATION, "the object is already open on this logical adapter")                                                  \
    X(OPEN_ON_OTHER_ADAPTER, open_on_other_adapter, STATUS_SHARING_VIOLATION, "the object is open on another logical adapter")                                   \
    X(NOT_VISIBLE, not_visible, STATUS_INVALID_PARAMETER, "the range lies above the adapter's highest visible address")                                      \
    X(CLOSE_WITH_LIVE_ADL, close_with_live_adl, STATUS_DEVICE_BUSY, "the adapter memory object still has an ADL")                                                \
    X(DESTROY_WITH_LIVE_ADL, destroy_with_live_adl, STATUS_DEVICE_BUSY, "the object still has an ADL: its pages are locked for the device")                      \
    X(DESTROY_WITH_LIVE_MAPPING, destroy_with_live_mapping, STATUS_DEVICE_BUSY, "the object is still mapped for the CPU")                                        \
    X(DESTROY_WHILE_OPEN, destroy_while_open, STATUS_DEVICE_BUSY, "the object is open and the destroy does not name its adapter memory object")                  \
    X(DESTROY_FOREIGN_ADAPTER_OBJECT, destroy_foreign_adapter_object, STATUS_INVALID_PARAMETER, "the destroy names the adapter memory object of another object") \
    X(INVALID_TYPE, invalid_type, STATUS_INVALID_PARAMETER, "the memory type is not one of the four")                                                            \
    X(INVALID_CACHE_TYPE, invalid_cache_type, STATUS_INVALID_PARAMETER, "the cache type is unknown, or NON_CACHED for a section")                                \
    X(INVALID_SIZE, invalid_size, STATUS_INVALID_PARAMETER, "the size is zero or larger than one object may be")                                                 \
    X(INVALID_CONSTRAINTS, invalid_constraints, STATUS_INVALID_PARAMETER, "the address constraints contradict each other or break a documented rule")            \
    X(INVALID_PROTECTION, invalid_protection, STATUS_INVALID_PAGE_PROTECTION, "the page protection is not one of the four documented values")                    \
    X(INVALID_ACCESS_MODE, invalid_access_mode, STATUS_INVALID_PARAMETER, "the access mode is neither kernel nor user")                                          \
    X(RESERVED_BITS, reserved_bits, STATUS_INVALID_PARAMETER, "a reserved bit is set")                                                                           \
    X(UNALIGNED_RANGE, unaligned_range, STATUS_INVALID_PARAMETER, "an address, offset or size is not a multiple of the page size")                               \
    X(IO_SPACE_OVER_RAM, io_space_over_ram, STATUS_CONFLICTING_ADDRESSES, "the I/O range lies over RAM")                                                         \
    X(IO_SPACE_OVERLAP, io_space_overlap, STATUS_CONFLICTING_ADDRESSES, "the I/O range overlaps that of a live object")                                          \
    X(IO_SPACE_TO_USER, io_space_to_user, STATUS_INVALID_PARAMETER, "I/O space may be mapped for the kernel only")                                               \
    X(MAP_OUT_OF_RANGE, map_out_of_range, STATUS_INVALID_PARAMETER, "the range to map is empty or reaches past the end of the object")                           \
    X(UNMAP_WRONG_BASE, unmap_wrong_base, STATUS_INVALID_PARAMETER, "no mapping begins at this base address")                                                    \
    X(UNMAP_WRONG_SIZE, unmap_wrong_size, STATUS_INVALID_PARAMETER, "the size is not the one the map call returned")                                             \
    X(UNMAP_WRONG_OBJECT, unmap_wrong_object, STATUS_INVALID_PARAMETER, "the mapping belongs to another object")                                                 \
    X(UNMAP_WRONG_PROCESS, unmap_wrong_process, STATUS_ACCESS_DENIED, "the mapping was made in another process")                                                 \
    X(CONTIGUOUS_OF_SCATTERED, contiguous_of_scattered, STATUS_INVALID_PARAMETER, "RequireContiguous is for CONTIGUOUS_MEMORY and IO_SPACE objects only")        \
    X(ADL_OUT_OF_RANGE, adl_out_of_range, STATUS_INVALID_PARAMETER, "the range of the ADL is empty or reaches past the end of the object")                       \
    X(ADL_ALREADY_FREED, adl_already_freed, STATUS_INVALID_PARAMETER, "the ADL was already freed")                                                               \
    X(ADL_FOREIGN, adl_foreign, STATUS_INVALID_PARAMETER, "the pointer is not an ADL that was given out")                                                        \
    X(ADL_OF_OTHER_OBJECT, adl_of_other_object, STATUS_INVALID_PARAMETER, "the ADL was made from another adapter memory object")                                 \
    X(ADL_OF_FRAME_BUFFER, adl_of_frame_buffer, STATUS_INVALID_PARAMETER, "the ADL of a pinned frame buffer is released by UNPIN, not by FREEADL")               \
    X(ADL_SCRIBBLED, adl_scribbled, STATUS_SUCCESS, "the driver wrote to the ADL; the free was carried out from the trusted record")                             \
    X(NOT_LEAD_ADAPTER, not_lead_adapter, STATUS_INVALID_PARAMETER, "frame-buffer calls take the lead adapter of the chain")                                     \
    X(FRAME_BUFFER_INDEX, frame_buffer_index, STATUS_INVALID_PARAMETER, "the chain has no physical adapter of this index")                                       \
    X(FRAME_BUFFER_SIZE, frame_buffer_size, STATUS_INVALID_PARAMETER, "the size is zero, or larger than the reported save area or than an MDL can be")                                  \
    X(PINNED_TWICE, pinned_twice, STATUS_INVALID_DEVICE_STATE, "the frame buffer of this physical adapter is already pinned")                                    \
    X(NOT_PINNED, not_pinned, STATUS_INVALID_DEVICE_STATE, "the frame buffer of this physical adapter is not pinned")                                            \
    X(LEGACY_CALLBACK, legacy_callback, STATUS_NOT_SUPPORTED, "a WDDM 2.4 memory callback was called; it is not available")                                      \
    X(UNRELATED_CALLBACK, unrelated_callback, STATUS_NOT_SUPPORTED, "a callback that is not about physical memory was called; it is not available")              \
    X(LEFT_AT_PROCESS_EXIT, left_at_process_exit, STATUS_SUCCESS, "a user mapping was left when its process ended")                                              \
    X(LEFT_AT_REMOVAL, left_at_removal, STATUS_SUCCESS, "this was left when the adapter was removed")                                                            \
    X(LEFT_AT_STOP, left_at_stop, STATUS_SUCCESS, "this was left when dxgkmem was stopped") \
    X(MEMORY_OF_OTHER_ADAPTER, memory_of_other_adapter, STATUS_INVALID_PARAMETER, "the memory belongs to another logical adapter") \
    X(MEMORY_OF_OTHER_CALL, memory_of_other_call, STATUS_INVALID_PARAMETER, "the memory was made by another callback, which has a free call of its own") \
    X(MDL_SCRIBBLED, mdl_scribbled, STATUS_SUCCESS, "the driver changed what the MDL describes; the free was carried out from the trusted record") \
    X(INVALID_MDL, invalid_mdl, STATUS_INVALID_PARAMETER, "the MDL is NULL, not aligned, empty, or its pages are not locked") \
    X(MDL_PAGE_NOT_HELD, mdl_page_not_held, STATUS_INVALID_PARAMETER, "a page of the MDL is not RAM that the driver holds; what these callbacks handed out is reached by its own means") \
    X(MDL_PAGE_TWICE, mdl_page_twice, STATUS_INVALID_PARAMETER, "a page of the MDL is in it twice, or the adapter reaches it already through another MDL") \
    X(FRAME_BUFFER_MAPPED, frame_buffer_mapped, STATUS_DEVICE_BUSY, "the frame buffer of this physical adapter is mapped for the CPU already")

enum dxgkmem_violation_code {
    DXGKMEM_VIOLATION_NONE,
#define DXGKMEM_VIOLATION_CONSTANT(constant, name, status, sentence) DXGKMEM_VIOLATION_##constant,
    DXGKMEM_VIOLATIONS(DXGKMEM_VIOLATION_CONSTANT)
#undef DXGKMEM_VIOLATION_CONSTANT
    DXGKMEM_VIOLATION_COUNT
};
/* clang-format on */

#endif
