#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   scripts/run-e2e.sh [PATTERN...]     run tests/e2e/PATTERN*, default all
#
# A test is an executable tests/e2e/NNNN-name.sh or .py; exit 0 is a pass.  It
# runs in an empty directory of its own (also its TMPDIR), finds the build in
# AUTOTRACE_BUILD and the sources in AUTOTRACE_ROOT, and must leave no process
# behind.  "# timeout: N" in it replaces the 120 seconds it may take.
# AT_E2E_LONG=1 asks for the long tables (make test-long).
# JOBS=2 tests run at a time; "# alone" in a test runs it after all others.
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/results.sh
. "$root/scripts/results.sh"

# Processes that carry this run's mark in their environment.
marked()
{
	grep -lsz "^AT_E2E_MARK=$1\$" /proc/[0-9]*/environ 2>/dev/null |
		cut -d/ -f3 | grep -vx "$$" || true
}

# Print what is still there two seconds after the test's end, and end it.
leftovers()
{
	local mark=$1 pid pids i

	for ((i = 0; i < 40; i++)); do
		pids=$(marked "$mark")
		[ -n "$pids" ] || return 0
		read -r -t 0.05 _ <>"$idle" || true
	done
	for pid in $pids; do
		echo "left behind: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		kill -9 "$pid" 2>/dev/null
	done
	return 1
}

run_one()
{
	local test=$1 name limit dir log status=0 start left

	name=$(basename "$test")
	limit=$(sed -n 's/^# timeout: *\([0-9]*\).*/\1/p' "$test" | head -n 1)
	[ -z "${AUTOTRACE_LONG:-}" ] || limit=1800
	dir=$(mktemp -d "$results/$name.XXXXXX")
	log=$results/$name.log
	idle=$results/$name.idle
	mkfifo "$idle"
	start=$(date +%s%N)
	(cd "$dir" && AT_E2E_MARK=$dir TMPDIR=$dir exec \
		timeout -k 10 "${limit:-120}" "$test") >"$log" 2>&1 \
		</dev/null || status=$?
	start=$((($(date +%s%N) - start) / 1000000))
	left=$(leftovers "$dir") || status=${status/#0/left}
	rm -rf "$dir"
	if [ "$status" = 0 ]; then
		report_ok "$name" "$start ms"
		echo 1 >>"$results/passed"
		return
	fi
	[ "$status" != 124 ] || left="timed out after ${limit:-120} s $left"
	printf '%s\n' "---- $name" "$(cat "$log")" "$left" \
		"$(report_bad "$name" "exit $status, $start ms")"
	echo 1 >>"$results/failed"
}

count()
{
	wc -l 2>/dev/null <"$1" || echo 0
}

# Nothing of the caller's own tracing, proxies or Python reaches a test.
clean_environment()
{
	local name

	for name in $(compgen -e); do
		case $name in
		OTEL_* | AUTOTRACE_* | *_proxy | *_PROXY | TRACEPARENT | \
			TRACESTATE | LD_PRELOAD | PYTHON* | MAKE*)
			unset "$name"
			;;
		esac
	done
	[ -z "${AT_E2E_LONG:-}" ] || export AUTOTRACE_LONG=1
	export PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH LC_ALL=C.UTF-8
}

if [ "${1:-}" = --one ]; then
	results=$2
	run_one "$3"
	exit 0
fi

# Some tests run programs as another user, who must be able to read what they
# consist of: root's checkout in a directory of its own is copied elsewhere.
is_out_of_reach()
{
	[ "$(id -u)" = 0 ] &&
		! runuser -u nobody -- test -r "$build/libautotrace.so"
}

copy_within_reach()
{
	checkout=$(mktemp -d "${TMPDIR:-/tmp}/autotrace-checkout.XXXXXX")
	chmod 755 "$checkout"
	tar -C "$root" --exclude=./.git --exclude=./build -cf - . |
		tar -C "$checkout" -xf -
	mkdir -p "$checkout/build"
	tar -C "$build" --exclude=./asan --exclude=./tsan --exclude=./fuzz \
		--exclude=./tests --exclude=./fuzz-found -cf - . |
		tar -C "$checkout/build" -xf -
	# `.` brought its own mode along.
	chmod 755 "$checkout" "$checkout/build"
	root=$checkout
	build=$checkout/build
}

build=${AUTOTRACE_BUILD:-$root/build}
checkout=
trap 'rm -rf ${checkout:+"$checkout"}' EXIT
clean_environment
is_out_of_reach && copy_within_reach
export AUTOTRACE_BUILD=$build AUTOTRACE_ROOT=$root
tests=()
alone=()
[ $# -gt 0 ] || set -- ''
for pattern in "$@"; do
	for test in "$root"/tests/e2e/*; do
		case $test in
		*/e2e/$pattern*) ;;
		*) continue ;;
		esac
		case $test in
		*/[0-9][0-9][0-9][0-9]-*.sh | */[0-9][0-9][0-9][0-9]-*.py) ;;
		*) continue ;;
		esac
		if grep -q '^# alone' "$test"; then
			alone+=("$test")
		else
			tests+=("$test")
		fi
	done
done
results=$(mktemp -d "${TMPDIR:-/tmp}/autotrace-e2e.XXXXXX")
trap 'rm -rf "$results" ${checkout:+"$checkout"}' EXIT
[ ${#tests[@]} = 0 ] || printf '%s\0' "${tests[@]}" |
	xargs -0 -n1 -P"${JOBS:-2}" "$0" --one "$results"
for test in "${alone[@]}"; do
	"$0" --one "$results" "$test"
done
[ $((${#tests[@]} + ${#alone[@]})) -gt 0 ] || echo "  no such e2e tests"
finish e2e "$(count "$results/passed")" "$(count "$results/failed")"
