# SPDX-License-Identifier: Apache-2.0
# Runs PROGRAM with ARGUMENTS (a list) and checks its exit CODE, and that its output matches TEXT. With
# REFUSED, a file, that there is no such file afterwards; with MADE, that there is one, and with HELD,
# keys from the outermost on, that it is JSON with such a value.
foreach(file ${REFUSED} ${MADE})
  file(REMOVE ${file})
endforeach()
execute_process(COMMAND ${PROGRAM} ${ARGUMENTS} RESULT_VARIABLE code OUTPUT_VARIABLE output
                ERROR_VARIABLE output)
message("${output}")
if(NOT code EQUAL CODE)
  message(FATAL_ERROR "exit code ${code}, expected ${CODE}")
endif()
if(NOT output MATCHES "${TEXT}")
  message(FATAL_ERROR "the output does not match ${TEXT}")
endif()
if(REFUSED AND EXISTS ${REFUSED})
  message(FATAL_ERROR "${REFUSED} was written")
endif()
if(MADE AND NOT EXISTS ${MADE})
  message(FATAL_ERROR "${MADE} was not written")
endif()
if(HELD)
  file(READ ${MADE} text)
  string(JSON held GET "${text}" ${HELD})
endif()
