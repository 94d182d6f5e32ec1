# SPDX-License-Identifier: Apache-2.0
# The libraries that users link: headers, and what each part of them needs.

find_package(Threads REQUIRED)

add_library(quantal INTERFACE)
add_library(quantal::quantal ALIAS quantal)
target_compile_features(quantal INTERFACE cxx_std_20)
target_include_directories(
  quantal INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(quantal INTERFACE Threads::Threads)
set(quantal_components)

# quantal_component(NAME PACKAGES... LINK TARGETS...): target quantal::NAME on top of the core.
function(quantal_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PACKAGES;LINK")
  foreach(package ${arg_PACKAGES})
    find_package(${package} REQUIRED)
  endforeach()
  add_library(quantal_${name} INTERFACE)
  add_library(quantal::${name} ALIAS quantal_${name})
  set_target_properties(quantal_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(quantal_${name} INTERFACE quantal ${arg_LINK})
  set(quantal_components ${quantal_components} ${name} PARENT_SCOPE)
  set(quantal_${name}_packages ${arg_PACKAGES} PARENT_SCOPE)
endfunction()

if(QUANTAL_IO)
  quantal_component(io PACKAGES nlohmann_json ZLIB LINK nlohmann_json::nlohmann_json ZLIB::ZLIB)
endif()
if(QUANTAL_DATA)
  quantal_component(data PACKAGES nlohmann_json ZLIB JPEG Matio
                    LINK nlohmann_json::nlohmann_json ZLIB::ZLIB JPEG::JPEG Matio::Matio)
endif()
if(QUANTAL_TORCH)
  # at::parallel_for is a template, and serial in a file compiled without OpenMP.
  quantal_component(torch PACKAGES Torch OpenMP LINK torch OpenMP::OpenMP_CXX)
  target_include_directories(
    quantal_torch INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/adapters/torch/include>)
endif()

if(QUANTAL_ONNX)
  quantal_component(onnx PACKAGES Protobuf ONNX LINK onnx_proto)
  target_include_directories(
    quantal_onnx INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/adapters/onnx/include>)
endif()

# Warnings for our own programs and tests; never exported.
add_library(quantal_warnings INTERFACE)
target_compile_options(quantal_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                  -Werror)
if(QUANTAL_NATIVE)
  target_compile_options(quantal_warnings INTERFACE -march=native)
endif()
