#!/usr/bin/env bash
# Builds every fuzz target, with stable Rust, and runs each for some seconds: run.sh [SECONDS] [TARGET...]
# With FUZZ_SEED set, runs repeat as far as the machine's speed lets them. With FUZZ_SANITIZER=address they run
# under AddressSanitizer, which takes nightly Rust.
# What a target finds is written to fuzz/artifacts; move it to fuzz/regressions/TARGET, where tests replay it.
# run.sh merge [TARGET...] adds to the corpus what runs on this machine have learnt: the smallest inputs that
# reach what no other does, whatever the number of times.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-30}
targets=("${@:2}")
if [ ${#targets[@]} = 0 ]; then
    mapfile -t targets < <(basename -a -s .rs targets/*.rs)
fi

# What libFuzzer learns from: which edges are taken, and what is compared with what.
triple=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-../target}/fuzz
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
cargo=(cargo)
if [ -n "${FUZZ_SANITIZER:-}" ]; then
    cargo=(cargo +nightly)
    CARGO_TARGET_DIR+=/$FUZZ_SANITIZER
    RUSTFLAGS+=" -Zsanitizer=$FUZZ_SANITIZER"
    # SQLite has two tables of one name, each for itself.
    export ASAN_OPTIONS=detect_odr_violation=0
fi
"${cargo[@]}" build --release --locked --target "$triple" "${targets[@]/#/--bin=}"

for target in "${targets[@]}"; do
    fuzz="$CARGO_TARGET_DIR/$triple/release/$target"
    grown=corpus.grown/$target
    mkdir -p "$grown" "artifacts/$target"
    options=(-timeout=20 -max_len=8192 -verbosity=0 -artifact_prefix="artifacts/$target/")
    if [ "$seconds" = merge ]; then
        "$fuzz" "${options[@]}" -merge=1 -use_counters=0 "corpus/$target" "$grown"
        continue
    fi
    echo "== $target, $seconds s"
    # What was learnt goes to the first directory; the corpus that is committed stays as it is.
    "$fuzz" "${options[@]}" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -print_final_stats=1 "$grown" "corpus/$target" 2>&1 |
        { grep -v -e '^INFO' -e '^stat::\(new\|slow\|average\)' || true; }
done
