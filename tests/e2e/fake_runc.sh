#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A runtime with faults. It lies in a folder of the test's (see runtime.py)
# and passes every call on to the real runc, but first sources "before-SUB"
# and afterwards "after-SUB" if the folder has them (SUB: create, exec, ...).
# Such a snippet may use $sub, $id, $log, $pid_file, $root, $bundle, $console,
# $work and $image, sleep, print garbage, or exit. Each call is a line in "calls".
here=$(dirname "$0")
sub= id= log= pid_file= root= bundle= console= work= image= value=
for arg in "$@"; do
	case $value in
	log) log=$arg ;;
	pid-file) pid_file=$arg ;;
	root) root=$arg ;;
	bundle) bundle=$arg ;;
	console-socket) console=$arg ;;
	work-path) work=$arg ;;
	image-path) image=$arg ;;
	esac
	if [ -n "$value" ]; then
		value=
		continue
	fi
	case $arg in
	--log=*) log=${arg#*=} ;;
	--pid-file=*) pid_file=${arg#*=} ;;
	--log | --pid-file | --root | --bundle | --console-socket | \
	--image-path | --work-path) value=${arg#--} ;;
	--log-format | --process | --format | --resources | --parent-path | \
	--manage-cgroups-mode | --empty-ns) value=other ;;
	-*) ;;
	*) if [ -z "$sub" ]; then sub=$arg
	   elif [ -z "$id" ]; then id=$arg; fi ;;
	esac
done
echo "$sub $id: $*" >>"$here/calls"
if [ -e "$here/before-$sub" ]; then . "$here/before-$sub"; fi
[ -e "$here/after-$sub" ] || exec runc "$@"
runc "$@"
code=$?
. "$here/after-$sub"
exit $code
