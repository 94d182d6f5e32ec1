# SPDX-License-Identifier: Apache-2.0
# Compiles SOURCE with COMPILER, FLAGS (separated by spaces) and the headers in INCLUDE: as it is it has
# to compile, with QUANTAL_MUST_FAIL it must not, and the compiler has to say each TEXT of the lines
# `// expect: "TEXT"`. The flags of a line `// flags: ...` are given to the second build only.
foreach(variable COMPILER SOURCE INCLUDE)
  if(NOT ${variable})
    message(FATAL_ERROR "-D${variable}=... is missing")
  endif()
endforeach()
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
set(command ${COMPILER} ${flags} -I${INCLUDE} -fsyntax-only)

file(STRINGS ${SOURCE} expect_lines REGEX "^// expect: \".+\"$")
file(STRINGS ${SOURCE} flag_lines REGEX "^// flags: ")
if(NOT expect_lines)
  message(FATAL_ERROR "${SOURCE} has no line // expect: \"TEXT\"")
endif()
string(REGEX REPLACE "^// flags: " "" failing_flags "${flag_lines}")
separate_arguments(failing_flags UNIX_COMMAND "${failing_flags}")

execute_process(COMMAND ${command} ${SOURCE} RESULT_VARIABLE code OUTPUT_VARIABLE output
                ERROR_VARIABLE output)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} does not compile without QUANTAL_MUST_FAIL:\n${output}")
endif()

execute_process(COMMAND ${command} -DQUANTAL_MUST_FAIL ${failing_flags} ${SOURCE}
                RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles with QUANTAL_MUST_FAIL")
endif()
foreach(line IN LISTS expect_lines)
  string(REGEX REPLACE "^// expect: \"(.+)\"$" "\\1" text "${line}")
  string(FIND "${output}" "${text}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "${SOURCE}: the compiler does not say \"${text}\":\n${output}")
  endif()
endforeach()
