#compdef opstore-sim
# zsh's reader of --help: the program itself says what there is.
_arguments --
