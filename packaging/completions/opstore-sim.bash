# bash-completion's reader of --help: the program itself says what there is.
complete -F _longopt opstore-sim
