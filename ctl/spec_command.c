/* SPDX-License-Identifier: Apache-2.0 */
/* `wispctl spec`: makes a config.json; `wispctl spec check` is check.h's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/check.h"
#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/spec_build.h"
#include "platform/auto.h"

static void help(void)
{
	fputs("Usage: wispctl spec [--os linux|windows] [OPTIONS] [--] "
	      "[COMMAND [ARG...]]\n"
	      "       wispctl spec check [OPTIONS] FILE|BUNDLE|-\n\n"
	      "Prints a container's configuration, an OCI config.json; or says "
	      "what is wrong\nwith one (`wispctl spec check --help`).\n\n"
	      "  -t, --tty           give the container a terminal\n"
	      "  -e, --env K=V       add to the environment; K alone passes "
	      "ours on\n"
	      "  -w, --cwd DIR       working folder (default: /, or C:\\)\n"
	      "  -u, --user USER     UID[:GID[:GID...]]; on Windows a name\n"
	      "  -m, --memory SIZE   limit, in bytes or as 512k, 64m, 2g\n"
	      "      --cpus N        limit, such as 1.5\n"
	      "      --cpu-shares N  weight against others\n"
	      "      --hostname NAME\n"
	      "      --rootfs DIR    (default: rootfs, in the bundle; on "
	      "Windows a volume)\n"
	      "      --mount type=bind,src=PATH,dst=PATH[,options=ro]\n"
	      "      --device DEV    /dev/NAME[:/dev/NAME][:rwm]; on Windows "
	      "class/GUID or\n                      TYPE://ID\n"
	      "      --annotation K=V\n"
	      "\nLinux:\n"
	      "      --network none|host   (default: none)\n"
	      "      --cap-add, --cap-drop NAME|ALL\n"
	      "      --no-new-privileges=false   let setuid programs work\n"
	      "      --read-only     the rootfs\n"
	      "      --seccomp FILE  a profile in the OCI's form\n"
	      "      --sysctl K=V\n"
	      "      --userns CONTAINER:HOST:SIZE   map ids, in a user "
	      "namespace\n"
	      "      --cgroup PATH   or SLICE:PREFIX:NAME, for systemd\n"
	      "      --cpuset LIST   such as 0-3,7\n"
	      "      --pids N        limit\n"
	      "\nWindows (--os windows):\n"
	      "      --layer DIR     of the image, the topmost first; and\n"
	      "      --scratch DIR   the layer that is written to\n"
	      "      --command-line LINE   passed on as it is, instead of a "
	      "command\n"
	      "      --console-size HEIGHTxWIDTH   with -t (default: 25x80)\n"
	      "      --isolation process|hyperv    (default: process)\n"
	      "      --utility-vm DIR              with hyperv\n"
	      "      --host-process  run on the host itself; --inherit-user "
	      "as its user\n"
	      "      --cpu-count, --cpu-maximum N  as Windows has them\n"
	      "      --host-cpus N   that --cpus is a part of (default: this "
	      "host's)\n"
	      "      --iops N, --bps SIZE, --sandbox-size SIZE   of the system "
	      "drive\n"
	      "      --credential-spec file://NAME|raw://JSON\n"
	      "      --credential-spec-dir DIR   where NAME is\n"
	      "      --network container:NAME, --network-namespace ID, "
	      "--endpoint ID,\n"
	      "      --dns-search SUFFIX, --unqualified-dns\n"
	      "\nExit status: 0 it is printed; 125 it could not be made.\n"
	      "\nExamples:\n"
	      "  wispctl spec -m 64m --cpus 1.5 -- sh -c 'echo hello' "
	      ">config.json\n"
	      "  wispctl spec --os windows --layer 'C:\\l1' --scratch 'C:\\s' "
	      "-- cmd /c dir\n",
		stdout);
}

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
		help();
	else if (r == 0)
		r = make(&o, &e);
	spec_options_clear(&o);
	if (r == 0)
		return CTL_OK;
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}
