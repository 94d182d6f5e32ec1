# SPDX-License-Identifier: Apache-2.0
# Builds and runs a user's program that comes by quantal in one WAY. BUILD is where quantal was
# built, SOURCE where its sources are, LIBDIR where it puts its packages below the prefix, COMPILER
# the compiler of all, COMPONENTS those that were built, with commas. The way `install` comes first: it
# makes the prefix, and moves it.
set(work ${BUILD}/consume)
set(prefix ${work}/moved)
set(program ${SOURCE}/tests/consume/main.cpp)
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# project(ARGUMENTS...): tests/consume, configured with them.
function(project)
  file(REMOVE_RECURSE ${work}/${WAY})
  run(${CMAKE_COMMAND} -S ${SOURCE}/tests/consume -B ${work}/${WAY} -G ${GENERATOR}
      -DCMAKE_CXX_COMPILER=${COMPILER} -DWAY=${WAY} -DPROGRAM=${program} ${ARGV})
  run(${CMAKE_COMMAND} --build ${work}/${WAY})
  run(${work}/${WAY}/consumer)
endfunction()

# compile(FLAGS...): the program by hand, with all warnings.
function(compile)
  run(${COMPILER} -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror ${program}
      ${ARGV} -pthread -o ${work}/${WAY}-consumer)
  run(${work}/${WAY}-consumer)
endfunction()

if(WAY STREQUAL install)
  file(REMOVE_RECURSE ${work})
  run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/installed)
  file(RENAME ${work}/installed ${prefix})

elseif(WAY STREQUAL find_package)
  project(-DCMAKE_PREFIX_PATH=${prefix})

elseif(WAY STREQUAL components)
  set(program ${SOURCE}/tests/consume/components.cpp)
  project(-DCMAKE_PREFIX_PATH=${prefix} -DCOMPONENTS=${COMPONENTS})

elseif(WAY STREQUAL readme) # the program that README shows
  file(READ ${SOURCE}/README.md text)
  string(FIND "${text}" "```cpp\n#include" begin)
  string(SUBSTRING "${text}" ${begin} -1 text)
  string(FIND "${text}" "\n```\n" end)
  math(EXPR length "${end} - 7")
  string(SUBSTRING "${text}" 7 ${length} text)
  set(program ${work}/readme.cpp)
  file(WRITE ${program} "${text}\n")
  project(-DCMAKE_PREFIX_PATH=${prefix})

elseif(WAY MATCHES "^(add_subdirectory|fetch_content)$")
  project(-DQUANTAL=${SOURCE})

elseif(WAY STREQUAL pkg_config)
  set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBDIR}/pkgconfig)
  execute_process(COMMAND pkg-config --cflags --libs quantal COMMAND_ERROR_IS_FATAL ANY
                  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  compile(${flags})

elseif(WAY STREQUAL include_path)
  compile(-I ${SOURCE}/include)

elseif(WAY STREQUAL without_xtensor) # all of /usr/include but that
  set(without ${work}/without_xtensor)
  file(REMOVE_RECURSE ${without})
  file(MAKE_DIRECTORY ${without})
  file(GLOB entries /usr/include/*)
  list(FILTER entries EXCLUDE REGEX "/(xtensor|xtl)$")
  foreach(entry ${entries})
    get_filename_component(name ${entry} NAME)
    file(CREATE_LINK ${entry} ${without}/${name} SYMBOLIC)
  endforeach()
  execute_process(COMMAND ${COMPILER} -E -v -x c++ /dev/null ERROR_VARIABLE text OUTPUT_QUIET)
  string(REGEX REPLACE ".*search starts here:\n(.*)\nEnd of search list.*" "\\1" text "${text}")
  string(REGEX MATCHALL "/[^\n]+" folders "${text}")
  list(TRANSFORM folders REPLACE "^/usr/include$" "${without}")
  list(TRANSFORM folders PREPEND "-isystem")
  file(WRITE ${work}/absent.cpp "#if __has_include(<xtensor/xarray.hpp>)\n#error here\n#endif\n")
  compile(${work}/absent.cpp -I ${SOURCE}/include -nostdinc ${folders})

elseif(WAY STREQUAL single_header)
  run(${SOURCE}/scripts/amalgamate ${work}/single/quantal/quantal.hpp)
  file(WRITE ${work}/other.cpp "#include <quantal/quantal.hpp>\n")
  compile(${work}/other.cpp -I ${work}/single)

else()
  message(FATAL_ERROR "the way \"${WAY}\" is unknown")
endif()
