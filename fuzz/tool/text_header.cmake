# SPDX-License-Identifier: MIT
#
# A text file as a C header: one string a line. The header is written anew when the text changes.
function(dxgkmem_text_header input output)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${input})
    file(READ ${input} text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n\",\n\"" text "${text}")
    file(GENERATE OUTPUT ${output} CONTENT "\"${text}\"\n")
endfunction()
