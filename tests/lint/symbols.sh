#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the libraries ask of the process they are loaded into.  The shim: libc
# and nothing else, no version a 2.17 lacks (unless weak), nothing strong that
# musl lacks, nothing that ends the process.  The exporter: libc, libm, libgcc.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

musl=/usr/lib/$(uname -m)-linux-musl/libc.so

needed()
{
	readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort
}

# Names of the symbols that must exist for the library to load.
strong_undefined()
{
	nm -D --undefined-only "$1" |
		awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | sort -u
}

# Strong version references above GLIBC_2.17.
new_versions()
{
	readelf -VW "$1" | awk '
		/Name: GLIBC_/ && !/Flags: WEAK/ {
			match($0, /GLIBC_[0-9.]+/)
			version = substr($0, RSTART + 6, RLENGTH - 6)
			split(version, part, ".")
			if (part[1] > 2 || part[2] > 17)
				print "GLIBC_" version
		}'
}

# complain TITLE: fail if there is anything on stdin, and show it.
complain()
{
	local text

	text=$(cat)
	[ -n "$text" ] || return 0
	echo "$1:" $text
	bad=1
}

need build/libautotrace.so
if [ ! -e "$musl" ]; then
	echo "musl's libc.so is missing: scripts/deps.sh lint"
	exit 1
fi
bad=0
so=build/libautotrace.so
complain "$so needs" < <(needed $so | grep -vx 'libc\.so\.6')
complain "$so asks for" < <(new_versions $so)
complain "$so imports what musl lacks" < <(comm -23 \
	<(strong_undefined $so) \
	<(nm -D --defined-only "$musl" | awk '{ print $3 }' | sort -u))
forbidden='abort|exit|_exit|_Exit|quick_exit|__assert_fail|__stack_chk_fail'
complain "$so ends the process or formats with a locale by" < <(
	strong_undefined $so | grep -xE "$forbidden|.*printf")
complain "$so has text relocations" < <(readelf -dW $so | grep -o TEXTREL)
so=build/libautotrace-exporter.so
if [ -e $so ]; then
	complain "$so needs" < <(needed $so | grep -vxE \
		'libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|ld-linux.*')
	complain "$so has text relocations" < <(readelf -dW $so |
		grep -o TEXTREL)
	complain "$so looks into the host's environment by" < <(
		strong_undefined $so | grep -E 'getenv|setenv|putenv|environ')
fi
verdict $bad "$(strong_undefined build/libautotrace.so | wc -l) imports"
