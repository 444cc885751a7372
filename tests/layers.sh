#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may include whom (ARCHITECTURE.md, "Layers"). Prints each violation.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0

# deny FOLDER PATTERN WHY
deny() {
	found=$(grep -rnE --include='*.[ch]' "$2" "$1" 2>/dev/null) || return 0
	printf '%s\n  -> %s: %s\n' "$found" "$1" "$3"
	bad=1
}

inc='#include "'
deny platform "$inc(shim|ttrpc|io|reaper|client|ctl)/" "platform is below all"
deny ttrpc "$inc(shim|io|reaper|client|ctl)/" "ttrpc knows only platform"
deny io "$inc(shim|ttrpc|reaper|client|ctl)/" "io knows only platform"
deny reaper "$inc(shim|ttrpc|io|client|ctl)/" "reaper knows only platform"
deny shim "$inc(client|ctl)/" "the shim is no client"
deny client "$inc(shim|io|reaper|ctl)/" "client uses ttrpc and messages only"
deny ctl "$inc(shim|reaper)/" "wispctl talks to a shim from outside"
for d in platform io reaper; do
	deny $d '#include [<"]protobuf-c|pb-c\.h' "protobuf-c is not used here"
done
for d in platform io reaper ttrpc shim client bench; do
	deny $d '#include <archive' "libarchive is for images, in ctl"
done
for d in platform/linux platform/windows ttrpc io reaper; do
	deny $d '#include <yajl' "yajl is not used here"
done
for d in shim ttrpc io reaper client ctl bench; do
	deny $d '_WIN32|#include <windows' "the system is platform/'s business"
	deny $d '#include "platform/(linux|windows)/' "use platform/*.h"
done
for d in platform ttrpc io reaper client shim bench; do
	deny $d '#include <seccomp' "libseccomp is linked by wispctl only"
done
exit $bad
