#!/usr/bin/env bash
# Builds the wheel, installs it in a fresh virtual environment and tests it there; `ci.sh --long` with Ray,
# and with a larger cluster test. Needs the release build of the command, which it is compared with.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
work=$CARGO_TARGET_DIR/python
python=$work/venv/bin/python

[ -x "$CARGO_TARGET_DIR/release/cdrlake" ] || cargo build --release --locked -p cdrlake-cli
rm -rf "$work/venv" "$work/wheels"
python3 -m venv "$work/venv"
"$python" -m pip install -q -r requirements.txt
"$work/venv/bin/maturin" build --release --locked --out "$work/wheels" --interpreter "$python"
"$python" -m pip install -q "$work"/wheels/cdrlake-*.whl
case ${1:-} in
    --long)
        "$python" -m pip install -q -r requirements-long.txt
        CDRLAKE_LONG=1 "$python" -m pytest -q
        ;;
    *) "$python" -m pytest -q -m "not large" ;;
esac
