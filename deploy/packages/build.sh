#!/usr/bin/env bash
# Debian packages of both programs. Needs cargo-deb: cargo install cargo-deb --locked
#   build.sh                         builds the programs and packs them, into target/debian
#   build.sh --fast --programs DIR   packs DIR/accord-node and DIR/accord-coordinator, into target/packed/debian; hardly compressed
set -euo pipefail
cd "$(dirname "$0")/../.."
programs='' fast=()
while [ $# -gt 0 ]; do
    case "$1" in
    --fast) fast=(--fast) ;;
    --programs) programs="$2" && shift ;;
    *) sed -n '2,4s/^# //p' "$0" >&2 && exit 2 ;;
    esac
    shift
done
target="${CARGO_TARGET_DIR:-$PWD/target}"
if [ -z "$programs" ]; then
    cargo build --release --locked -p accord-node -p accord-coordinator
else
    # Beside what was built here for release, not over it.
    target="$target/packed"
    install -D -t "$target/release" "$programs/accord-node" "$programs/accord-coordinator"
fi
export CARGO_TARGET_DIR="$target"
release="$target/release"
for package in accord-node accord-coordinator; do
    made="$release/packaging/$package"
    rm -rf "$made" && mkdir -p "$made/man" "$made/completions"
    "$release/$package" man "$made/man"
    "$release/$package" completion bash >"$made/completions/$package.bash"
    "$release/$package" completion zsh >"$made/completions/_$package"
    "$release/$package" completion fish >"$made/completions/$package.fish"
    cargo deb -p "$package" --no-build "${fast[@]}"
done
