#!/usr/bin/env bash
# Run by package.sh inside the container, as a service. Says what holds; the first thing that does not ends it.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
holds() { printf '  holds: %s\n' "$1"; }
fail() { printf '  DOES NOT HOLD: %s\n' "$*" && journalctl --no-pager -q -n 40 -u 'accord-*' && exit 1; }
trap 'fail "line $LINENO"' ERR
refused() { if "$@" >/dev/null 2>&1; then fail "goes: $*"; fi; }

dpkg -i /check/*.deb >/check/dpkg 2>&1 || { cat /check/dpkg && fail "dpkg -i"; }
getent passwd accord-node accord-coordinator accord-backup >/dev/null
for service in accord-node accord-coordinator; do
    [ "$(systemctl is-enabled $service || true)" = disabled ] || fail "$service is enabled"
    [ "$(systemctl is-active $service || true)" = inactive ] || fail "$service runs"
done
for timer in accord-backup@node accord-backup@coordinator; do
    [ "$(systemctl is-enabled $timer.timer || true)" = disabled ] || fail "$timer is enabled"
done
[ "$(stat -c '%U %a' /etc/accord/node/keys /var/lib/accord-node /var/backups/accord | xargs)" = \
    'root 755 accord-node 700 accord-backup 700' ] || fail "folders are another's"
holds "dpkg -i: users and folders are made, nothing is enabled, nothing runs"

# A service without its keys does not start.
refused systemctl start accord-node
systemctl stop accord-node

accord-coordinator pki development --dir /fed --members AL,BA,ME >/dev/null
for party in coordinator:coordinator al-police:node; do
    from="/fed/${party%:*}" to="/etc/accord/${party#*:}"
    install -m 644 "$from/roster.signed" "$from/root.pub" "$to/"
    install -m 644 "$from"/keys/*.crt "$to/keys/"
    install -m 600 "$from"/keys/*.key "$to/keys/"
    install -m 600 "$from"/staff/operator/* "$to/operator/"
done
systemctl start accord-node accord-coordinator
for name in node coordinator; do
    pid="$(systemctl show -p MainPID --value accord-$name)"
    state="$(cat "/proc/$pid/status")" user="$(id -u "accord-$name")"
    for line in $'Uid:\t'"$user"$'\t'"$user" $'NoNewPrivs:\t1' $'Seccomp:\t2' $'CapEff:\t0000000000000000' $'CapBnd:\t0000000000000000'; do
        grep -qF "$line" <<<"$state" || fail "accord-$name: not $line"
    done
    accord-$name ready --config "/etc/accord/$name/$name.toml" --quiet
    refused setpriv --reuid=accord-$name --clear-groups cat "/etc/accord/$name/keys/tls.key"
done
holds "both start as their own users, in their sandboxes, with keys that they can read as credentials only"

accord-node status --client /fed/al-police/staff/operator/client.toml >/dev/null
accord-coordinator member list --describe --client /fed/coordinator/staff/operator/client.toml >/check/members || [ $? = 3 ]
grep -q 'al-police' /check/members || fail "the coordinator does not know al-police"
holds "people reach both; the coordinator reaches the node"

systemctl reload accord-node accord-coordinator
systemctl is-active --quiet accord-node accord-coordinator
holds "both reload"

# What systemd-run does where there is a bus: the same user, the same credentials.
cat >/run/systemd/system/doctor.service <<'UNIT'
[Service]
Type=oneshot
User=accord-node
LoadCredential=store.key:/etc/accord/node/keys/store.key
LoadCredential=tls.key:/etc/accord/node/keys/tls.key
LoadCredential=seal.key:/etc/accord/node/keys/seal.key
LoadCredential=policy.secret.toml:/etc/accord/node/policy.secret.toml
ExecStart=/usr/bin/accord-node doctor --config /etc/accord/node/node.toml
UNIT
systemctl daemon-reload
systemctl start doctor || { journalctl --no-pager -q -o cat -u doctor && fail "the doctor finds a fault"; }
holds "the doctor finds no fault of a service that runs, as its user"

recipient=age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq8r66x
for name in node coordinator; do
    echo "$recipient" >"/etc/accord/$name/backup.recipients"
    systemctl start "accord-backup@$name.service"
    [ "$(stat -c '%U %a' /var/backups/accord/accord-"$name"-*.age)" = 'accord-backup 600' ] || fail "no backup of the $name"
    refused setpriv --reuid="accord-$name" --clear-groups ls /var/backups/accord
done
grep -lq age-encryption.org /var/backups/accord/*.age
holds "backups are made for a recipient, and the services cannot touch them"

systemctl stop accord-node accord-coordinator
[ "$(systemctl show -p Result --value accord-node accord-coordinator | xargs)" = 'success success' ] || fail "they do not stop well"
sed -i 's/^listen = "127.0.0.1:7201"/listen = "nowhere"/' /etc/accord/node/node.toml
refused systemctl start accord-node
[ "$(systemctl show -p ExecMainStatus --value accord-node)" = 78 ] || fail "it does not end with 78"
[ "$(systemctl show -p SubState --value accord-node)" = failed ] || fail "it is started again and again"
holds "both stop; a wrong configuration ends with 78 and is not tried again"

dpkg --purge accord-node accord-coordinator >/dev/null 2>&1
[ -d /var/lib/accord-node/data ] && [ -f /etc/accord/node/keys/tls.key ] || fail "purging destroys"
holds "dpkg --purge: stores and keys stay"
echo 'all of it holds'
