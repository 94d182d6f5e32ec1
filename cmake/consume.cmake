# SPDX-License-Identifier: Apache-2.0
# Installs quantal from BUILD into a new folder, then builds and runs with it the project in SOURCE
# and, in a copy of that project, the program in README.
set(work ${BUILD}/consume)
file(REMOVE_RECURSE ${work})
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/prefix)
file(READ ${README} text)
string(FIND "${text}" "```cpp\n#include" begin)
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "\n```\n" end)
math(EXPR length "${end} - 7")
string(SUBSTRING "${text}" 7 ${length} program)
file(COPY ${SOURCE}/ DESTINATION ${work}/readme)
file(WRITE ${work}/readme/main.cpp "${program}\n")

foreach(source ${SOURCE} ${work}/readme)
  get_filename_component(name ${source} NAME)
  run(${CMAKE_COMMAND} -S ${source} -B ${work}/build-${name} -DCMAKE_PREFIX_PATH=${work}/prefix
      -DCMAKE_CXX_COMPILER=${COMPILER})
  run(${CMAKE_COMMAND} --build ${work}/build-${name})
  run(${work}/build-${name}/consumer)
endforeach()
