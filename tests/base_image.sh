#!/usr/bin/env bash
# Makes docker.io/library/python:VERSION-slim available to buildah: base_image.sh VERSION PREFIX
# Pulls it, or, where no registry can be reached, builds a stand-in out of this machine's own files: a shell,
# the core utilities, the libraries that they need, and the Python that is installed below PREFIX. Needs root.
set -euo pipefail
version=$1 prefix=$2
image=docker.io/library/python:$version-slim
export BUILDAH_ISOLATION=chroot

if buildah inspect --type image "$image" >/dev/null 2>&1; then exit; fi
if timeout 20 buildah pull --quiet "$image" >/dev/null 2>&1; then exit; fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{dev,etc/ssl,proc,root,sys,tmp,usr/{bin,lib,lib64,sbin},usr/local/{bin,lib},var/tmp}
chmod 1777 "$root"/{tmp,var/tmp}
for folder in bin lib lib64 sbin; do ln -s "usr/$folder" "$root/$folder"; done

# Python, like the real image without tests and packages other than pip
tar --create --directory "$prefix" --exclude=test --exclude='config-*' --exclude='site-packages/*' \
    "bin/python$version" "lib/python$version" |
    tar --extract --directory "$root/usr/local"
cp --no-dereference "$prefix"/lib/libpython* "$root/usr/local/lib" 2>/dev/null || true
rm -f "$root/usr/local/lib/python$version/EXTERNALLY-MANAGED" "$root"/usr/local/lib/*.a
for name in python3 python; do ln -s "python$version" "$root/usr/local/bin/$name"; done

# Tools, and the libraries that they, Python and compiled packages need
for tool in sh env ls cat cp ln mkdir chmod chown rm install id find ldconfig bwrap; do
    cp --dereference "$(PATH=$PATH:/usr/sbin:/sbin command -v $tool)" "$root/usr/bin/$tool"
done
printf '#!/bin/sh\n' >"$root/usr/bin/apt-get" # what it would install is there
chmod +x "$root/usr/bin/apt-get"
libraries=$(ldconfig -p | awk '/lib(stdc\+\+|gcc_s|m|dl|rt|util|pthread|resolv)\.so/ { print $NF }')
for library in $(find "$root/usr" -type f \( -path '*/bin/*' -o -name '*.so*' \) -exec ldd {} + 2>/dev/null |
    awk '$3 ~ "^/" { print $3 } $1 ~ "^/" && NF == 2 { print $1 }' | sort -u) $libraries; do
    case $library in "$prefix"/* | "$root"/* | *:) ;; *) cp --dereference --parents "$library" "$root" ;; esac
done

grep -E '^(root|nobody):' /etc/passwd >"$root/etc/passwd"
grep -E '^(root|nogroup):' /etc/group >"$root/etc/group"
cp /etc/os-release "$root/etc"
cp --recursive --dereference /etc/ssl/certs "$root/etc/ssl"
cp --dereference --parents /usr/share/zoneinfo/UTC "$root"
printf '/usr/local/lib\n/usr/lib/%s\n' "$(uname -m)-linux-gnu" >"$root/etc/ld.so.conf"
chroot "$root" ldconfig
output=$(chroot "$root" /usr/local/bin/python -m ensurepip --default-pip 2>&1) || { echo "$output"; exit 1; }
chroot "$root" /usr/local/bin/python -c 'import ctypes, sqlite3, ssl'

container=$(buildah from scratch)
buildah copy --quiet "$container" "$root" / >/dev/null
buildah config --cmd python3 --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$container" # Node brings its own, without those
buildah commit --quiet --rm "$container" "$image" >/dev/null
