# Sourced by the tests beside it: builds programs outside of this tree against an opstore that was installed from
# $build, with the compiler and the sanitizers of that build, and runs them.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$here/../.." && pwd)

cached() { sed -n "s/^$1:[^=]*=//p" "$build/CMakeCache.txt"; }

sanitize=$(cached OPSTORE_SANITIZE)
sanitize_flags=${sanitize:+-fsanitize=$sanitize}
compiler=$(cached CMAKE_CXX_COMPILER)
launcher=$(cached CMAKE_CXX_COMPILER_LAUNCHER)

# build_by_cmake PREFIX OUTPUT: the project beside this file, by find_package().
build_by_cmake() {
    cmake -S "$here" -B "$2" -G "$(cached CMAKE_GENERATOR)" -Wno-dev \
        -DCMAKE_PREFIX_PATH="$1" -DCMAKE_BUILD_TYPE="$(cached CMAKE_BUILD_TYPE)" \
        -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" \
        -DCMAKE_CXX_FLAGS="$sanitize_flags"
    cmake --build "$2"
}

# build_by_pkg_config PC_DIRECTORY OUTPUT: the same programs, without CMake. Those who know that the libraries are
# static say so; it has to work for the others, too.
build_by_pkg_config() {
    mkdir -p "$2"
    local flags
    flags="-std=c++20 $sanitize_flags"
    $launcher "$compiler" $flags -c "$source_root/docs/examples/first_program.cpp" -o "$2/first_program.o" \
        $(PKG_CONFIG_PATH=$1 pkg-config --cflags opstore)
    "$compiler" $flags "$2/first_program.o" -o "$2/first_program" \
        $(PKG_CONFIG_PATH=$1 pkg-config --libs --static opstore)
    $launcher "$compiler" $flags -c "$here/gossip_peer.cpp" -o "$2/gossip_peer.o" \
        $(PKG_CONFIG_PATH=$1 pkg-config --cflags opstore-gossip)
    "$compiler" $flags "$2/gossip_peer.o" -o "$2/gossip_peer" \
        $(PKG_CONFIG_PATH=$1 pkg-config --libs opstore-gossip)
}

# run_programs OUTPUT: the server is that of $OPSTORE_HOME.
run_programs() {
    "$1/first_program" >"$1/first_program.out"
    grep -qx 'newly stored: 1' "$1/first_program.out"
    "$1/gossip_peer" | grep -q '^was tcp://127.0.0.1:'
}
