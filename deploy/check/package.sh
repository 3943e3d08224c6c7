#!/usr/bin/env bash
# The Debian packages in a clean Debian under a systemd of its own (a container of systemd-nspawn): installed, set up, started in
# the sandbox of their units, backed up, removed. As root: package.sh FOLDER-WITH-DEBS SUITE. Needs debootstrap and systemd-nspawn.
# Ends with 2 where this machine can make or boot no such Debian: then nothing of the packages was looked at.
set -euo pipefail
debs="$(realpath "$1")"
suite="$2"
here="$(dirname "$(realpath "$0")")"
work="$(mktemp -d)"
# In groups of its own, so that nothing of it is left in those of this machine.
groups=()
clean_up() {
    echo $$ | tee /sys/fs/cgroup/systemd/cgroup.procs /sys/fs/cgroup/unified/cgroup.procs >/dev/null 2>&1 || true
    for group in "${groups[@]}"; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -w "$hierarchy/cgroup.procs" ] || continue
    groups+=("$hierarchy/accord-check-$$")
    mkdir "$hierarchy/accord-check-$$" && echo $$ >"$hierarchy/accord-check-$$/cgroup.procs"
done

debootstrap --variant=minbase --include=systemd,systemd-sysv "$suite" "$work/clean" >"$work/log" 2>&1 ||
    { tail "$work/log" && exit 2; }
mkdir "$work/clean/check"
cp "$debs"/*.deb "$here/inside.sh" "$work/clean/check/"
cat >"$work/clean/etc/systemd/system/check.service" <<'UNIT'
[Unit]
SuccessAction=exit
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/bin/bash /check/inside.sh
StandardOutput=file:/check/said
StandardError=inherit
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
UNIT
ln -s /etc/systemd/system/check.service "$work/clean/etc/systemd/system/multi-user.target.wants/"
ended=0
timeout 360 systemd-nspawn --quiet --register=no --keep-unit --private-network --boot --machine="accord-$suite" -D "$work/clean" \
    </dev/null >"$work/log" 2>&1 || ended=$?
[ -s "$work/clean/check/said" ] || { cat "$work/log" && echo "package.sh: it does not boot (systemd-nspawn: $ended)" >&2 && exit 2; }
cat "$work/clean/check/said"
grep -qx 'all of it holds' "$work/clean/check/said" || { echo "package.sh: not all of it holds (systemd-nspawn: $ended)" >&2 && exit 1; }
