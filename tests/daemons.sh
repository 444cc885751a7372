#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the daemons that this Debian does not have: newer ones of its own
# mirror, by apt (so that signatures and checksums are checked), and unpacks
# them into a folder of the user's cache, where they are run from. Nothing is
# installed. The folder is printed.
#
#   1.7/  containerd of trixie      2/  containerd and docker of forky
#
# It may be interrupted and run twice at once; what is there is not fetched
# again. To have newer ones, remove the folder.
set -eu

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/wisp/daemons
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# folder, suite, packages; none of them needs more than libc and libsystemd
fetch_all()
{
	fetch 1.7 trixie containerd
	fetch 2 forky containerd docker.io docker-cli tini-static
}

die()
{
	echo "tests/daemons.sh: $*" >&2
	exit 1
}

# The mirror is where apt has this Debian from, in whatever format that is
# written down.
mirror()
{
	apt-get indextargets --no-release-info --format \
		'$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		sed -n "s/^$1 main //p" | sort -u | head -n 1
}

configure()
{
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	mirror=$(mirror "$codename")
	[ -n "$mirror" ] ||
		die "no source of suite '$codename' is known to apt: add one to /etc/apt"
	[ -r "$keyring" ] || die "no $keyring: install debian-archive-keyring"
	mkdir -p "$new/apt/lists/partial" "$new/apt/cache/archives/partial" \
		"$new/apt/parts"
	: >"$new/apt/status"
	for s in trixie forky; do
		echo "deb [signed-by=$keyring] $mirror $s main"
	done >"$new/apt/sources.list"
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
	folder=$1 suite=$2
	shift 2
	[ -e "$cache/$folder/packages" ] &&
		[ "$(cat "$cache/$folder/packages")" = "$suite $*" ] && return
	command -v apt-get >/dev/null || die "no apt-get: fill $cache/$folder" \
		"with $* (usr/bin/containerd, usr/sbin/dockerd, ...) yourself"
	[ -e "$new/apt/conf" ] || configure
	echo "tests/daemons.sh: fetching $* of $suite" >&2
	mkdir "$new/debs" "$new/$folder"
	for p in "$@"; do
		echo "$p/$suite"
	done >"$new/names"
	(cd "$new/debs" && run xargs apt-get -q -c "$new/apt/conf" download \
		<"$new/names")
	for deb in "$new/debs"/*.deb; do
		run dpkg-deb -x "$deb" "$new/$folder"
	done
	echo "$suite $*" >"$new/$folder/packages"
	rm -rf "${cache:?}/$folder"
	mv "$new/$folder" "$cache/$folder"
	rm -rf "$new/debs"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock -w 900 9 || die "another one has held $cache/lock for 15 minutes"
rm -rf "$cache"/new.* # of one that was interrupted
new=$cache/new.$$
mkdir "$new"
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
fetch_all
echo "$cache"
