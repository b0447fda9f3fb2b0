# `cpack` makes three Debian packages of the components of cmake/install.cmake: libopstore (runtime), libopstore-dev
# (development), opstore-tools (tools). `make package` does so from a build of its own, as Debian builds.
set(packaging ${CMAKE_CURRENT_LIST_DIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME opstore)
set(CPACK_PACKAGE_VENDOR "opstore")
# CPack puts a summary of the whole project before each description, unless it is the one that it makes up itself.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_NAME} built using CMake")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${packaging}/debian/finish_staging.cmake)
# One package a component.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL runtime development tools)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "opstore maintainers <maintainers@opstore.example>")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libopstore)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"op store of a gossip peer on PostgreSQL, as a plugin
The durable memory of a peer of a distributed hash table: ops are stored
once, found by place, time and id, and hashed by time slices so that peers
find out quickly where they differ.

This package has the plugin libopstore_postgres.so, which a peer node
written in any language loads through a C interface.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "opstore-tools, postgresql (>= 14)")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libopstore-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"op store of a gossip peer on PostgreSQL, development files
The durable memory of a peer of a distributed hash table: ops are stored
once, found by place, time and id, and hashed by time slices so that peers
find out quickly where they differ.

This package has the C++20 libraries (static) and headers of the store and
of its gossip, for CMake and pkg-config, and the C header of the plugin.")
string(JOIN ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libboost1.81-dev" "libboost-json1.81-dev" "libfmt-dev" "libpq-dev" "libpqxx-dev (>= 6.4)" "libpqxx-dev (<< 7)"
    "libopstore (= ${PROJECT_VERSION})" "libprotobuf-dev (>= 3.21)" "libsodium-dev" "pkg-config")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "g++ (>= 4:12)")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "cmake (>= 3.25), opstore-tools")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME opstore-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION database)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
"op store of a gossip peer on PostgreSQL, command line and service
The durable memory of a peer of a distributed hash table: ops are stored
once, found by place, time and id, and hashed by time slices so that peers
find out quickly where they differ.

This package has opstore, the command line, which also runs gossip peers;
systemd units for peers over a served database; and opstore-sim, which
simulates whole networks of peers. Without a served database opstore runs a
PostgreSQL server of its own, whose programs are in the recommended package.")
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_TOOLS_PACKAGE_RECOMMENDS "postgresql (>= 14)")
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "bash-completion, git")
foreach(script postinst prerm postrm)
    configure_file(${packaging}/debian/tools.${script} ${PROJECT_BINARY_DIR}/debian/${script} COPYONLY)
    list(APPEND CPACK_DEBIAN_TOOLS_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/${script})
endforeach()

configure_file(${packaging}/debian/changelog.in ${PROJECT_BINARY_DIR}/debian/changelog @ONLY)
foreach(component IN ITEMS RUNTIME DEVELOPMENT TOOLS)
    string(TOLOWER ${component} name)
    install(FILES ${packaging}/debian/copyright ${PROJECT_BINARY_DIR}/debian/changelog
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${component}_PACKAGE_NAME}
            COMPONENT ${name} EXCLUDE_FROM_ALL)
endforeach()

include(CPack)
