# Headers go to include/opstore/{arc,opstore,gossip}, which the exported targets add to the include path: a consumer
# writes <opstore/op_store.hpp> inside and outside of this tree.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/opstore)
install(DIRECTORY arc opstore gossip DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/opstore
        FILES_MATCHING PATTERN "*.hpp" PATTERN detail EXCLUDE PATTERN tool EXCLUDE PATTERN simulator EXCLUDE)
install(EXPORT opstore_targets NAMESPACE opstore:: DESTINATION ${package_dir})
configure_package_config_file(cmake/opstoreConfig.cmake.in ${PROJECT_BINARY_DIR}/opstoreConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/opstoreConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/opstoreConfig.cmake ${PROJECT_BINARY_DIR}/opstoreConfigVersion.cmake
              cmake/Findsodium.cmake cmake/Findpqxx.cmake
        DESTINATION ${package_dir})
