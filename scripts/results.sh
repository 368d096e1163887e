# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the runners: colours, and the counts that `make check` sums up.

if [ -t 1 ]; then
	green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
	green='' red='' plain=''
fi

# report_ok NAME [DETAIL] and report_bad NAME [DETAIL]: one line each.
report_ok()
{
	printf '  %sok%s    %s%s\n' "$green" "$plain" "$1" "${2:+ ($2)}"
}

report_bad()
{
	printf '  %sFAIL%s  %s%s\n' "$red" "$plain" "$1" "${2:+ ($2)}"
}

# finish SUITE PASSED FAILED: say so, leave the counts for `make check`, exit.
finish()
{
	echo "$1: $2 passed, $3 failed"
	if [ -n "${AT_RESULTS:-}" ]; then
		echo "$1 $2 $3" >>"$AT_RESULTS"
	fi
	[ "$3" = 0 ]
	exit
}
