# SPDX-License-Identifier: MIT
#
# The oracle for second reads. Watched memory is for everybody; judging each access takes the
# disassembler library Capstone (Debian: libcapstone-dev), which MemorySanitizer knows nothing of.
add_library(dxgkmem_watch STATIC reads/watch.c)
target_include_directories(dxgkmem_watch PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(dxgkmem_watch PRIVATE _GNU_SOURCE)

find_path(CAPSTONE_INCLUDE capstone/capstone.h)
find_library(CAPSTONE_LIBRARY capstone)
if(CAPSTONE_INCLUDE AND CAPSTONE_LIBRARY AND CMAKE_SYSTEM_NAME STREQUAL Linux
    AND CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64 AND NOT DXGKMEM_SANITIZE MATCHES "memory|thread")
    add_library(dxgkmem_reads STATIC reads/decode.c reads/reads.c)
    target_include_directories(dxgkmem_reads SYSTEM PRIVATE ${CAPSTONE_INCLUDE})
    target_compile_definitions(dxgkmem_reads PRIVATE _GNU_SOURCE)
    target_link_libraries(dxgkmem_reads PUBLIC dxgkmem_program dxgkmem_watch ${CAPSTONE_LIBRARY})
    target_link_libraries(dxgkmem_tool PRIVATE dxgkmem_reads)
    target_compile_definitions(dxgkmem_tool PRIVATE TOOL_READS)
    dxgkmem_fuzz_target(fuzz_reads targets/fuzz_reads.c targets/hooks.c ${target_sources})
    target_link_libraries(fuzz_reads PRIVATE dxgkmem_reads)
endif()
