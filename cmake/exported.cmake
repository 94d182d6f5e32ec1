# SPDX-License-Identifier: Apache-2.0
# Checks that the shared LIBRARY shows the linker names that begin with PREFIX, and no others.
execute_process(COMMAND ${NM} -D -C --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
set(checked 0)
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^[0-9a-f]+ [A-Za-z] " "" name "${line}")
  math(EXPR checked "${checked} + 1")
  string(FIND "${name}" "${PREFIX}" place)
  if(NOT place EQUAL 0)
    message(FATAL_ERROR "${LIBRARY} shows ${name}")
  endif()
endforeach()
if(checked EQUAL 0)
  message(FATAL_ERROR "${LIBRARY} shows nothing")
endif()
