#!/usr/bin/env bash
# The bundle for machines without a network: made twice, the same bytes; right as it is; refused when anything in it was changed.
#   bundle.sh FOLDER-WITH-DEBS FOLDER-WITH-PROGRAMS
set -euo pipefail
airgap="$(dirname "$(realpath "$0")")/../airgap"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/other"
for key in key other; do echo "releases $(cat "$work/$key.pub")" >"$work/$key.signers"; done
for time in 1 2; do
    "$airgap/make-bundle.sh" --key "$work/key" --out "$work/$time" --debs "$1" --programs "$2" >/dev/null
done
name="$(basename "$work"/1/*.tar .tar)"
cmp "$work/1/$name.tar" "$work/2/$name.tar"
mkdir "$work/unpacked"
sh "$airgap/verify-bundle.sh" "$work/1/$name.tar" "$work/key.signers" releases "$work/unpacked" >/dev/null
cmp "$2/accord-node" "$work/unpacked/$name/bin/accord-node"

refused() {
    local why="$1" signers="$2"
    if sh "$airgap/verify-bundle.sh" "$work/bad.tar" "$signers" releases >"$work/said" 2>&1; then
        echo "bundle.sh: not refused: $why" >&2 && exit 1
    fi
    grep -q "^REFUSED: .*$why" "$work/said" || { cat "$work/said" && exit 1; }
}
spoilt() {
    tar -C "$work/unpacked" -cf "$work/bad.tar" "$name"
    refused "$1" "$work/key.signers"
}
cp "$work/1/$name.tar" "$work/bad.tar" && refused 'has not signed it' "$work/other.signers"
echo >>"$work/unpacked/$name/INSTALL.txt" && spoilt 'another than was signed'
(cd "$work/unpacked/$name" && sha256sum INSTALL.txt >>SHA256SUMS) && spoilt 'has not signed it'
rm -r "${work:?}/unpacked/$name" && tar -xf "$work/1/$name.tar" -C "$work/unpacked"
echo more >"$work/unpacked/$name/more" && spoilt 'nobody signed'
rm "$work/unpacked/$name/more" && ln -s /etc/passwd "$work/unpacked/$name/more" && spoilt 'no plain file'
echo "  holds: the same inputs give the same bundle; whatever is changed, added or signed by another is refused"
