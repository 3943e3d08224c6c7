#!/bin/sh
# Is a bundle whole, and from whom it should be? Needs coreutils, tar and ssh-keygen only.
#
#   verify-bundle.sh accord-VERSION.tar allowed_signers SIGNER [FOLDER]
#
# allowed_signers has one line: SIGNER ssh-ed25519 AAAA…, as it came to you by another way than the bundle. Take this script from
# there, too: one that comes out of the bundle says what the bundle wants. With FOLDER, a bundle that is right is unpacked there.
set -eu
[ $# -ge 3 ] || { sed -n '4,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
bundle=$(realpath "$1") signers=$(realpath "$2") signer=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
refuse() { echo "REFUSED: $*" >&2; exit 1; }

# One folder, plain files only: nothing that leads elsewhere.
tar -tvf "$bundle" >"$work/listed" || refuse "it cannot be read"
grep -q '^[^-d]' "$work/listed" && refuse "it holds something that is no plain file"
mkdir "$work/bundle"
tar -x --no-same-owner --no-same-permissions -f "$bundle" -C "$work/bundle"
[ "$(find "$work/bundle" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ] || refuse "it is not one folder"
inside=$(find "$work/bundle" -mindepth 1 -maxdepth 1)
cd "$inside"
[ -f SHA256SUMS ] && [ -f SHA256SUMS.sig ] || refuse "it is not signed"
ssh-keygen -q -Y verify -f "$signers" -I "$signer" -n accord-bundle -s SHA256SUMS.sig <SHA256SUMS >/dev/null ||
    refuse "$signer has not signed it"
sha256sum --quiet --strict -c SHA256SUMS || refuse "a file is another than was signed"
find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig -printf '%P\n' | LC_ALL=C sort >"$work/found"
cut -c 67- SHA256SUMS | LC_ALL=C sort >"$work/signed"
cmp -s "$work/found" "$work/signed" || refuse "it holds a file that nobody signed"
echo "right: $(wc -l <SHA256SUMS) files, signed by $signer"
if [ $# -ge 4 ]; then
    cp -r "$inside" "$4/"
    echo "unpacked: $4/$(basename "$inside")"
fi
