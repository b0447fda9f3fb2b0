#!/usr/bin/env python3
"""Goal: manuals, completions and units know the commands and options of the programs, and no other. Method: ask
the programs for their help, command by command, and compare with what an unpacked package says.
    manual_test.py ROOT
"""
import gzip
import re
import subprocess
import sys
from pathlib import Path

root = Path(sys.argv[1])
failures = []


def expect_equal(what, found, wanted):
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    if missing or extra:
        failures.append(f"{what}: lacks {missing}, and the program does not know {extra}")


def ask(*words):
    return subprocess.run([root / "usr/bin" / words[0], *words[1:], "--help"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def options_of(help_text):
    return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", help_text, re.MULTILINE))


def commands_of(help_text):
    listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", help_text, re.MULTILINE)
    return re.findall(r"^  ([a-z-]+)", listed[1], re.MULTILINE) if listed else []


def values_of(help_text):
    """Words that an option or argument may be, written {a,b} or a|b."""
    choices = re.findall(r":\{([a-z,0-9]+)\}", help_text)
    choices += re.findall(r"^  --[a-z-]+ ([a-z0-9]+(?:\|[a-z0-9]+)+)$|^  --[a-z-]+ ([a-z0-9]+(?:\|[a-z0-9]+)+) ",
                          help_text, re.MULTILINE)
    return {word for choice in choices for text in ([choice] if isinstance(choice, str) else choice)
            for word in re.split(r"[,|]", text) if word}


def argument_choices_of(help_text):
    listed = re.search(r"^Positionals:\n((?:  .*\n)+)", help_text, re.MULTILINE)
    return values_of(listed[1]) if listed else set()


def option_choices_of(help_text):
    """What may stand behind each option that takes a value; nothing if it is not a choice."""
    options = re.findall(r"^  (--[a-z-]+) (?:[A-Z]+:\{([a-z,]+)\}|[A-Z])", help_text, re.MULTILINE)
    return {option: set(choices.split(",")) - {""} for option, choices in options}


def help_tree(program):
    """The help of every command, by its words; that of the program itself by ()."""
    texts = {}

    def descend(*words):
        texts[words] = ask(program, *words)
        for command in commands_of(texts[words]):
            descend(*words, command)

    descend()
    return texts


def read_manual(name):
    return gzip.open(root / "usr/share/man" / name, "rt").read()


def options_in(mdoc):
    return set("--" + name for name in re.findall(r"\bFl Fl ([a-z-]+)", mdoc))


def parts_of(manual):
    """The text about each command, by its words, from mdoc: an item `.It Cm WORDS ...` up to the next one."""
    parts = {}
    for part in re.split(r"^(?=\.It Cm |\.Sh )", manual, flags=re.MULTILINE):
        first = part.split("\n", 1)[0]
        if first.startswith(".It Cm "):
            for words in re.findall(r"(?:Cm|,) ((?:[a-z-]+ ?)+)", first):
                parts[tuple(words.split())] = part
    return parts


def check_values(what, part, help_text):
    literals = re.findall(r"^\.(?:Ql|It Fl Fl \S+ Cm) (.*)$", part, re.MULTILINE)
    said = set(re.findall(r"[a-z0-9]+", " ".join(literals)))
    if lacking := values_of(help_text) - said:
        failures.append(f"{what}: does not tell the values {sorted(lacking)}")


def check_opstore_manual(tree):
    manual = read_manual("man1/opstore.1.gz")
    # A command that does nothing without a subcommand has no part of its own.
    wanted = {words for words, text in tree.items() if words and "SUBCOMMAND" not in text.split("Options:")[0]
              or words == ("spaces",)}
    parts = parts_of(manual)
    expect_equal("opstore(1), commands", set(parts), wanted)
    for words in wanted & set(parts):
        what = "opstore(1), " + " ".join(words)
        synopsis, text = parts[words].split("\n", 1)
        options = options_of(tree[words]) - {"--help"}
        explained = set("--" + name for name in re.findall(r"^\.It Fl Fl ([a-z-]+)", text, re.MULTILINE))
        if "Op Ar options" not in synopsis:
            expect_equal(what + ", synopsis", options_in(synopsis), options)
        if explained or "Op Ar options" in synopsis:
            expect_equal(what + ", explained", explained, options)
        check_values(what, parts[words], tree[words])
    globals_ = re.search(r"^\.Ss Global options\n(.*?)^\.Ss ", manual, re.MULTILINE | re.DOTALL)[1]
    expect_equal("opstore(1), global options", options_in(globals_), options_of(tree[()]))


def check_simulator_manual():
    manual, text = read_manual("man1/opstore-sim.1.gz"), ask("opstore-sim")
    expect_equal("opstore-sim(1)", options_in(manual), options_of(text))
    check_values("opstore-sim(1)", manual, text)


def check_shell_completion(tree, shell, preamble):
    """Calls the function that the file defines, as the shell would at the end of a line."""
    wanted = {words: options_of(text) | set(commands_of(text)) | argument_choices_of(text)
              for words, text in tree.items()}
    for words, text in tree.items():
        wanted |= {(*words, option): choices for option, choices in option_choices_of(text).items()}
    script = preamble + "".join(
        f"COMP_WORDS=(opstore --space peer {' '.join(words)} ''); COMP_CWORD={len(words) + 3}\n"
        '_opstore; echo "${COMPREPLY[*]}"\n'
        for words in wanted)
    answers = subprocess.run([*shell, "-c", script], check=True, text=True, stdout=subprocess.PIPE).stdout
    for (words, offers), answer in zip(wanted.items(), answers.splitlines(), strict=True):
        expect_equal(f"{shell[0]} completion of " + " ".join(("opstore", *words)), set(answer.split()), offers)


def check_bash_completion(tree):
    file = root / "usr/share/bash-completion/completions/opstore"
    check_shell_completion(tree, ["bash", "-u"], f"source '{file}'\n")


def check_zsh_completion(tree):
    file = root / "usr/share/zsh/vendor-completions/_opstore"
    # Without its last line, which answers the first question and can do so only if there is one.
    check_shell_completion(tree, ["zsh", "-f"], f"""
        autoload -U compinit && compinit -D -u
        source <(sed '$d' '{file}')
        emulate sh; setopt ksharrays
        """)


def check_simulator_completion():
    """bash-completion reads the program's help itself."""
    script = f"""
        source /usr/share/bash-completion/bash_completion
        source '{root}/usr/share/bash-completion/completions/opstore-sim'
        complete -p opstore-sim | grep -q _longopt
        COMP_WORDS=('{root}/usr/bin/opstore-sim' --); COMP_CWORD=1; COMP_LINE="${{COMP_WORDS[*]}}"
        COMP_POINT=${{#COMP_LINE}}
        _longopt '{root}/usr/bin/opstore-sim' -- 2>/dev/null
        echo "${{COMPREPLY[*]}}" """
    answer = subprocess.run(["bash", "-c", script], text=True, stdout=subprocess.PIPE).stdout
    expect_equal("bash completion of opstore-sim", {word.rstrip("=") for word in answer.split()},
                 options_of(ask("opstore-sim")))


def check_fish_completion(tree):
    text = (root / "usr/share/fish/vendor_completions.d/opstore.fish").read_text()
    found = {}
    for where, what in re.findall(r"^complete -c opstore -n '(.*?)' -[la] ([a-z-]+)", text, re.MULTILINE):
        words = re.findall(r"__fish_seen_subcommand_from ([a-z-]+)", where)
        found.setdefault(tuple(words), set()).add(what)
    for words in tree:
        wanted = {option[2:] for option in options_of(tree[words])} | set(commands_of(tree[words]))
        expect_equal("fish completion of " + " ".join(("opstore", *words)), found[words], wanted)


def check_units(tree):
    """What the units and the example of a configuration say to the program."""
    units = root / "usr/lib/systemd/system"
    text = "".join(file.read_text() for file in sorted(units.glob("opstore-*@.service")))
    lines = re.findall(r"^ExecStart=/usr/bin/opstore (.*)$", text, re.MULTILINE)
    if len(lines) != text.count("ExecStart="):
        failures.append("a unit runs another program than /usr/bin/opstore")
    example = (root / "usr/share/doc/opstore-tools/examples/peer.conf").read_text()
    lines.append("peer " + " ".join(re.findall(r"^#PEER_OPTIONS=(.*)$", example, re.MULTILINE)))
    lines.append(" ".join(re.findall(r"^#OPSTORE_OPTIONS=(.*)$", example, re.MULTILINE)) + " verify")
    for line in lines:
        command = next(word for word in line.split() if (word,) in tree)
        before, behind = line.split(command, 1)
        for words, options in (((), before), ((command,), behind)):
            unknown = set(re.findall(r"--[a-z-]+", options)) - options_of(tree[words])
            if unknown:
                failures.append(f"opstore {line}: the program does not know {sorted(unknown)}")


tree = help_tree("opstore")
check_opstore_manual(tree)
check_simulator_manual()
check_bash_completion(tree)
check_zsh_completion(tree)
check_simulator_completion()
check_fish_completion(tree)
check_units(tree)
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(1 if failures else 0)
