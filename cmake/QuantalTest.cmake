# SPDX-License-Identifier: Apache-2.0
# How tests are made. Each of them is an entry of CTest; what a machine cannot run is reported by
# CTest as skipped, with its name.

find_package(Boost REQUIRED COMPONENTS unit_test_framework)
set(data "${PROJECT_SOURCE_DIR}/../shared/data")
if(DEFINED ENV{QUANTAL_DATA})
  set(data "$ENV{QUANTAL_DATA}")
endif()
set(QUANTAL_TEST_DATA "${data}" CACHE PATH
    "folder with cifar10 and imagenet, for the tests that need them")
set(skipped_exit_code 77)

# More takes g++ longer than it saves the tests: CPU seconds at -O2 and -O1, Zen 3: kernel/cpu/archs.cpp
# 130 and 58, runtime/cuda/program_test.cpp 54 and 40, runtime/cpu/program_test.cpp 45 and 36.
set(quantal_test_optimization $<$<CONFIG:Release>:-O1>)

# The entry point, compiled once.
add_library(test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/main.cpp)
target_compile_features(test_main PUBLIC cxx_std_20)
target_compile_definitions(test_main PUBLIC BOOST_TEST_DYN_LINK
                                     PRIVATE QUANTAL_SOURCES="${PROJECT_SOURCE_DIR}")
target_link_libraries(test_main PUBLIC Boost::unit_test_framework PRIVATE quantal_warnings)

# quantal_test(FOLDER [SOURCES FILES...] [LINK TARGETS...] [REAL LABELS...] [OPTIONS FLAGS...]
#              [NAME NAME])
# One program from FOLDER's *_test.cpp and other FILES. The cases that carry one of the REAL labels
# need real data; each label is an entry of its own, NAME.LABEL, which is skipped where the data is absent.
function(quantal_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME" "LINK;REAL;OPTIONS;SOURCES")
  string(REPLACE / _ name ${folder})
  if(arg_NAME)
    set(name ${arg_NAME})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*_test.cpp)
  if(QUANTAL_SANITIZE) # a sanitizer has an operator new of its own
    list(FILTER sources EXCLUDE REGEX allocation_test)
  endif()
  add_executable(${name}_test ${sources} ${arg_SOURCES})
  target_link_libraries(${name}_test PRIVATE test_main quantal::quantal ${arg_LINK} quantal_warnings)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${name}_test PRIVATE ${quantal_test_optimization} ${arg_OPTIONS})
  set(others ${arg_REAL})
  list(TRANSFORM others PREPEND "--run_test=!@")
  add_test(NAME ${name} COMMAND ${name}_test ${others})
  foreach(label ${arg_REAL})
    add_test(NAME ${name}.${label} COMMAND ${name}_test --run_test=@${label})
    set_tests_properties(${name}.${label} PROPERTIES SKIP_RETURN_CODE ${skipped_exit_code}
                                                     ENVIRONMENT "QUANTAL_DATA=${QUANTAL_TEST_DATA}")
  endforeach()
endfunction()

# quantal_fuzz(NAME [SOURCES FILES...] LINK TARGETS...): NAME_fuzz.cpp and other FILES, run for seconds
# from the files in corpus/NAME.
function(quantal_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK;SOURCES")
  add_executable(${name}_fuzz ${name}_fuzz.cpp ${arg_SOURCES})
  target_link_libraries(${name}_fuzz PRIVATE quantal::quantal ${arg_LINK} quantal_warnings)
  target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  file(GLOB seeds CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}/*)
  if(seeds)
    list(JOIN seeds "," seeds)
    set(seeds -seed_inputs=${seeds})
  endif()
  add_test(NAME fuzz.${name} COMMAND ${name}_fuzz ${seeds} -runs=20000 -seed=20261124
                                     -max_total_time=10 -rss_limit_mb=2048 -verbosity=0)
endfunction()
