#!/bin/bash
# Runs SEEDS seeds, from FIRST on, JOBS at a time; prints each that fails with the command that replays it.
# ./gossip/simulator/soak.sh [flags for every run]
set -u
program=${OPSTORE_SIM:-build/opstore-sim}
seeds=${SEEDS:-1000} first=${FIRST:-1} jobs=${JOBS:-$(nproc)}
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT

run_seed() {
    local seed=$1
    shift
    "$program" "$seed" --json "$@" >"$results/$seed.json" 2>"$results/$seed.err"
    local code=$?
    if [ $code != 0 ]; then
        echo "seed $seed failed with exit code $code; replay it with:"
        echo "    $program $seed $*"
        grep -oE '"(converged|lost|invented|missing|violations)":[a-z0-9]+' "$results/$seed.json" | paste -sd' '
        tail -n 3 "$results/$seed.err"
        touch "$results/failed"
    fi
    rm -f "$results/$seed.json" "$results/$seed.err"
}
export -f run_seed
export program results

seq "$first" $((first + seeds - 1)) | xargs -P "$jobs" -I{} bash -c 'run_seed "$@"' soak {} "$@"
[ ! -e "$results/failed" ] || exit 1
echo "soak: seeds $first to $((first + seeds - 1)) converged with nothing lost or invented"
