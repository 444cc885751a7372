#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Cross-builds the libraries that wisp needs on Windows, and the one that its
# unit tests need, from the sources of this Debian (so that apt checks who they
# are from), into the user's cache. The folder is printed.
#
# Nothing of the host is changed: apt has lists and sources of its own here. It
# may be interrupted and run twice at once; a change of this script, or of the
# compiler, makes a new folder.
set -eu

target=x86_64-w64-mingw32
root=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/wisp
here=$(cd "$(dirname "$0")" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

die()
{
	echo "tests/windows/libs.sh: $*" >&2
	exit 1
}

run()
{
	"$@" >"$new/log" 2>&1 || {
		tail -n 20 "$new/log" >&2
		die "$1 failed (see above)"
	}
}

fetch()
{
	mirror=$(apt-get indextargets --no-release-info --format \
		'$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		sed -n "s/^$codename main //p" | sort -u | head -n 1)
	[ -n "$mirror" ] ||
		die "no source of suite '$codename' is known to apt: add one to /etc/apt"
	[ -r "$keyring" ] || die "no $keyring: install debian-archive-keyring"
	mkdir -p "$new/apt/lists/partial" "$new/apt/cache/archives/partial" \
		"$new/apt/parts" "$new/src"
	: >"$new/apt/status"
	echo "deb-src [signed-by=$keyring] $mirror $codename main" \
		>"$new/apt/sources.list"
	# The host's proxies and the like stay; its hooks are not for us.
	cat >"$new/apt/conf" <<END
Dir::State "$new/apt";
Dir::State::status "$new/apt/status";
Dir::Cache "$new/apt/cache";
Dir::Etc::sourcelist "$new/apt/sources.list";
Dir::Etc::sourceparts "$new/apt/parts";
Dir::Etc::preferences "$new/apt/none";
Dir::Etc::preferencesparts "$new/apt/parts";
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
	run apt-get -q -c "$new/apt/conf" update
	cd "$new/src"
	for p in libevent protobuf-c yajl check; do
		run apt-get -q -c "$new/apt/conf" source "$p"
	done
	rm -f ./*.dsc ./*.tar.* ./*.gz
	for p in libevent protobuf-c yajl check; do
		mv "$p"-[0-9]* "$p"
	done
}

flags="-O2 -D__USE_MINGW_ANSI_STDIO=1 -ffunction-sections -fdata-sections"
compile()
{
	# shellcheck disable=SC2086
	$target-gcc $flags -w -c "$@"
}

# Autoconf's tools are not asked for: what they made is newer than its sources.
configure()
{
	cd "$new/src/$1"
	shift
	touch aclocal.m4
	find . -name Makefile.in -o -name configure -o -name '*.h.in' |
		xargs touch -d '+1 second'
	mkdir -p cross
	cd cross
	run ../configure --host=$target --prefix="$new/out" --disable-shared \
		--enable-static "$@" CFLAGS="$flags"
}

# Only the core: no DNS, no HTTP, no buffers.
build_libevent()
{
	configure libevent --disable-openssl --disable-samples \
		--disable-libevent-regress --disable-debug-mode
	run make include/event2/event-config.h
	run make -j"$(nproc)" libevent_core.la
	cp .libs/libevent_core.a "$new/out/lib"
	cp -r ../include/event2 ../include/event.h "$new/out/include"
	cp include/event2/event-config.h "$new/out/include/event2"
}

build_protobuf_c()
{
	cd "$new/src/protobuf-c"
	mkdir -p "$new/out/include/protobuf-c"
	cp protobuf-c/protobuf-c.h "$new/out/include/protobuf-c"
	compile -I. -o protobuf-c.o protobuf-c/protobuf-c.c
	$target-ar qcs "$new/out/lib/libprotobuf-c.a" protobuf-c.o
}

# Its CMakeLists.txt takes any Windows for Microsoft's compiler.
build_yajl()
{
	cd "$new/src/yajl"
	mkdir -p "$new/out/include/yajl"
	cp src/api/*.h "$new/out/include/yajl"
	set -- $(sed -n 's/^SET *(YAJL_\(MAJOR\|MINOR\|MICRO\) \([0-9]*\))/\2/p' \
		CMakeLists.txt)
	sed "s/\${YAJL_MAJOR}/$1/; s/\${YAJL_MINOR}/$2/; s/\${YAJL_MICRO}/$3/" \
		src/api/yajl_version.h.cmake \
		>"$new/out/include/yajl/yajl_version.h"
	for c in src/*.c; do
		compile -I"$new/out/include" -o "${c%.c}.o" "$c"
	done
	$target-ar qcs "$new/out/lib/libyajl.a" src/*.o
}

build_check()
{
	configure check --disable-subunit --disable-build-docs \
		--disable-timeout-tests --enable-fork=no
	run make -C lib -j"$(nproc)"
	run make -C src -j"$(nproc)" libcheck.la
	cp src/.libs/libcheck.a "$new/out/lib"
	cp lib/.libs/libcompat.a "$new/out/lib/libcompat.a"
	cp check_stdint.h "$new/out/include"
	# its functions format as C99 has it, not as Microsoft's library does
	sed 's/CK_ATTRIBUTE_FORMAT(printf,/CK_ATTRIBUTE_FORMAT(gnu_printf,/' \
		src/check.h >"$new/out/include/check.h"
}

command -v $target-gcc >/dev/null ||
	die "no $target-gcc: run tests/windows/deps.sh"
key=$({ cat "$0"; $target-gcc -v 2>&1; } | sha256sum | cut -c 1-16)
cache=$root/windows-$key
mkdir -p "$root"
exec 9>"$root/windows.lock"
flock -w 1800 9 || die "another one has held $root/windows.lock for 30 minutes"
if [ ! -e "$cache/lib" ]; then
	rm -rf "$root"/windows-new.* # of one that was interrupted
	new=$root/windows-new.$$
	mkdir -p "$new/out/lib" "$new/out/include"
	trap 'rm -rf "$new"' EXIT
	trap 'exit 1' HUP INT TERM
	echo "tests/windows/libs.sh: libevent, protobuf-c, yajl, check" >&2
	fetch
	for l in protobuf_c yajl libevent check; do
		build_$l
	done
	rm -rf "$cache"
	mv "$new/out" "$cache"
fi
echo "$cache"
