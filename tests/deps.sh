#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need and the machine lacks; `deps.sh
# vm`: what tests/vm/ needs on top of it.
set -eu

packages="gcc make libc6-dev pkg-config libevent-dev libprotobuf-c-dev
protobuf-c-compiler protobuf-compiler libprotobuf-dev libyajl-dev
libseccomp-dev libmd-dev libarchive-dev zlib1g-dev libzstd-dev liblzma-dev
libbz2-dev busybox-static runc crun containerd
debootstrap erofs-utils fuse3 fuse-overlayfs xfsprogs uidmap
check clang clang-format clang-tidy libclang-rt-14-dev valgrind strace
python3 python3-pytest python3-pytest-timeout python3-pexpect
python3-protobuf python3-grpcio"
[ "${1:-}" != vm ] || packages="qemu-system-x86 debootstrap e2fsprogs python3"

command -v dpkg-query >/dev/null 2>&1 || exit 0 # not Debian: see README.md
missing=
for p in $packages; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = \
		installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "missing packages; as root: apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing >/dev/null
