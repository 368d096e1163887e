#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   demo/run.sh    run the shop under autotrace, show the trace, check it
#
# Wants the build in AUTOTRACE_BUILD, default build/; `make demo` makes it.
# Set OTEL_EXPORTER_OTLP_ENDPOINT, and the trace goes to your collector too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${AUTOTRACE_BUILD:-$here/../build}

# need WHAT COMMAND...: the command succeeds, or the demo cannot run.
need()
{
	"${@:2}" >/dev/null 2>&1 && return
	echo "demo: no $1; make deps installs what the demo needs" >&2
	exit 1
}

# The caller's own proxies and tracing have no part in this.
clean_environment()
{
	local name

	for name in $(compgen -e); do
		case $name in
		OTEL_EXPORTER_OTLP_* | AUTOTRACE_TRACE_URL) ;;
		OTEL_* | AUTOTRACE_* | TRACEPARENT | TRACESTATE | *_proxy | \
			*_PROXY | FLASK_* | WERKZEUG_*)
			unset "$name"
			;;
		esac
	done
}

if [ ! -x "$build/autotrace" ] || [ ! -e "$build/libautotrace.so" ]; then
	echo "demo: no autotrace in $build; run make" >&2
	exit 1
fi
need curl command -v curl
need node command -v node
need php command -v php
need "ruby with webrick" /usr/bin/ruby -r webrick -e ''
need "python3 with flask and requests" \
	/usr/bin/python3 -c 'import flask, requests'
clean_environment

dir=$(mktemp -d "${TMPDIR:-/tmp}/autotrace-demo.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$build/autotrace" run --service shop --file "$dir/trace.jsonl" -- \
	"$here/shop.sh" "$dir"
"$here/check.py" "$dir/trace.jsonl" "$dir"
