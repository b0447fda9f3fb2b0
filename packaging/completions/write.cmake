# Writes what `PROGRAM completion SHELL` prints to OUTPUT, as a file that the shell loads when it is first asked.
execute_process(COMMAND ${PROGRAM} completion ${SHELL} OUTPUT_VARIABLE script COMMAND_ERROR_IS_FATAL ANY)
if(SHELL STREQUAL "zsh")
    # zsh calls this file as the function itself: it has to answer the first question, too.
    string(PREPEND script "#compdef opstore\n")
    string(APPEND script "_bash_complete -o default -F _opstore\n")
endif()
file(WRITE ${OUTPUT} "${script}")
