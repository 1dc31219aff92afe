# SPDX-License-Identifier: MIT
#
# Threads that take turns: the same files of core, machine, program, model and engine, with
# the scheduled host in place of the user host and a point before each atomic access of core.
# Fibers change stacks, which MemorySanitizer and ThreadSanitizer do not follow here.
if(DXGKMEM_SANITIZE MATCHES "memory|thread")
    return()
endif()

set(scheduled ${PROJECT_SOURCE_DIR}/src/host/scheduled)
file(GLOB core_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/core/*.c)
file(GLOB sim_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/machine/sim/*.c)
file(GLOB scheduled_sources CONFIGURE_DEPENDS ${scheduled}/*.c)
file(GLOB schedule_sources CONFIGURE_DEPENDS schedule/*.c)
list(REMOVE_ITEM schedule_sources ${CMAKE_CURRENT_SOURCE_DIR}/schedule/main.c)

add_library(dxgkmem_scheduled_core OBJECT ${core_sources})
add_library(dxgkmem_scheduled_sim OBJECT ${sim_sources})
foreach(part core sim)
    target_include_directories(dxgkmem_scheduled_${part} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    target_compile_options(dxgkmem_scheduled_${part} PRIVATE ${dxgkmem_core_flags})
endforeach()
# The machine has points at its locks only: what lies between them is one step of the hardware.
target_compile_options(dxgkmem_scheduled_core PRIVATE ${dxgkmem_edges_flags} -include ${scheduled}/atomics.h)
# Which address a mapping gets must follow from the order of the calls alone, not from who makes them.
target_compile_definitions(dxgkmem_scheduled_sim PRIVATE dxgkmem_host_shard=scheduled_one_shard)

add_library(dxgkmem_schedule STATIC ${schedule_sources} ${program_sources} ${model_sources} ${engine_sources}
    tool/report.c ${scheduled_sources} ${PROJECT_SOURCE_DIR}/src/host/user/ending.c
    $<TARGET_OBJECTS:dxgkmem_scheduled_core> $<TARGET_OBJECTS:dxgkmem_scheduled_sim>)
target_compile_definitions(dxgkmem_schedule PRIVATE _GNU_SOURCE)
target_include_directories(dxgkmem_schedule PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include
    ${PROJECT_SOURCE_DIR}/src PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/generated)

dxgkmem_fuzz_target(fuzz_schedule targets/fuzz_schedule.c ${target_sources})
target_link_libraries(fuzz_schedule PRIVATE dxgkmem_schedule)

add_executable(dxgkmem_schedule_tool schedule/main.c tool/common.c tool/input.c tool/options.c)
set_target_properties(dxgkmem_schedule_tool PROPERTIES OUTPUT_NAME dxgkmem-schedule)
target_compile_definitions(dxgkmem_schedule_tool PRIVATE _GNU_SOURCE)
target_link_libraries(dxgkmem_schedule_tool PRIVATE dxgkmem_schedule)
install(TARGETS dxgkmem_schedule_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
