#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deb.sh TREE VERSION DEB: makes a package of TREE, into which `make install`
# has put what it has with PREFIX=/usr; TREE is changed. The same TREE, on the
# same libraries, gives the same bytes: times are SOURCE_DATE_EPOCH, or that of
# the newest entry of the changelog.
set -eu
tree=$1 version=$2 deb=$3
here=$(dirname "$0")
doc=$tree/usr/share/doc/wisp
LC_ALL=C
export LC_ALL
umask 022

# Those whose code is in the programs: they have no dependencies but these.
libraries="libevent-dev libprotobuf-c-dev libyajl-dev libseccomp-dev libmd-dev
libarchive-dev zlib1g-dev libzstd-dev liblzma-dev libbz2-dev libc6-dev
libgcc-12-dev"

fail() {
	echo "deb.sh: $*" >&2
	exit 1
}

command -v dpkg-deb >/dev/null || fail "there is no dpkg-deb: this needs Debian"
[ "$(sed -n '1s/.*(\(.*\)).*/\1/p' "$here/changelog")" = "$version" ] ||
	fail "the newest entry of packaging/changelog is not for $version"
: "${SOURCE_DATE_EPOCH:=$(date -u +%s -d \
	"$(sed -n '/^ -- .*>  /{s///p;q}' "$here/changelog")")}"
export SOURCE_DATE_EPOCH

built_using=
cp "$here/copyright" "$doc/copyright"
for p in $libraries; do
	of=$(dpkg-query -W -f '${source:Package} (= ${source:Version})' "$p" \
		2>/dev/null) || fail "package $p is not installed: what its" \
		"license says must come along"
	built_using="$built_using${built_using:+, }$of"
	printf '\n---- %s\n\n' "$of" >>"$doc/copyright"
	cat "/usr/share/doc/$p/copyright" >>"$doc/copyright"
done
rm -f "$doc/LICENSE" # Debian has it in common-licenses
gzip -9nc "$here/changelog" >"$doc/changelog.gz"
gzip -9n "$tree"/usr/share/man/man*/*

mkdir -p "$tree/DEBIAN"
(cd "$tree" && find usr -type f -print | sort | xargs -d '\n' md5sum) \
	>"$tree/DEBIAN/md5sums"
cat >"$tree/DEBIAN/control" <<END
Package: wisp
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: $(sed -n '/^ -- \(.*>\)  .*/{s//\1/p;q}' "$here/changelog")
Installed-Size: $(find "$tree/usr" -type f -printf '%s\n' | awk \
	'{ n += int(($1 + 1023) / 1024) } END { print n }')
Recommends: runc | crun, containerd
Suggests: busybox-static
Static-Built-Using: $built_using
Section: admin
Priority: optional
Description: small containerd shim, and a tool that drives shims
 containerd-shim-wisp-v1 is run by containerd beside every container, in place
 of containerd-shim-runc-v2: it supervises the container, owns its stdio, reaps
 its processes, and tells the daemon of its end. It is one process with one
 thread and little memory.
 .
 wispctl runs a container with no daemon, through this shim or another. It
 takes the container's files from busybox-static unless told otherwise.
END
find "$tree" -exec touch -hcd "@$SOURCE_DATE_EPOCH" {} +
find "$tree" -type d -exec chmod 755 {} +
dpkg-deb --root-owner-group -Zxz --build "$tree" "$deb" >/dev/null
echo "$deb"
