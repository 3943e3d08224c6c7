#!/usr/bin/env bash
# Everything that a machine without a network needs, in one file: programs, Debian packages, documents, files of deploy/, bills of
# materials, checksums and a signature. The same inputs give the same bytes.
#
#   make-bundle.sh --key KEY --out FOLDER [--debs DIR] [--programs DIR] [--images DIR] [--sources]
#
#   --key       an SSH key that signs (ssh-keygen -t ed25519); its public half goes to the receivers by another way
#   --debs      default target/debian, as deploy/packages/build.sh makes them
#   --programs  default target/release
#   --images    files of images (podman save …), if containers are used
#   --sources   also the source of everything that is compiled in (cargo vendor), to build it again without a network
set -euo pipefail
root="$(realpath "$(dirname "$0")/../..")"
target="${CARGO_TARGET_DIR:-$root/target}"
key='' out='' debs="$target/debian" programs="$target/release" images='' sources=''
while [ $# -gt 0 ]; do
    case "$1" in
    --key) key="$2" && shift ;;
    --out) out="$2" && shift ;;
    --debs) debs="$2" && shift ;;
    --programs) programs="$2" && shift ;;
    --images) images="$2" && shift ;;
    --sources) sources=yes ;;
    *) out='' && break ;;
    esac
    shift
done
[ -n "$key" ] && [ -n "$out" ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2 && exit 2; }

version="$(sed -n '/^version = /{s/^version = "\(.*\)"/\1/p;q}' "$root/Cargo.toml")"
name="accord-$version-$(uname -m)"
epoch="${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
bundle="$work/$name"
umask 022
mkdir -p "$out" "$bundle"/{debs,bin,docs,sbom}
cp "$debs"/accord-{node,coordinator}_*.deb "$bundle/debs/"
cp "$programs"/accord-{node,coordinator} "$bundle/bin/"
[ -z "$images" ] || cp -r "$images" "$bundle/images"
for program in accord-node accord-coordinator; do
    python3 "$root/deploy/airgap/sbom.py" "$program" >"$bundle/sbom/$program.cdx.json"
done
cp "$root/README.md" "$bundle/docs/" && cp "$root/proto/README.md" "$bundle/docs/protocol.md"
# What was committed, and nothing that lies there besides.
git -C "$root" archive --prefix=deploy/ "HEAD:deploy" | tar -x -C "$bundle"
cp "$root/LICENSE" "$root/deploy/airgap/INSTALL.txt" "$root/deploy/airgap/verify-bundle.sh" "$bundle/"
if [ -n "$sources" ]; then
    git -C "$root" archive --prefix=source/ HEAD | tar -x -C "$work"
    (cd "$work/source" && mkdir -p .cargo && cargo vendor --quiet --locked vendor >>.cargo/config.toml)
    tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -C "$work" -cf - source | gzip -n >"$bundle/source.tar.gz"
fi
(cd "$bundle" && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum) >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" "$bundle/"
ssh-keygen -q -Y sign -f "$key" -n accord-bundle "$bundle/SHA256SUMS"
tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -C "$work" -cf "$out/$name.tar" "$name"
sha256sum "$out/$name.tar"
