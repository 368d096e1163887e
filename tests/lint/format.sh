#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The form of the C code is what .clang-format says.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

files=$(files_in "$product demo tests" c h)
[ -n "$files" ] || need core
bad=0
wrong=$(echo "$files" | xargs clang-format --dry-run 2>&1 |
	sed -n 's/^\([^:]*\):.*-Wclang-format-violations.*/\1/p' | sort | uniq -c)
if [ -n "$wrong" ]; then
	echo "to be formatted (clang-format -i):"
	echo "$wrong"
	bad=1
fi
verdict $bad "$(echo "$files" | wc -l) files"
