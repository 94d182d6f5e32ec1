# SPDX-License-Identifier: Apache-2.0
# The install tree, which may be moved. `find_package(quantal [COMPONENTS io data torch onnx dispatch cuda])`: the core
# alone needs nothing but threads; a component brings its packages when it is asked for. pkg-config
# knows the core.

include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quantal)
install(DIRECTORY include/quantal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(QUANTAL_TORCH)
  install(DIRECTORY adapters/torch/include/quantal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
if(QUANTAL_ONNX)
  install(DIRECTORY adapters/onnx/include/quantal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
install(TARGETS quantal EXPORT quantalTargets)
install(EXPORT quantalTargets NAMESPACE quantal:: DESTINATION ${config_dir})
set(component_packages)
foreach(name ${quantal_components})
  install(TARGETS quantal_${name} EXPORT quantal_${name})
  install(EXPORT quantal_${name} NAMESPACE quantal:: DESTINATION ${config_dir})
  string(APPEND component_packages "set(quantal_${name}_packages ${quantal_${name}_packages})\n")
endforeach()
configure_package_config_file(cmake/quantalConfig.cmake.in quantalConfig.cmake
                              INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(quantalConfigVersion.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES cmake/FindMatio.cmake ${CMAKE_CURRENT_BINARY_DIR}/quantalConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/quantalConfigVersion.cmake DESTINATION ${config_dir})

file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/quantal.pc.in quantal.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/quantal.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
