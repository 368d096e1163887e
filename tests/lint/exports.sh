#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What each library exports: the rows of hooks/hooks.def, the names of
# exporter/exporter.map; no less and no more.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

exported()
{
	nm -D --defined-only "$1" | awk '{ print $3 }' | sort -u
}

# compare LIBRARY: expected names on stdin
compare()
{
	local differences

	differences=$(diff <(sort -u) <(exported "$1"))
	[ -n "$differences" ] || return 0
	echo "$1 (< missing, > not meant to be exported):"
	echo "$differences" | grep '^[<>]'
	return 1
}

map_names()
{
	tr -s '{};\n\t ' '\n' <"$1" | awk '
		/^local:/ { exit } /^global:/ { on = 1; next } on && NF'
}

need build/libautotrace.so
bad=0
hook_names | compare build/libautotrace.so || bad=1
if [ -e build/libautotrace-exporter.so ]; then
	map_names exporter/exporter.map |
		compare build/libautotrace-exporter.so || bad=1
fi
verdict $bad "$(hook_names | wc -l) hooks"
