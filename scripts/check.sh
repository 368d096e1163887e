#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What `make check` does: build, then every suite, each to its end; the last
# line is the sum: "N passed, N failed".
set -uo pipefail

cd "$(dirname "$0")/.." || exit 2
make=${MAKE:-make}
mkdir -p build
AT_RESULTS=$PWD/build/results
export AT_RESULTS
: >"$AT_RESULTS"

step()
{
	local target=$1 status=0
	shift

	echo "== $target"
	# shellcheck disable=SC2086 # MAKE may be a command and its options
	$make --no-print-directory "$target" "$@" || status=$?
	# A suite that broke before it could count is one failure.
	if [ $status != 0 ] && ! grep -q "^${target#test-} " "$AT_RESULTS"; then
		echo "$target 0 1" >>"$AT_RESULTS"
	fi
	return $status
}

if step all; then
	step lint
	step test-unit
	step fuzz
	step test-e2e
fi
echo "=="
awk '{ passed += $2; failed += $3; printf "%-9s %5d passed, %d failed\n", $1, $2, $3 }
	END { printf "%d passed, %d failed\n", passed, failed
	exit failed > 0 || passed == 0 }' "$AT_RESULTS"
