#!/bin/bash
# Real ops in and out of a real PostgreSQL: the git history that this stands in (or REPO=path), walked the way a
# peer and an operator would. Repeatable: it begins by dropping the space it makes.
set -euo pipefail

opstore=${OPSTORE:-build/opstore}
repository=${REPO:-.}
space=demo

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {
    printf '\033[2m$ opstore --space %s %s\033[0m\n' "$space" "$*"
    "$opstore" --space "$space" "$@"
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

say "A PostgreSQL of our own, made on first use, reached by one Unix socket"
"$opstore" server start
"$opstore" spaces drop $space --yes >/dev/null 2>&1 || true

say "Every commit, tree, blob and tag of $(cd "$repository" && pwd) becomes an op"
run import-git --objects all "$repository"

say "What the space holds now"
run stat

say "A peer that knows nothing follows the pages to the end; each op once, in the order it was stored"
printf '\033[2m$ opstore --space %s --json page --limit-bytes 262144 --all\033[0m\n' $space
"$opstore" --space $space --json page --limit-bytes 262144 --all | python3 -c '
import json, sys
seen = set()
for number, line in enumerate(sys.stdin, 1):
    page = json.loads(line)
    repeated = len(seen.intersection(page["op_ids"]))
    seen.update(page["op_ids"])
    if number <= 5 or page["next_op_bytes"] is None:
        print("page %3d: %6d ops, %7d bytes, %d seen before, next %d" % (
            number, len(page["op_ids"]), page["bytes"], repeated, page["next"]))
    elif number == 6:
        print("...")
print("%d ops in %d pages" % (len(seen), number))'

say "A quarter of the ring only: a peer holds an arc, not all"
"$opstore" --space $space --json page --arc 0..1073741823 --limit-bytes 100000000 |
    python3 -c 'import json, sys; p = json.load(sys.stdin); print("%d ops, %d bytes" % (len(p["op_ids"]), p["bytes"]))'

say "The oldest op, and what was created in the day after it"
run earliest
earliest=$("$opstore" --space $space --json earliest | field created_at)
run slice --from "$earliest" --to $((earliest + 86400000000)) 2>&1 | tail -n 3

say "One op, whole"
first=$("$opstore" --space $space --json page --limit-bytes 100000 | python3 -c '
import json, sys
print(json.load(sys.stdin)["op_ids"][0])')
run get "$first" | cut -c 1-110

say "Disc and rings: a few hashes that stand for everything, which peers compare first"
run summary | cut -c 1-100

say "Are the kept hashes and counters what the ops say? Recomputed from all of them"
run verify

say "The same history again: nothing is stored twice"
run import-git --objects all "$repository"

cat <<TXT

What to try next:
  export PATH=\$PWD/$(dirname "$opstore"):\$PATH
  REPO=/some/other/repository make demo
  echo '{"created_at": 1700000000000000, "payload": "aGVsbG8="}' | opstore ingest -
  opstore --json page --follow          # and in another terminal, ingest
  psql "\$(opstore --json server status | python3 -c 'import json, sys; print(json.load(sys.stdin)["conninfo"])')" \\
      -c 'SELECT * FROM opstore.ops_per_day LIMIT 5'
  opstore server stop
  opstore --help, docs/quickstart.md
TXT
