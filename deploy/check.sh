#!/usr/bin/env bash
# What the tests cannot read of deploy/, held against the tools that it is for. Prints what holds, and what could not be checked.
#   check.sh [FOLDER]   with accord-node and accord-coordinator in it; if left out they are built (profile dev)
# As root it brings the tools that are missing: Debian's, and Python's of tests/suite/tools.txt. tests/suite/deploy.rs takes a file
# whose path stands here for a checked one.
set -euo pipefail
deploy="$(dirname "$(realpath "$0")")"
cd "$deploy/.."
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
tools="$target/tools"
export PATH="$tools/bin:$tools/usr/bin:$PATH"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
not_checked=()
step() { printf -- '--- %s (%s s)\n' "$*" "$SECONDS"; }
quiet() { "$@" >"$work/said" 2>&1 || { cat "$work/said" && return 1; }; }
# A tool that says anything has found something: systemd-analyze ends well on a misspelt key.
silent() { quiet "$@" && [ ! -s "$work/said" ] || { cat "$work/said" && return 1; }; }

# That a check can fail.
fails() { if "$@" >/dev/null 2>&1; then echo "does not fail: $*" && return 1; fi; }

step "tools"
mkdir -p "$tools"
root=''
if [ "$(id -u)" = 0 ]; then
    root=yes
    quiet apt-get update -qq
    quiet apt-get install -y -qq --no-install-recommends systemd systemd-container debootstrap buildah binutils openssh-client
    # Unpacked, not installed: whoever installs a server starts it.
    for package in prometheus shellcheck; do
        if [ ! -e "$tools/$package.done" ]; then
            (cd "$work" && quiet apt-get download -qq "$package" && dpkg -x "$package"_*.deb "$tools")
            touch "$tools/$package.done"
        fi
    done
    command -v cargo-deb >/dev/null || quiet cargo install cargo-deb --locked --debug --root "$tools"
fi
python="${ACCORD_PYTHON:-$tools/python/bin/python}"
[ -x "$python" ] || quiet python3 -m venv "$tools/python"
quiet "$python" -m pip install --quiet --disable-pip-version-check --requirement tests/suite/tools.txt

step "scripts"
scripts=(packages/build.sh packages/postrm compose/keys.sh airgap/make-bundle.sh airgap/verify-bundle.sh
    check.sh check/package.sh check/inside.sh check/image.sh check/bundle.sh)
for script in "${scripts[@]}"; do "$(sed -n '1s/^#!.*[/ ]//p' "deploy/$script")" -n "deploy/$script"; done
if command -v shellcheck >/dev/null; then
    # SC2015: where A && B || C stands, C is wanted whichever of both fails.
    (cd deploy && shellcheck --exclude=SC2015 "${scripts[@]}" ../.ci/run)
else
    not_checked+=("scripts by shellcheck: it is not here")
fi
programs_of_python=(airgap/sbom.py check/compose.py check/panels.py check/sbom.py)
for program in "${programs_of_python[@]}"; do "$python" -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "deploy/$program"; done

step "units"
if command -v systemd-analyze >/dev/null; then
    system="$work/system/usr/lib/systemd/system"
    mkdir -p "$work/system/usr/bin" "$work/system/etc" "$system" && ln -s usr/lib usr/bin "$work/system/"
    cp -r /lib/systemd/system/. "$system"
    for program in accord-node accord-coordinator sh; do install /bin/true "$work/system/usr/bin/$program"; done
    units=(systemd/accord-node.service systemd/accord-coordinator.service systemd/accord-backup@.service systemd/accord-backup@.timer)
    installed=(accord-node.service accord-coordinator.service accord-backup@node.service accord-backup@coordinator.service
        accord-backup@node.timer accord-backup@coordinator.timer)
    (cd deploy && cp "${units[@]:0:2}" "$system")
    for instance in node coordinator; do
        for kind in service timer; do cp "deploy/systemd/accord-backup@.$kind" "$system/accord-backup@$instance.$kind"; done
    done
    silent systemd-analyze verify --man=no --root="$work/system" "${installed[@]}"
    for drop_in in systemd/drop-ins/10-ip-allow.conf systemd/drop-ins/20-memory.conf; do
        for service in accord-node accord-coordinator; do install -m 644 -D -t "$system/$service.service.d" "deploy/$drop_in"; done
    done
    silent systemd-analyze verify --man=no --root="$work/system" "${installed[@]}"
    for unit in "${installed[@]:0:4}"; do
        quiet systemd-analyze security --offline=yes --threshold=15 --root="$work/system" "$unit"
        tail -n 1 "$work/said"
    done
    # A key that is misspelt, and a sandbox with a hole.
    sed -i 's/^PrivateTmp=/PrivateTemp=/' "$system/accord-node.service"
    fails silent systemd-analyze verify --man=no --root="$work/system" accord-node.service
    sed -i '/^CapabilityBoundingSet=/d;/^SystemCallFilter=/d' "$system/accord-node.service"
    fails quiet systemd-analyze security --offline=yes --threshold=15 --root="$work/system" accord-node.service
