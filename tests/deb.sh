#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deb.sh DEB: installs the package on a fresh Debian 12, runs a container with
# it, removes it, and looks for what is left. The system comes from the mirror
# that this machine uses and is kept in the cache; the test is done on top of
# it, in a mount namespace of its own.
set -eu

fail() {
	echo "deb-check: $*" >&2
	exit 1
}

mirror() {
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
		'Identifier: Packages' |
		awk '$1 ~ /^[a-z]+$/ && $2 == "main" { print $3; exit }'
}

# All files but those that dpkg and apt keep for themselves.
files() {
	find "$1" -xdev \( -path "$1/proc" -o -path "$1/sys" -o -path "$1/dev" \
		-o -path "$1/var/lib/dpkg" -o -path "$1/var/log" \
		-o -path "$1/var/lib/apt" -o -path "$1/var/cache" \
		-o -path "$1/etc/ld.so.cache" \) -prune -o -print | sort
}

# In its own mount namespace, on a tmpfs that goes with it.
inside() {
	deb=$1 base=$2 work=$3
	root=$work/root
	mount --make-rprivate /
	mount -t tmpfs -o mode=755 deb-check "$work"
	mkdir "$work/upper" "$work/work" "$root"
	mount -t overlay -o "lowerdir=$base,upperdir=$work/upper,\
workdir=$work/work" overlay "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=755 run "$root/run"
	mount -t tmpfs -o mode=1777 tmp "$root/tmp"
	cp "$deb" "$root/tmp/wisp.deb"
	files "$root" >"$work/before"
	run() {
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root \
			DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
	}

	run apt-get install -q -y --no-install-recommends /tmp/wisp.deb \
		>"$work/log" 2>&1 || { cat "$work/log"; fail "it does not install"; }
	run dpkg --verify wisp | grep . && fail "files differ from md5sums"
	version=$(run dpkg-query -W -f '${Version}' wisp)
	run containerd-shim-wisp-v1 -v | grep -q "Version:  $version\$" ||
		fail "the shim is not version $version"
	said=$(run wispctl run --rm -- sh -c 'echo "hello from $(hostname)"') ||
		fail "wispctl run: status $?"
	case $said in
	"hello from "?*) ;;
	*) fail "wispctl run said '$said'" ;;
	esac
	status=0
	run wispctl run --rm -- sh -c 'exit 7' || status=$?
	[ "$status" = 7 ] || fail "wispctl run: status $status, not 7"
	run find /run/wisp /run/containerd -type f ! -name events.log \
		-o -type s | grep . &&
		fail "wispctl run left something"

	run apt-get remove -q -y wisp >"$work/log" 2>&1 ||
		{ cat "$work/log"; fail "it cannot be removed"; }
	run dpkg-query -W wisp 2>/dev/null | grep . && fail "dpkg still knows it"
	files "$root" >"$work/after"
	diff "$work/before" "$work/after" || fail "files are left, or gone"
	echo "deb-check: wisp $version installs, runs a container, and is gone"
}

if [ "$1" = --inside ]; then
	shift
	inside "$@"
	exit
fi

[ "$(id -u)" = 0 ] || fail "it needs root: it makes containers"
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/wisp
base=$cache/bookworm
mkdir -p "$cache"
exec 9>"$cache/bookworm.lock"
flock 9
if [ ! -d "$base" ]; then
	uri=$(mirror)
	[ -n "$uri" ] || fail "apt has no mirror to make a Debian from"
	echo "deb-check: making a Debian 12 in $base (a minute or two)"
	rm -rf "$base.new"
	debootstrap --variant=minbase --include=runc,busybox-static bookworm \
		"$base.new" "$uri" >"$base.log" 2>&1 ||
		{ tail -n 5 "$base.log"; fail "debootstrap failed"; }
	mv "$base.new" "$base"
fi
flock -u 9
# What it says of a static-pie is not so, it is older than the field, and the
# libraries in the programs are named there: Static-Built-Using.
! command -v lintian >/dev/null ||
	lintian --fail-on error,warning --allow-root --suppress-tags \
		shared-library-lacks-prerequisites,unknown-field,\
embedded-library "$1" ||
	fail "lintian"
work=$(mktemp -d)
status=0
unshare -m sh "$0" --inside "$1" "$base" "$work" || status=$?
rmdir "$work"
exit "$status"
