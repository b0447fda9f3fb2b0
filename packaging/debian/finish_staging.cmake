# Run by CPack over the staged trees, one a component, before it packs them: what Debian's policy asks of the files of
# a package and an installation elsewhere does not need. Manuals and changelogs are compressed, without a time stamp;
# programs, plugin and libraries hold what their use needs, and neither debug information nor the compiler's name.
set(staged ${CPACK_TEMPORARY_INSTALL_DIRECTORY})

file(GLOB_RECURSE texts ${staged}/*/usr/share/man/*.[18] ${staged}/*/usr/share/doc/*/changelog)
execute_process(COMMAND gzip -9nf ${texts} COMMAND_ERROR_IS_FATAL ANY)

set(comments --remove-section=.comment --remove-section=.note)
file(GLOB_RECURSE libraries ${staged}/*.a)
execute_process(COMMAND strip --strip-debug --enable-deterministic-archives ${comments} ${libraries}
                COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE programs ${staged}/*/usr/bin/* ${staged}/*.so)
execute_process(COMMAND strip --strip-unneeded ${comments} ${programs} COMMAND_ERROR_IS_FATAL ANY)
