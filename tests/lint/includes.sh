#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Who may include whom: a file includes its own folder or a lower rank, and of
# another folder than core only the door header (folder/folder.h).  The pure
# folders have no I/O, allocation, clock or thread to include.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

files=$(files_in "$product demo tests" c h S def)
[ -n "$files" ] || need core

# shellcheck disable=SC2086 # no spaces in our names
awk '
BEGIN {
	rank["core"] = 0
	rank["protocol"] = rank["propagator"] = rank["sampler"] = 1
	rank["tracer"] = rank["exporter"] = 2
	rank["hooks"] = 3
	rank["preload"] = rank["cli"] = rank["demo"] = rank["tests"] = 4
	pure["protocol"] = pure["propagator"] = pure["sampler"] = 1
}
function bad(why) {
	printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0
	failed = 1
}
FNR == 1 { split(FILENAME, path, "/"); own = path[1] }
/^[ \t]*#[ \t]*include[ \t]*</ && pure[own] &&
/<(stdio|stdlib|unistd|time|fcntl|pthread|malloc|poll|dlfcn)\.h>|<sys\/(socket|mman|stat|time|uio)\.h>/ {
	bad("a pure folder cannot need this")
}
!/^[ \t]*#[ \t]*include[ \t]*"/ { next }
{
	count++
	split($0, quoted, "\"")
	parts = split(quoted[2], path, "/")
	other = path[1]
	if (parts == 1 || other == own || own == "tests")
		next
	if (!(other in rank)) { bad("unknown folder"); next }
	if (rank[other] >= rank[own]) { bad("not of a lower rank"); next }
	if (other != "core" && quoted[2] != other "/" other ".h")
		bad("not the door " other "/" other ".h")
}
END { if (!failed) print count + 0 " includes"; exit failed }' $files
