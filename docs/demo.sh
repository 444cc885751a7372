#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh WISPCTL: one container with no daemon, and what its shim tells.
set -eu
ctl=$1

say() {
	printf '\n$ %s\n' "$*"
}

if [ "$(id -u)" != 0 ]; then
	echo "the demo makes a container: run it as root" >&2
	exit 1
fi
# shellcheck disable=SC2016
script='echo "hello from pid $$ on $(hostname)"; ps; exit 7'
say "wispctl run --rm --events -- sh -c '$script'"
status=0
"$ctl" run --rm --events -- sh -c "$script" || status=$?
echo "exit status: $status"

say "echo some input | wispctl run --rm -i -- tr a-z A-Z"
echo some input | "$ctl" run --rm -i -- tr a-z A-Z
echo
echo "Try a terminal: $ctl run --rm -it -- sh"
[ "$status" = 7 ]
