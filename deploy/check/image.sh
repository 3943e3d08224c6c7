#!/usr/bin/env bash
# The images of container/Containerfile, packed by buildah from programs that were built already: image.sh FOLDER-WITH-PROGRAMS.
# Does not compile in a container (that takes an image with Rust, from a registry). Programs that need no library are also started.
set -euo pipefail
programs="$(realpath "$1")"
here="$(dirname "$(realpath "$0")")"
work="$(mktemp -d)"
trap 'rm -rf --one-file-system "$work"' EXIT
build() { buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" "$@"; }
mkdir -p "$work/context/out/etc" "$work/context/out/data"
for program in accord-node accord-coordinator; do
    cp "$programs/$program" "$work/context/out/"
    build build --quiet --format docker --isolation chroot -f "$here/../container/Containerfile" --target "$program" \
        --build-context "build=$work/context" -t "$program" "$work/context" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
    rm "$work/context/out/$program"
    config="$(build inspect --type image --format \
        '{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}} {{.Docker.Config.Healthcheck.Test}}' "$program")"
    [ "$config" = "65532:65532 [/usr/bin/$program] [serve] [CMD /usr/bin/$program ready --quiet]" ] ||
        { echo "image.sh: $program: $config" >&2 && exit 1; }
    root="$(build mount "$(build from "$program")")"
    files="$(cd "$root" && find . -type f)"
    [ "$files" = "./usr/bin/$program" ] || { echo "image.sh: $program holds more than its program: $files" >&2 && exit 1; }
    [ "$(stat -c %u "$root/var/lib/accord")" = 65532 ] || { echo "image.sh: $program cannot write its data" >&2 && exit 1; }
    echo "  holds: $program: no shell, no root, its program alone"
    # Not into a pipe: whoever has read enough ends the other one, and that would count as "none".
    libraries="$(ldd "$root/usr/bin/$program" 2>&1 || true)"
    if [[ "$libraries" == *'=>'* ]]; then
        echo "  not tried: $program does not start without libraries; build it with -C target-feature=+crt-static"
    else
        chroot --userspec=65532:65532 "$root" "/usr/bin/$program" --version | sed 's/^/  holds: starts: /'
    fi
done
