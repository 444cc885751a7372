#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh PROGRAM.exe...: runs Windows test programs under Wine, one by one, and
# fails if one does. Wine's home is in the user's cache, or WISP_WINE_HOME; it is
# made once.
set -u

root=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/wisp
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || {
	echo "tests/windows/run.sh: no $wine: run tests/windows/deps.sh wine" >&2
	exit 1
}
version=$("$wine" --version | tr -c 'A-Za-z0-9.\n' _)
export WINEPREFIX="${WISP_WINE_HOME:-$root/$version}" WINEDEBUG="${WINEDEBUG:--all}"
export WINEDLLOVERRIDES='mscoree,mshtml='

reg()
{
	"$wine" reg add "$@" /f </dev/null >/dev/null 2>&1
}

# A new one says that it is Windows 7, and has a debugger that waits for
# somebody to look at a crash.
set_up()
{
	echo "tests/windows/run.sh: a new home for Wine" >&2
	rm -rf "$WINEPREFIX"
	mkdir -p "$WINEPREFIX"
	timeout 300 "$wine" wineboot -i </dev/null >/dev/null 2>&1
	reg 'HKCU\Software\Wine' /v Version /d win10 &&
		reg 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' \
			/v Debugger /d false &&
		touch "$WINEPREFIX/ready"
}

mkdir -p "$root"
exec 9>"$WINEPREFIX.lock"
flock -w 600 9 || exit 1
[ -e "$WINEPREFIX/ready" ] || set_up || {
	echo "tests/windows/run.sh: Wine can't be set up" >&2
	exit 1
}
# Doubles of libraries that Wine has not, which programs load from there.
here=$(cd "$(dirname "$0")/../.." && pwd)
cp "$here/${WISP_OUT:-build/windows}"/double/*.dll "$WINEPREFIX/drive_c/windows/system32/"

# The first program starts services that keep what they inherit, so it is none
# of the tests.
timeout 60 "$wine" cmd /c exit </dev/null >/dev/null 2>&1 9>&-

# Wine shows the root folder as Z:.
WISP_SHIM="Z:$(cd "$(dirname "$0")/../.." && pwd | tr / '\\')"
out=$(printf %s "${WISP_OUT:-build/windows}" | tr / '\\')
WISP_SHIM="$WISP_SHIM\\$out\\containerd-shim-wisp-v1.exe"
export WISP_SHIM

failed=0
for exe; do
	# by a file: what a test leaves behind keeps its stdout open; the longest
	# program takes 80 s on two slow cores that are shared
	timeout --kill-after=5 "${WISP_WINE_SECONDS:-300}" "$wine" "$exe" \
		</dev/null >"$WINEPREFIX/log" 2>&1 9>&-
	status=$?
	cat "$WINEPREFIX/log"
	[ $status = 0 ] && continue
	echo "$exe: failed ($status)" >&2
	failed=1
	/usr/lib/wine/wineserver64 -k # and all that it has left
done
/usr/lib/wine/wineserver64 -k
rm -rf "$WINEPREFIX"/drive_c/users/*/AppData/Local/Temp/wisp-* \
	"$WINEPREFIX"/drive_c/users/*/Temp/wisp-*
exit $failed
