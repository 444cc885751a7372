/* SPDX-License-Identifier: Apache-2.0 */
/* `wispctl spec`: makes a config.json; `wispctl spec check` is check.h's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/spec/check.h"
#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/spec/spec_build.h"
#include "platform/auto.h"

static const char help[] =
	"Usage: wispctl spec [--os linux|windows] [OPTIONS] [--] "
	"[COMMAND [ARG...]]\n"
	"       wispctl spec check [OPTIONS] FILE|BUNDLE|-\n"
	"\n"
	"Prints a container's configuration, an OCI config.json; or says "
	"what is wrong\n"
	"with one.\n"
	"\n"
	"Commands:\n"
	"  check      say what is wrong with a configuration, and where\n"
	"\n"
	"Options:\n"
	"      --os OS               linux (default) or windows\n"
	"  -t, --tty                 give the container a terminal\n"
	"  -e, --env K=V             add to the environment; K alone "
	"passes ours on\n"
	"  -w, --cwd DIR             working folder (default: /, or "
	"C:\\)\n"
	"  -u, --user USER           UID[:GID[:GID...]]; on Windows a "
	"name\n"
	"  -m, --memory SIZE         limit, in bytes or as 512k, 64m, "
	"2g\n"
	"      --cpus N              limit, such as 1.5\n"
	"      --cpu-shares N        weight against others\n"
	"      --hostname NAME\n"
	"      --rootfs DIR          (default: rootfs, in the bundle; on "
	"Windows none)\n"
	"      --mount MOUNT         "
	"type=bind,src=PATH,dst=PATH[,options=ro]\n"
	"      --network NETWORK     none (default) or host; on Windows "
	"container:NAME\n"
	"      --device DEVICE       /dev/NAME[:/dev/NAME][:rwm]; on "
	"Windows class/GUID\n"
	"                            or TYPE://ID\n"
	"      --annotation K=V\n"
	"\n"
	"Linux:\n"
	"      --cap-add NAME        or ALL\n"
	"      --cap-drop NAME       or ALL\n"
	"      --no-new-privileges   as it is anyway; =false lets setuid "
	"programs work\n"
	"      --read-only           the rootfs\n"
	"      --seccomp FILE        a profile, the OCI's form or "
	"Docker's\n"
	"      --sysctl K=V\n"
	"      --userns MAP          CONTAINER:HOST:SIZE: map ids, in a "
	"user namespace\n"
	"      --cgroup PATH         or SLICE:PREFIX:NAME, for systemd\n"
	"      --cpuset LIST         such as 0-3,7\n"
	"      --pids N              limit of processes and threads\n"
	"\n"
	"Windows:\n"
	"      --layer DIR           of the image; give all, the topmost "
	"first\n"
	"      --scratch DIR         the layer that is written to\n"
	"      --command-line LINE   passed on as it is, instead of "
	"COMMAND\n"
	"      --console-size SIZE   HEIGHTxWIDTH, with -t (default: "
	"25x80)\n"
	"      --isolation HOW       process (default) or hyperv\n"
	"      --utility-vm DIR      with hyperv\n"
	"      --host-process        run on the host itself\n"
	"      --inherit-user        with --host-process: as the shim's "
	"user\n"
	"      --cpu-count N         processors\n"
	"      --cpu-maximum N       of all processors' time, in "
	"1/10000\n"
	"      --host-cpus N         that --cpus is a part of (default: "
	"this host's)\n"
	"      --iops N              limit of the system drive\n"
	"      --bps SIZE            likewise, in a second\n"
	"      --sandbox-size SIZE   of the system drive, at least\n"
	"      --credential-spec SPEC      file://NAME or raw://JSON\n"
	"      --credential-spec-dir DIR   where NAME is\n"
	"      --endpoint ENDPOINT   of the network; may be given again\n"
	"      --network-namespace NAMESPACE\n"
	"      --dns-search SUFFIX   may be given again\n"
	"      --unqualified-dns     look up names without a dot\n"
	"\n"
	"Exit status: 0 it is printed; 125 it could not be made.\n"
	"\n"
	"Examples:\n"
	"  wispctl spec -m 64m --cpus 1.5 -- sh -c 'echo hello' "
	">config.json\n"
	"  wispctl spec --os windows --layer 'C:\\l1' --scratch 'C:\\s' "
	"-- cmd /c dir\n";

static int make(struct spec_options *o, struct err *e)
{
	auto_free char *text = NULL;
	int r = o->windows ? spec_build_windows(o, &text, e)
			   : spec_build_linux(o, &text, e);

	if (r < 0)
		return r;
	errno = 0;
	if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
		return err_sys(e, errno ? -errno : -EIO, "write config.json");
	return 0;
}

int ctl_spec(int argc, char **argv)
{
	struct spec_options o;
	struct err e = {0};
	int r;

	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return check_command(argc - 1, argv + 1);
	r = spec_options_parse(&o, argc, argv, &e);
	if (r == 0 && o.help)
		fputs(help, stdout);
	else if (r == 0)
		r = make(&o, &e);
	spec_options_clear(&o);
	if (r == 0)
		return CTL_OK;
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}
