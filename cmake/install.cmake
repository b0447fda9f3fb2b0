# What `cmake --install` puts down, in three components (of which packaging/packages.cmake makes Debian packages):
#   runtime      the plugin that a peer node loads
#   development  libraries, headers, the CMake package, pkg-config files, the pages of docs/
#   tools        the programs with their man pages, completions, systemd units and examples
#
# C++ headers go to include/opstore/{arc,opstore,gossip}, which the exported targets and opstore.pc add to the include
# path: a consumer writes <opstore/op_store.hpp> inside and outside of this tree. The plugin's C header goes to
# include/opstore/plugin: a host writes <opstore/plugin/opstore_plugin.h>, here and there, and below /usr needs no flag.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/opstore)
install(DIRECTORY arc opstore gossip DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/opstore COMPONENT development
        FILES_MATCHING PATTERN "*.hpp" PATTERN detail EXCLUDE PATTERN tool EXCLUDE PATTERN simulator EXCLUDE
        PATTERN plugin EXCLUDE)
install(EXPORT opstore_targets NAMESPACE opstore:: DESTINATION ${package_dir} COMPONENT development)
set(plugin_path ${CMAKE_INSTALL_LIBDIR}/opstore/libopstore_postgres.so)
configure_package_config_file(cmake/opstoreConfig.cmake.in ${PROJECT_BINARY_DIR}/opstoreConfig.cmake
                              INSTALL_DESTINATION ${package_dir} PATH_VARS plugin_path)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/opstoreConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/opstoreConfig.cmake ${PROJECT_BINARY_DIR}/opstoreConfigVersion.cmake
              cmake/Findsodium.cmake cmake/Findpqxx.cmake
        DESTINATION ${package_dir} COMPONENT development)

# The .pc files find their prefix from where they lie, so that a tree may be installed anywhere, or moved.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_prefix /prefix/${pc_dir} /prefix)
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
foreach(name opstore opstore-gossip opstore-plugin)
    configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pc_dir} COMPONENT development)
endforeach()

install(FILES opstore/plugin/opstore_plugin.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/opstore/plugin
        COMPONENT development)
# The pages that the header refers to, and all that they refer to.
set(dev_doc_dir ${CMAKE_INSTALL_DATADIR}/doc/libopstore-dev)
file(GLOB pages CONFIGURE_DEPENDS docs/*.md)
install(FILES ${pages} DESTINATION ${dev_doc_dir} COMPONENT development)
install(FILES docs/examples/first_program.cpp docs/examples/peer_host.c
        DESTINATION ${dev_doc_dir}/examples COMPONENT development)
install(TARGETS opstore_plugin LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/opstore COMPONENT runtime)

# ------------------------------------------------------------------------------------------------ tools
set(packaging ${PROJECT_SOURCE_DIR}/packaging)
install(FILES ${packaging}/man/opstore.1 ${packaging}/man/opstore-sim.1
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
install(FILES ${packaging}/man/opstore-peer@.service.8
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT tools)
set(units lib/systemd/system)
install(FILES ${packaging}/systemd/opstore-verify@.timer DESTINATION ${units} COMPONENT tools)
foreach(unit peer verify)
    install(FILES ${packaging}/systemd/10-hardening.conf
            DESTINATION ${units}/opstore-${unit}@.service.d COMPONENT tools)
endforeach()
# A unit names the program by its whole path, because systemd looks into /usr/local first. What that path is, is known
# when it is installed.
install(CODE "
    set(bindir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    foreach(unit peer verify)
        set(file \"\${CMAKE_INSTALL_PREFIX}/${units}/opstore-\${unit}@.service\")
        message(STATUS \"Installing: \$ENV{DESTDIR}\${file}\")
        configure_file(\"${packaging}/systemd/opstore-\${unit}@.service.in\" \"\$ENV{DESTDIR}\${file}\" @ONLY)
        list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${file}\")
    endforeach()"
        COMPONENT tools)
install(FILES ${packaging}/examples/peer.conf
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/opstore-tools/examples COMPONENT tools)

# The program prints its own completions; packaging/completions says the rest. The folders are those in which
# Debian's shells look.
set(completions ${PROJECT_BINARY_DIR}/completions)
set(completion_files)
foreach(shell bash zsh fish)
    add_custom_command(
        OUTPUT ${completions}/opstore.${shell}
        COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:opstore_tool> -D SHELL=${shell}
                -D OUTPUT=${completions}/opstore.${shell} -P ${packaging}/completions/write.cmake
        DEPENDS opstore_tool ${packaging}/completions/write.cmake
        VERBATIM)
    list(APPEND completion_files ${completions}/opstore.${shell})
endforeach()
add_custom_target(opstore_completions ALL DEPENDS ${completion_files})
set(bash_completions ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
set(zsh_completions ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${completions}/opstore.bash DESTINATION ${bash_completions} RENAME opstore COMPONENT tools)
install(FILES ${completions}/opstore.zsh DESTINATION ${zsh_completions} RENAME _opstore COMPONENT tools)
install(FILES ${completions}/opstore.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT tools)
install(FILES ${packaging}/completions/opstore-sim.bash
        DESTINATION ${bash_completions} RENAME opstore-sim COMPONENT tools)
install(FILES ${packaging}/completions/opstore-sim.zsh
        DESTINATION ${zsh_completions} RENAME _opstore-sim COMPONENT tools)
