#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what `make windows` needs and the machine lacks; `deps.sh wine`: what
# `make check-windows` needs on top of it.
set -eu

packages="gcc-mingw-w64-x86-64-win32 mingw-w64-tools dpkg-dev
protobuf-c-compiler protobuf-compiler libprotobuf-dev"
[ "${1:-}" != wine ] || packages="wine64 wine"

command -v dpkg-query >/dev/null 2>&1 || exit 0 # not Debian
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
