# opstore_library(<folder name> [INTERNAL] SOURCES ... PUBLIC_LIBRARIES ... PRIVATE_LIBRARIES ...)
# One static library for one folder: target opstore_<name>, alias opstore::<name>, installed and exported. INTERNAL
# ones are not: programs of this tree alone link them, and their headers stay here too (install.cmake).
function(opstore_library name)
    cmake_parse_arguments(ARG "INTERNAL" "" "SOURCES;PUBLIC_LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
    set(target opstore_${name})
    add_library(${target} STATIC ${ARG_SOURCES})
    add_library(opstore::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_include_directories(${target} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/opstore>)
    target_link_libraries(${target} PUBLIC ${ARG_PUBLIC_LIBRARIES} PRIVATE ${ARG_PRIVATE_LIBRARIES})
    opstore_compile_options(${target})
    if(NOT ARG_INTERNAL)
        install(TARGETS ${target} EXPORT opstore_targets COMPONENT development)
    endif()
endfunction()

# Warnings are errors in our own code, whatever the build type; never in what includes our headers.
function(opstore_compile_options target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                           -Werror)
    if(OPSTORE_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${OPSTORE_SANITIZE} -fno-omit-frame-pointer)
        target_link_options(${target} PRIVATE -fsanitize=${OPSTORE_SANITIZE})
        # The checks that a sanitizer adds make g++ 12 doubt variants that it otherwise sees through.
        target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
        if(OPSTORE_SANITIZE STREQUAL "thread")
            # Asio's fences, which ThreadSanitizer does not model; Asio uses them beside what it does model.
            target_compile_options(${target} PRIVATE -Wno-tsan)
        endif()
    endif()
endfunction()
