# SPDX-License-Identifier: Apache-2.0
# The install tree and `find_package(quantal [COMPONENTS io data torch])`.

include(CMakePackageConfigHelpers)

install(DIRECTORY include/quantal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(QUANTAL_TORCH)
  install(DIRECTORY adapters/torch/include/quantal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
install(TARGETS ${quantal_components} EXPORT quantalTargets)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quantal)
install(EXPORT quantalTargets NAMESPACE quantal:: DESTINATION ${config_dir})
configure_package_config_file(cmake/quantalConfig.cmake.in quantalConfig.cmake
                              INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(quantalConfigVersion.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/quantalConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/quantalConfigVersion.cmake DESTINATION ${config_dir})
