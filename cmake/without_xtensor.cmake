# SPDX-License-Identifier: Apache-2.0
# Compiles PROGRAM as on a machine without xtensor: DIRECTORIES are COMPILER's own include folders; in WORK
# each of them that holds xtensor is replaced by links to all else that it holds.
set(flags -nostdinc++ -nostdinc)
set(number 0)
foreach(directory ${DIRECTORIES})
  if(EXISTS ${directory}/xtensor)
    set(links ${WORK}/${number})
    file(REMOVE_RECURSE ${links})
    file(MAKE_DIRECTORY ${links})
    file(GLOB entries RELATIVE ${directory} ${directory}/*)
    list(REMOVE_ITEM entries xtensor xtensor.hpp)
    foreach(entry ${entries})
      file(CREATE_LINK ${directory}/${entry} ${links}/${entry} SYMBOLIC)
    endforeach()
    set(directory ${links})
    math(EXPR number "${number} + 1")
  endif()
  list(APPEND flags -isystem ${directory})
endforeach()
file(WRITE ${WORK}/program.cpp "#include \"${PROGRAM}\"
#if __has_include(<xtensor/xarray.hpp>) || __has_include(<xtensor/containers/xarray.hpp>)
#error xtensor is still there
#endif
")
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${flags} -I${INCLUDE}
                        ${WORK}/program.cpp
                COMMAND_ERROR_IS_FATAL ANY)
