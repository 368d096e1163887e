#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   scripts/run-unit.sh PROGRAM...      run unit tests, one program after another
set -uo pipefail

# shellcheck source=scripts/results.sh
. "$(dirname "$0")/results.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
export TSAN_OPTIONS=halt_on_error=0:exitcode=66:${TSAN_OPTIONS:-}

# Kernels with much address randomisation upset ThreadSanitizer.
fixed=()
setarch -R true 2>/dev/null && fixed=(setarch -R)

passed=0
failed=0
for program in "$@"; do
	name=${program##*/}
	timeout -k 5 300 "${fixed[@]}" "$program" >"$log" 2>&1
	status=$?
	counts=$(grep 'Synthesis: Tested:' "$log" | tail -n 1 | tr -dc '0-9|')
	IFS='|' read -r tested ok _ <<<"$counts"
	bad=$((${tested:-0} - ${ok:-0}))
	# A program that died, or a test that passed but leaked, is a failure.
	if [ $bad = 0 ] && { [ -z "$counts" ] || [ $status != 0 ] ||
		grep -q 'LeakSanitizer\|ThreadSanitizer' "$log"; }; then
		bad=1
		ok=$((${ok:-1} - 1))
	fi
	passed=$((passed + ${ok:-0}))
	failed=$((failed + bad))
	if [ $bad = 0 ]; then
		report_ok "$name" "$ok tests"
	else
		cat "$log"
		report_bad "$name" "$bad of ${tested:-0}, exit $status"
	fi
done
[ $# -gt 0 ] || echo "  no unit tests yet"
finish unit "$passed" "$failed"
