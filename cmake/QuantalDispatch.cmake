# SPDX-License-Identifier: Apache-2.0
# quantal::dispatch: the CPU kernels of several instruction sets in one library, each compiled with
# its own flags, chosen when a program runs.

set(dispatch_archs generic)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND dispatch_archs sse2 sse4_1 avx2 avx_vnni avx512_vnni)
  if(QUANTAL_SANITIZE) # minutes a file, and the same loops; tests emulate registers of 512 bits
    set(dispatch_archs generic avx2)
  endif()
endif()
set(flags_generic)
set(flags_sse2 -msse2)
set(flags_sse4_1 -msse4.1)
set(flags_avx2 -mavx2)
set(flags_avx_vnni -mavx2 -mavxvnni)
set(flags_avx512_vnni -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni)

# Checks of undefined behaviour take clang more than five minutes of a processor with these files, and
# those of addresses three. Fewer suffice: both are in the code around the kernels.
if(QUANTAL_SANITIZE MATCHES "address,undefined")
  list(APPEND flags_generic -fno-sanitize=address,undefined)
  list(APPEND flags_avx2 -fno-sanitize=undefined)
endif()

add_library(quantal_dispatch STATIC ${PROJECT_SOURCE_DIR}/src/dispatch/dispatch.cpp)
add_library(quantal::dispatch ALIAS quantal_dispatch)
set_target_properties(quantal_dispatch PROPERTIES EXPORT_NAME dispatch)
target_link_libraries(quantal_dispatch PUBLIC quantal)
set(best_first ${dispatch_archs})
list(REVERSE best_first)
list(JOIN best_first "," best_first)
target_compile_definitions(quantal_dispatch PUBLIC QUANTAL_DISPATCH
                                            PRIVATE QUANTAL_DISPATCH_ARCHS=${best_first})
# Kernels without optimization serve nobody: a build type of the user's own, or none, gets it too.
set(level 2)
if(QUANTAL_SANITIZE)
  set(level 1)
endif()
set(optimization $<$<NOT:$<CONFIG:Debug,MinSizeRel,Release,RelWithDebInfo>>:-O${level}>)
foreach(arch ${dispatch_archs})
  add_library(quantal_dispatch_${arch} OBJECT ${PROJECT_SOURCE_DIR}/src/dispatch/arch.cpp)
  target_compile_features(quantal_dispatch_${arch} PRIVATE cxx_std_20)
  target_include_directories(quantal_dispatch_${arch} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(quantal_dispatch_${arch} PRIVATE QUANTAL_DISPATCH_ARCH=${arch})
  target_compile_options(quantal_dispatch_${arch} PRIVATE ${flags_${arch}} ${optimization} -Wall -Wextra -Wpedantic
                                                          -Wshadow -Wconversion -Werror)
  target_sources(quantal_dispatch PRIVATE $<TARGET_OBJECTS:quantal_dispatch_${arch}>)
endforeach()
list(APPEND quantal_components dispatch)
set(quantal_dispatch_packages)
