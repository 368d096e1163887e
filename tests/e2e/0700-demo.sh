#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The demo: passes twice at once, leaves nothing behind, and its checker finds
# what is wrong with a trace.
set -uo pipefail
demo=${AUTOTRACE_ROOT:?run by scripts/run-e2e.sh, in a directory of its own}/demo
limit_ms=15000
failed=0

fail()
{
	echo "FAILED: $*"
	failed=1
}

# Two at once, each with a directory for temporary files.
together()
{
	local start end n code
	local -a pids=()

	start=$(date +%s%N)
	for n in 1 2; do
		mkdir tmp$n
		TMPDIR=$PWD/tmp$n "$demo/run.sh" >out$n 2>err$n &
		pids+=($!)
	done
	for n in 1 2; do
		wait "${pids[n - 1]}" || {
			fail "run $n: exit status $?"
			cat out$n err$n
		}
		rmdir tmp$n || fail "run $n left files: $(ls -A tmp$n)"
		grep -q '17 client and 17 server spans' out$n ||
			fail "run $n does not say what it checked: $(cat out$n)"
		grep -q 'autotrace: trace .* [0-9]* spans.* 0 dropped' err$n ||
			fail "run $n: last line: $(tail -n 1 err$n)"
		for code in 201 404 409 402 503; do
			grep -q "/api/order .* $code\$" err$n ||
				fail "run $n: no such order: $code"
		done
	done
	end=$(date +%s%N)
	echo "two at once: $(((end - start) / 1000000)) ms"
	[ $(((end - start) / 1000000)) -lt $limit_ms ] || fail "too slow"
}

# wrong MESSAGE FILE SCRIPT: with FILE so changed, the checker must say MESSAGE.
wrong()
{
	local said

	rm -rf changed
	cp -r kept changed
	sed -i -E "$3" "changed/$2"
	cmp -s "kept/$2" "changed/$2" && fail "$1: nothing to change in $2"
	if said=$("$demo/check.py" changed/trace.jsonl changed 2>&1); then
		fail "the checker passes what should be: $1"
	elif [[ $said != *"$1"* ]]; then
		fail "the checker does not say \"$1\": $said"
	fi
}

checker()
{
	local other=0123456789abcdef

	mkdir kept
	"$AUTOTRACE_BUILD/autotrace" run --quiet --service shop \
		--file kept/trace.jsonl -- "$demo/shop.sh" kept >out ||
		fail "shop.sh: exit status $?"
	rm -f kept/*.pipe
	"$demo/check.py" kept/trace.jsonl kept || fail "check.py"

	wrong 'in the trace' trace.jsonl \
		's#(:[0-9]+/stock)/umbrella#\1/teapot#'
	wrong 'its span says' trace.jsonl 's#"/stock/umbrella#"/stock/teapot#'
	wrong 'client.address' trace.jsonl 's/"client.address"/"x"/'
	wrong "error.type" trace.jsonl 's/"error.type"/"error.tape"/'
	wrong "span status" trace.jsonl 's/"code": ?2/"code":0/'
	wrong "made by" trace.jsonl 's/"stringValue": ?"curl"/"stringValue":"sh"/'
	wrong "autotrace.parent" trace.jsonl \
		's/"stringValue": ?"process"/"stringValue":"guess"/'
	wrong "parent $other" trace.jsonl \
		"s/\"parentSpanId\": ?\"[0-9a-f]+\"/\"parentSpanId\":\"$other\"/"
	wrong "trace ids" trace.jsonl \
		"s/\"traceId\": ?\"[0-9a-f]{16}/\"traceId\":\"$other/"
	wrong "came with traceparent None" payment.log 's/"traceparent"/"x"/'
	wrong "names no span of a server" shipping.log \
		"s/(\"traceparent\": ?\"00-[0-9a-f]+-)[0-9a-f]+/\1$other/I"
	wrong "is in no log" order.log '/"status": 409/d'
	wrong "flags 00" inventory.log 's/(-[0-9a-f]{16}-)0[0-9]"/\100"/'
}

# Ctrl-C while the Moon is being asked: everybody goes, nothing stays.
interrupted()
{
	local line leader out status=0

	mkfifo said
	mkdir tmp
	TMPDIR=$PWD/tmp setsid env --default-signal=INT "$demo/run.sh" \
		>said 2>err &
	leader=$!
	exec {out}<said
	while read -r -u "$out" line && [[ $line != mirror* ]]; do
		:
	done
	kill -INT -- "-$leader"
	wait "$leader" || status=$?
	[ $status = 130 ] || fail "interrupted: exit status $status: $(cat err)"
	exec {out}<&-
	rmdir tmp || fail "interrupted: left $(find tmp)"
}

without_build()
{
	if AUTOTRACE_BUILD=$PWD/none "$demo/run.sh" >out 2>&1; then
		fail "passes without a build"
	fi
	grep -q "^demo: no autotrace in $PWD/none" out ||
		fail "without a build: $(cat out)"
}

together
checker
interrupted
without_build
exit $failed
