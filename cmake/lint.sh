#!/bin/bash
# What a machine can see of docs/style.md. Prints every finding; exit code 1 if there is one.
set -u
cd "$(dirname "$0")/.."
failed=0

complain() {
    echo "lint: $1" >&2
    [ -z "${2:-}" ] || echo "$2" >&2
    failed=1
}

mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp')

badly_formatted=$(clang-format-14 --dry-run "${sources[@]}" 2>&1 | grep -E 'warning: code should be clang-formatted' |
    cut -d: -f1 | sort | uniq -c)
[ -z "$badly_formatted" ] || complain "not formatted (clang-format-14 -i mends it):" "$badly_formatted"

long=$(git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp' '*.sql' '*.md' '*.sh' '*.py' |
    xargs -d '\n' awk 'length > 120 && !/https?:/ && !/^\|/ { print FILENAME ":" FNR }')
[ -z "$long" ] || complain "lines over 120 characters:" "$long"

# g++ 12 miscompiles these inside a coroutine (docs/style.md): a temporary that owns memory, within the full
# expression of a co_await. A named object and std::move are the cure.
traps=$(grep -nE 'co_await[^;]*\(\s*\[[^]&]*[a-z_][^]]*\]|co_await[^;]*[({,]\s*\{\s*\.|co_await[^;]*,\s*\{\s*\}\s*\)' \
    "${sources[@]}" | grep -v 'lint: safe')
[ -z "$traps" ] || complain "a temporary that g++ 12 destroys twice, in a co_await expression:" "$traps"

outside=$(grep -lE '#include <pqxx/' "${sources[@]}" | grep -v '^opstore/postgres/detail/connection\.cpp$')
[ -z "$outside" ] || complain "libpqxx is connection.cpp's alone:" "$outside"

# So is the result of a conditional; over two lines, as it is mostly written.
conditional=$(grep -nE '^\s*[?:] co_await|\? co_await' "${sources[@]}")
[ -z "$conditional" ] || complain "a co_await in ?:, which g++ 12 loses the result of:" "$conditional"

upward=$(grep -nE '#include <(opstore|gossip)/' arc/*.hpp arc/*.cpp
    grep -nE '#include <opstore/(postgres|memory|embedded|plugin|tool)/' opstore/*.hpp opstore/*.cpp
    grep -nE '#include <opstore/(embedded|plugin|tool)/' opstore/postgres/*.?pp opstore/postgres/detail/*.?pp
    grep -nE '#include <gossip/' opstore/*.?pp opstore/{memory,postgres,embedded}/*.?pp
    grep -nE '#include <opstore/(postgres|memory|embedded|plugin|tool)/' \
        gossip/{model,wire,agents,fetch,round,peer,tcp}/*.?pp)
[ -z "$upward" ] || complain "dependencies point downward only:" "$upward"

no_once=$(grep -L '^#pragma once' $(git ls-files --cached --others --exclude-standard '*.hpp'))
[ -z "$no_once" ] || complain "headers without #pragma once:" "$no_once"

uncommented=$(for f in sql/statements/*.sql; do head -n 1 "$f" | grep -q '^-- ' || echo "$f"; done)
[ -z "$uncommented" ] || complain "statements without a header comment:" "$uncommented"

[ $failed = 0 ] && echo "lint: ${#sources[@]} C++ files, no findings"
exit $failed
