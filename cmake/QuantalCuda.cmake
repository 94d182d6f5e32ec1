# SPDX-License-Identifier: Apache-2.0
# quantal::cuda: networks on CUDA devices (runtime/cuda/linked.hpp) for programs that nvcc does not
# compile. With QUANTAL_CUDA nvcc makes it; otherwise it is the host runner, which needs Boost.Context.
# A shared library, so that what the two compilers make of the same inline function stays apart.

set(cuda_sources ${PROJECT_SOURCE_DIR}/src/cuda/linked.cpp
                 ${PROJECT_SOURCE_DIR}/src/cuda/linked_quantizer.cpp)
set(cuda_map ${PROJECT_SOURCE_DIR}/src/cuda/linked.map)
if(QUANTAL_CUDA)
  set(QUANTAL_CUDA_ARCH native CACHE STRING "architecture of quantal::cuda, as nvcc's -arch takes it")
  find_program(QUANTAL_NVCC nvcc HINTS /usr/local/cuda/bin REQUIRED)
  cmake_path(GET QUANTAL_NVCC PARENT_PATH nvcc_folder)
  find_library(QUANTAL_CUDART cudart_static HINTS ${nvcc_folder}/../lib64 ${nvcc_folder}/../lib REQUIRED)
  set(cuda_objects)
  foreach(source ${cuda_sources})
    get_filename_component(name ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/quantal_cuda_${name}.o)
    add_custom_command(
      OUTPUT ${object} DEPFILE ${object}.d DEPENDS ${source}
      COMMAND ${QUANTAL_NVCC} -x cu -c -std=c++20 -O3 -arch=${QUANTAL_CUDA_ARCH} -Werror all-warnings
              -diag-suppress=554 -Xcompiler -fPIC -MD -MF ${object}.d
              -I${PROJECT_SOURCE_DIR}/include -o ${object} ${source})
    list(APPEND cuda_objects ${object})
  endforeach()
  add_library(quantal_cuda SHARED ${cuda_objects})
  set_target_properties(quantal_cuda PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(quantal_cuda PRIVATE ${QUANTAL_CUDART} ${CMAKE_DL_LIBS} rt)
else()
  find_package(Boost REQUIRED COMPONENTS context)
  add_library(quantal_cuda SHARED ${cuda_sources})
  target_compile_options(quantal_cuda PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
  target_link_libraries(quantal_cuda PRIVATE $<BUILD_INTERFACE:Boost::context>)
endif()
add_library(quantal::cuda ALIAS quantal_cuda)
set_target_properties(quantal_cuda PROPERTIES EXPORT_NAME cuda LINK_DEPENDS ${cuda_map})
target_link_options(quantal_cuda PRIVATE -Wl,--version-script=${cuda_map})
target_link_libraries(quantal_cuda PUBLIC quantal)
target_compile_definitions(quantal_cuda INTERFACE QUANTAL_LINKED_CUDA)
list(APPEND quantal_components cuda)
set(quantal_cuda_packages)
