#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   scripts/run-fuzz.sh SECONDS PROGRAM...
#
# Each program replays tests/fuzz/corpus/NAME, then goes on for SECONDS, or for
# FUZZ_LONG_SECONDS if FUZZ_LONG names it; those begin first.  What
# it discovers is kept in build/fuzz-found/NAME, inputs that break it in
# build/fuzz-found/NAME.crash-*.
set -uo pipefail

# shellcheck source=scripts/results.sh
. "$(dirname "$0")/results.sh"

found=build/fuzz-found

fuzz_one()
{
	local seconds=$1 program=$2 name log runs
	local -a options

	name=${program##*/fuzz_}
	log=$found/$name.log
	[[ " ${FUZZ_LONG:-} " != *" $name "* ]] || seconds=$FUZZ_LONG_SECONDS
	mkdir -p "$found/$name"
	options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048
		-print_final_stats=1 -artifact_prefix="$found/$name.")
	[ ! -e "tests/fuzz/$name.dict" ] ||
		options+=(-dict="tests/fuzz/$name.dict")
	options+=("$found/$name")
	[ ! -d "tests/fuzz/corpus/$name" ] ||
		options+=("tests/fuzz/corpus/$name")
	if "$program" "${options[@]}" >"$log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
		report_ok "fuzz_$name" "$runs runs in $seconds s"
		return 0
	fi
	tail -n 60 "$log"
	report_bad "fuzz_$name" "log: $log"
	echo 1 >"$found/$name.failed"
}

if [ "${1:-}" = --one ]; then
	fuzz_one "$2" "$3"
	exit 0
fi
seconds=$1
shift
mkdir -p "$found"
rm -f "$found"/*.failed
long=()
short=()
for program; do
	if [[ " ${FUZZ_LONG:-} " == *" ${program##*/fuzz_} "* ]]; then
		long+=("$program")
	else
		short+=("$program")
	fi
done
printf '%s\0' "${long[@]}" "${short[@]}" |
	xargs -0 -r -n1 -P"${JOBS:-2}" "$0" --one "$seconds"
failed=$(find "$found" -name '*.failed' | wc -l)
[ $# -gt 0 ] || echo "  no fuzz targets yet"
finish fuzz $(($# - failed)) "$failed"
