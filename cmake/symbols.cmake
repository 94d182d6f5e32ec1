# SPDX-License-Identifier: Apache-2.0
# Checks that OBJECT, compiled with the flags of ARCH, defines no symbol that the linker could merge
# with that of another file (weak or unique), unless it carries the tag of ARCH.
execute_process(COMMAND ${NM} -C --defined-only ${OBJECT} OUTPUT_VARIABLE symbols
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
set(checked 0)
foreach(line IN LISTS lines)
  if(line MATCHES "^[0-9a-f]+ [WwVvu] (.*)$")
    math(EXPR checked "${checked} + 1")
    # (nm cannot demangle every name of a lambda.)
    if(NOT CMAKE_MATCH_1 MATCHES "cpu::${ARCH}[^a-z0-9_]|^_Z.*[0-9]${ARCH}E")
      message(FATAL_ERROR "${OBJECT} would share with other files: ${CMAKE_MATCH_1}")
    endif()
  endif()
endforeach()
if(checked EQUAL 0)
  message(FATAL_ERROR "${OBJECT} has no symbol to check")
endif()
