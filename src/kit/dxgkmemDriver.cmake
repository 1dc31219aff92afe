# SPDX-License-Identifier: MIT
#
# Programs that run a driver's memory code against the callbacks:
#
#   dxgkmem_add_driver_test(NAME SOURCES file... [INCLUDES folder...] [DEFINES definition...]
#                           [OPTIONS flag...] [LIBRARIES library...] [NO_CTEST])
#   dxgkmem_add_driver_fuzzer(NAME SOURCES file... [the same])
#
# SOURCES are those of the driver, unmodified, and one file that defines dxgkmem_harness. The first
# function makes a test (and an entry for ctest), the second a libFuzzer target with AddressSanitizer, or with a
# compiler other than clang a program that runs the files it is given.

function(dxgkmem_driver_program function name)
    cmake_parse_arguments(PARSE_ARGV 2 arg "NO_CTEST" "" "SOURCES;INCLUDES;DEFINES;OPTIONS;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS)
        list(GET arg_UNPARSED_ARGUMENTS 0 unknown)
        message(FATAL_ERROR "${function}(${name}): unknown argument '${unknown}'; there are SOURCES, INCLUDES, "
            "DEFINES, OPTIONS, LIBRARIES and NO_CTEST")
    endif()
    if(arg_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "${function}(${name}): nothing stands behind ${arg_KEYWORDS_MISSING_VALUES}")
    endif()
    if(NOT arg_SOURCES)
        message(FATAL_ERROR "${function}(${name}): SOURCES names no file: the driver's, and one that defines "
            "dxgkmem_harness")
    endif()
    if(TARGET ${name})
        message(FATAL_ERROR "${function}(${name}): there is a target of this name already")
    endif()
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    foreach(source IN LISTS arg_SOURCES)
        cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE path)
        get_source_file_property(generated ${source} GENERATED)
        if(NOT generated AND NOT EXISTS ${path})
            message(FATAL_ERROR "${function}(${name}): no such file: ${source}")
        endif()
        if(source MATCHES "[.](cc|cpp|cxx)$" AND NOT "CXX" IN_LIST languages)
            message(FATAL_ERROR "${function}(${name}): ${source} is C++; add CXX to the languages of project()")
        endif()
    endforeach()

    add_executable(${name} ${arg_SOURCES})
    # -fshort-wchar: WCHAR has 16 bits. Frame pointers and line numbers: stacks name the driver's lines.
    # A routine that no header declares is a warning here and an error of the linker, by its name.
    target_compile_options(${name} PRIVATE -g -fshort-wchar -fno-omit-frame-pointer -fno-optimize-sibling-calls
        -Wno-unknown-pragmas $<$<COMPILE_LANGUAGE:C>:-Wno-error=implicit-function-declaration> ${arg_OPTIONS})
    target_compile_definitions(${name} PRIVATE _AMD64_=1 _WIN64=1 ${arg_DEFINES})
    target_include_directories(${name} PRIVATE ${arg_INCLUDES})
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
endfunction()

function(dxgkmem_add_driver_test name)
    dxgkmem_driver_program(dxgkmem_add_driver_test ${name} ${ARGN})
    target_link_libraries(${name} PRIVATE dxgkmem::kit_test dxgkmem::kit)
    if(NOT "NO_CTEST" IN_LIST ARGN)
        add_test(NAME ${name} COMMAND ${name})
    endif()
endfunction()

function(dxgkmem_add_driver_fuzzer name)
    dxgkmem_driver_program(dxgkmem_add_driver_fuzzer ${name} ${ARGN})
    target_link_libraries(${name} PRIVATE dxgkmem::kit_fuzz dxgkmem::kit)
    if(CMAKE_C_COMPILER_ID MATCHES Clang)
        target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link,address)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer,address)
    else()
        message(STATUS "${name}: libFuzzer needs clang (CMAKE_C_COMPILER); it will only run files that it is given")
        target_link_libraries(${name} PRIVATE dxgkmem::kit_replay)
    endif()
endfunction()