else
    not_checked+=("units: systemd-analyze is not here")
fi

step "monitoring"
if command -v promtool >/dev/null; then
    quiet promtool check config deploy/monitoring/prometheus/scrape.yml
    quiet promtool check rules deploy/monitoring/prometheus/rules/accord.yml
    quiet promtool test rules deploy/monitoring/prometheus/rules/accord_test.yml
    # As compose.yaml mounts them.
    mkdir "$work/prometheus" && cp -r deploy/compose/prometheus.yml deploy/monitoring/prometheus/rules "$work/prometheus/"
    quiet promtool check config "$work/prometheus/prometheus.yml"
    "$python" deploy/check/panels.py deploy/monitoring/grafana/accord.json >"$work/panels.json"
    quiet promtool check rules "$work/panels.json"
else
    not_checked+=("rules and panels: promtool is not here")
fi
not_checked+=("how the dashboard looks: that takes Grafana")

step "compose"
"$python" -m check_jsonschema --builtin-schema vendor.compose-spec deploy/compose/compose.yaml >/dev/null
"$python" deploy/check/compose.py deploy/compose/compose.yaml
not_checked+=("compose.yaml running, and compiling in a container: that takes images from a registry")

step "licences and bills of materials"
"$python" deploy/airgap/sbom.py --licences .cargo/deny.toml
for program in accord-node accord-coordinator; do "$python" deploy/airgap/sbom.py "$program" >"$work/$program.cdx.json"; done
"$python" deploy/check/sbom.py "$work/accord-node.cdx.json"
not_checked+=("known weaknesses of what is compiled in: cargo deny check advisories, with its database")

step "programs"
programs="${1:-}"
if [ -z "$programs" ]; then
    cargo build --quiet --locked -p accord-node -p accord-coordinator
    programs="$target/debug"
fi

step "keys of the containers"
if [ -n "$root" ]; then
    mkdir "$work/compose" && cp deploy/compose/keys.sh "$work/compose/"
    ACCORD_COORDINATOR="$(realpath "$programs/accord-coordinator")" quiet "$work/compose/keys.sh"
    "$python" deploy/check/compose.py deploy/compose/compose.yaml "$work/compose/federation"
fi

step "packages, bundle, images"
if [ -n "$root" ]; then
    quiet deploy/packages/build.sh --fast --programs "$programs"
    # Of two ages: what systemd hands over as a credential looks different in both.
    declare -A tried
    for suite in bookworm trixie; do
        deploy/check/package.sh "$target/packed/debian" "$suite" >"$work/$suite" 2>&1 &
        tried[$suite]=$!
    done
    for suite in bookworm trixie; do
        ended=0
        wait "${tried[$suite]}" || ended=$?
        echo "  Debian $suite:" && cat "$work/$suite"
        case "$ended" in
            0) ;;
            2) not_checked+=("packages in a Debian $suite: none can be made or booted here") ;;
            *) exit 1 ;;
        esac
    done
    deploy/check/bundle.sh "$target/packed/debian" "$programs"
    deploy/check/image.sh "$programs"
else
    not_checked+=("packages, bundle and images: that takes root")
fi
# Debian's files, read by the packages that package.sh installs: systemd/accord-node.sysusers systemd/accord-coordinator.sysusers
# systemd/accord-node.tmpfile systemd/accord-coordinator.tmpfile. By image.sh: container/Containerfile. By bundle.sh:
# airgap/INSTALL.txt. By tests/suite/monitoring.rs: monitoring/RUNBOOK.md.

step "done"
printf 'not checked: %s\n' "${not_checked[@]}"
