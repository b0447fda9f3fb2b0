# Debian's libpqxx 6.4 ships no CMake package: imported target pqxx::pqxx by pkg-config. libpq comes along: statements
# go to it (docs/design.md, Packages).
find_package(PkgConfig REQUIRED)
pkg_check_modules(pqxx REQUIRED IMPORTED_TARGET GLOBAL libpqxx>=6.4 libpq)
if(NOT TARGET pqxx::pqxx)
    add_library(pqxx::pqxx ALIAS PkgConfig::pqxx)
endif()
