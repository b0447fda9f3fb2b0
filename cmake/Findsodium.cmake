# Debian's libsodium ships no CMake package: imported target sodium::sodium by pkg-config.
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET GLOBAL libsodium)
if(NOT TARGET sodium::sodium)
    add_library(sodium::sodium ALIAS PkgConfig::sodium)
endif()
