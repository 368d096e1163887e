#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The shim never calls what it hooks: no object of it may import the name of a
# hook, which the linker would bind to our own.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

need build/libautotrace.so hooks/hooks.def
names=$(hook_names)
bad=0
count=0
while read -r object; do
	count=$((count + 1))
	own=$(comm -12 <(nm -u "$object" | awk '{ print $2 }' | sort -u) \
		<(echo "$names"))
	[ -n "$own" ] || continue
	echo "$object calls what we hook:" $own
	bad=1
done < <(files_in "$(printf 'build/obj/%s ' $shim)" o)
verdict $bad "$count objects"
