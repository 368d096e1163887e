#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   scripts/sdks.sh [DIRECTORY]    default build/sdks
#
# The OpenTelemetry SDKs that tests run beside the library, each by its
# language's own package manager: python/, node/, java/. Idempotent.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
sdks=${1:-$root/build/sdks}
python=(
	opentelemetry-distro==0.60b1
	opentelemetry-exporter-otlp-proto-http==1.39.1
	opentelemetry-instrumentation-flask==0.60b1
	opentelemetry-instrumentation-requests==0.60b1
)
node=(
	@opentelemetry/api@1.9.0
	@opentelemetry/auto-instrumentations-node@0.67.3
)
java=io.opentelemetry.javaagent:opentelemetry-javaagent:2.20.1

# once NAME PACKAGES...: unless exactly these are there, install_NAME does it.
once()
{
	local name=$1
	shift

	[ "$(cat "$sdks/$name/installed" 2>/dev/null)" != "$*" ] || return 0
	echo "sdks: installing $*" >&2
	rm -rf "${sdks:?}/$name"
	mkdir -p "$sdks/$name"
	"install_$name" "$@" >&2
	echo "$*" >"$sdks/$name/installed"
}

install_python()
{
	/usr/bin/python3 -m pip install -q --no-warn-script-location \
		--root-user-action=ignore --target "$sdks/python" "$@"
}

install_node()
{
	npm install --prefix "$sdks/node" --no-audit --no-fund \
		--ignore-scripts --loglevel=error "$@"
}

install_java()
{
	mvn -q -B dependency:copy -Dartifact="$1" \
		-DoutputDirectory="$sdks/java" -Dmdep.stripVersion=true
}

mkdir -p "$sdks"
# One at a time; whoever waited finds them there.
exec 9<"$sdks"
flock 9
once python "${python[@]}"
once node "${node[@]}"
once java "$java"
