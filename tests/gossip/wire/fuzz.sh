#!/usr/bin/env bash
# Goal: find bytes that break the decoders. Method: decode_fuzz.cpp under libFuzzer with AddressSanitizer and
# UndefinedBehaviorSanitizer, from the corpus beside this script, which it only reads.
#   fuzz.sh SECONDS DIRECTORY          finds: new inputs go to DIRECTORY/corpus, what breaks to DIRECTORY/crash-*
#   fuzz.sh minimise DIRECTORY         replaces the corpus here by the fewest inputs that cover what both cover
# Needs clang-14 and its runtime (libclang-rt-14-dev), protobuf-compiler, libprotobuf-dev. Nothing of a build tree.
set -euo pipefail

usage="usage: fuzz.sh SECONDS|minimise DIRECTORY"
job=${1:?$usage}
mkdir -p "${2:?$usage}"
work=$(cd "$2" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)

# Without -g: clang 14 cannot assemble the coroutines of headers with it. And for their sake the macro, which
# clang 14 does not define although it has what the headers declare.
flags="-std=c++20 -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
    -D__cpp_impl_coroutine=201902L -Wno-everything -I$root -I$work/generated"
sources="arc/arc_set.cpp arc/dht_arc.cpp arc/sector.cpp opstore/base64.cpp opstore/combined_hash.cpp opstore/op_id.cpp
    gossip/wire/codec.cpp gossip/wire/protocol_error.cpp gossip/wire/detail/element_scan.cpp
    gossip/wire/detail/envelope.cpp gossip/wire/detail/field_checks.cpp gossip/wire/detail/from_protobuf.cpp
    gossip/wire/detail/to_protobuf.cpp tests/gossip/wire/decode_fuzz.cpp"

mkdir -p "$work/generated" "$work/corpus"
(cd "$root" && protoc --proto_path=. --cpp_out="$work/generated" gossip/wire/wire.proto)
(cd "$root" && clang++-14 $flags $sources "$work/generated/gossip/wire/wire.pb.cc" -lprotobuf -lfmt -lsodium \
    -o "$work/decode_fuzz")

# Fields of the fuzzer's inputs are small, but messages of 512 sectors have some thousand bytes.
options="-max_len=8192 -timeout=10 -rss_limit_mb=2048 -artifact_prefix=$work/"
if [ "$job" = minimise ]; then
    # What lies in the folder to merge into stays; the golden messages are there for their own sake.
    rm -rf "$work/minimal"
    mkdir "$work/minimal"
    cp "$here"/corpus/golden-* "$work/minimal/"
    # Edges only, not how often each was taken: a fifth of the files for the same code.
    "$work/decode_fuzz" $options -use_counters=0 -set_cover_merge=1 "$work/minimal" "$here/corpus" "$work/corpus"
    rm "$here"/corpus/*
    cp "$work"/minimal/* "$here/corpus/"
else
    "$work/decode_fuzz" $options -max_total_time="$job" -print_final_stats=1 "$work/corpus" "$here/corpus"
fi
