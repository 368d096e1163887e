#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Instruction counts that must not grow unnoticed. They do not depend on the
# machine's load or speed, so a tenth of headroom is enough.
#
#   gates.sh            check against gates.txt; says what grew
#   gates.sh --write    write gates.txt anew, from today's figures
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/bench/cost.inc
. "$here/cost.inc"

gates=$here/gates.txt
writing=
[ "${1:-}" != --write ] || writing=1
failed=0

# write_gate NAME TURNS FIGURE: one line of the new gates.txt, and its parts.
write_gate()
{
	awk -v name="$1" -v figure="$3" 'BEGIN {
		printf "gate %s %d %s\n", name, figure * 1.1 + 0.5, figure }'
	parts_of "$1" "$2" | awk -v name="$1" -v figure="$3" '
		$1 * 500 > figure && $2 !~ /^0x/ { print "part", name, $0 }'
}

# What grew most since gates.txt was written, and by how much.
blame()
{
	parts_of "$1" "$2" | awk -v name="$1" '
		NR == FNR { if ($1 == "part" && $2 == name) old[$4] = $3; next }
		{ printf "%+.1f %s (%s now)\n", $1 - old[$2], $2, $1 }
		' "$gates" - | sort -rg | head -n 5 | sed 's/^/    /'
}

check_gate()
{
	local limit

	limit=$(awk -v name="$1" '$1 == "gate" && $2 == name { print $3 }' \
		"$gates")
	[ -n "$limit" ] || die "no gate for $1 in $gates"
	if awk -v a="$3" -v b="$limit" 'BEGIN { exit !(a <= b) }'; then
		echo "ok      $1: $3 instructions, gate $limit"
		return
	fi
	failed=1
	echo "FAILED  $1: $3 instructions, gate $limit; grown since:"
	blame "$1" "$2"
}

gate()
{
	if [ -n "$writing" ]; then
		write_gate "$@"
	else
		check_gate "$@"
	fi
}

all_gates()
{
	local call figure

	figure=$(cost_start_up) || exit 1
	gate start_up 1 "$figure"
	for call in read write; do
		figure=$(cost_untraced $call) || exit 1
		gate untraced_$call $untraced_turns "$figure"
	done
	figure=$(cost_request request_sampled "${sampled[@]}") || exit 1
	gate request_sampled $request_turns "$figure"
	figure=$(cost_request request_unsampled "${unsampled[@]}") || exit 1
	gate request_unsampled $request_turns "$figure"
	figure=$(cost_tls) || exit 1
	gate tls_request $request_turns "$figure"
}

need_build "$lib" "$empty" "$programs"/cost_{io,http,tls}
open_server
if [ -z "$writing" ]; then
	all_gates
	exit $failed
fi
{
	echo "# gate NAME LIMIT FIGURE, part NAME FIGURE FUNCTION:" \
		"instructions, see gates.sh"
	all_gates
} >"$tmp/gates.txt"
mv "$tmp/gates.txt" "$gates"
