#!/usr/bin/env bash
# Keys, certificates and roster of a trial federation, laid out by who may hold them:
#   federation/offline/         the federation's own: root, CA, the asking authority; no service sees it
#   federation/public/PARTY/    what a service shows to others
#   federation/secret/PARTY/    its keys, mode 0400, of the image's user
#   federation/staff/PARTY/ROLE client files, for people
# Needs accord-coordinator on the PATH (or named by ACCORD_COORDINATOR), and root, because the keys are to belong to 65532.
# Not for production: there each party makes its own keys, and only public parts travel.
set -euo pipefail
cd "$(dirname "$0")"
program="${ACCORD_COORDINATOR:-accord-coordinator}"
user=65532
[ ! -e federation ] || { echo "federation is there already; nothing is overwritten" >&2; exit 1; }

made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
# Every service on a host of its own, named like the service, as in compose.yaml.
"$program" pki development --dir "$made/all" --apart

umask 022
mkdir -p federation/public federation/secret federation/staff
cp -r "$made/all/federation" federation/offline
chmod 700 federation/offline
for home in "$made"/all/*/; do
    party="$(basename "$home")"
    [ "$party" != federation ] || continue
    mkdir -p "federation/public/$party" "federation/secret/$party"
    cp "$home"/keys/*.crt "$home/roster.signed" "$home/root.pub" "federation/public/$party/"
    install -m 0400 -o "$user" -g "$user" "$home"/keys/*.key "federation/secret/$party/"
    cp -r "$home/staff" "federation/staff/$party"
done
chown -R "$user:$user" federation/staff
echo "federation/ is made; keep federation/offline elsewhere"
