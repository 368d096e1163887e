#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   scripts/lint.sh [NAME...]           run tests/lint/NAME.sh, default all
set -uo pipefail

cd "$(dirname "$0")/.." || exit 2
# shellcheck source=scripts/results.sh
. scripts/results.sh

lint_one()
{
	local script=$1 name out status=0 start

	name=$(basename "$script" .sh)
	start=$(date +%s%N)
	out=$("$script" 2>&1) || status=$?
	start=$((($(date +%s%N) - start) / 1000000))
	if [ $status = 0 ]; then
		report_ok "$name" "${out##*$'\n'}, $start ms"
		return
	fi
	printf '%s\n' "$out" "$(report_bad "$name")"
	echo "$name" >>"$results"
}

if [ "${1:-}" = --one ]; then
	results=$2
	lint_one "$3"
	exit 0
fi

results=$(mktemp)
trap 'rm -f "$results"' EXIT
scripts=(tests/lint/*.sh)
if [ $# -gt 0 ]; then
	scripts=("${@/#/tests/lint/}")
	scripts=("${scripts[@]/%/.sh}")
fi
printf '%s\0' "${scripts[@]}" |
	xargs -0 -n1 -P"${JOBS:-2}" "$0" --one "$results"
failed=$(wc -l <"$results")
finish lint $((${#scripts[@]} - failed)) "$failed"
