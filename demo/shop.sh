#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   shop.sh DIRECTORY    open the shop, serve one customer, close it
#
# Four services, each on a free port of its own choice.  What a service prints
# is its log, DIRECTORY/NAME.log; in it, it says where it listens.  Nothing
# here knows of tracing: try it as `demo/shop.sh $(mktemp -d)`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
logs=$1
names=()
pids=()

# start NAME COMMAND...: returns when the service listens; its URL is in $url.
start()
{
	local name=$1 line out

	shift
	mkfifo "$logs/$name.pipe"
	# What a script starts with & is deaf to Ctrl-C, unless told otherwise.
	env --default-signal=INT "$@" >"$logs/$name.pipe" 2>&1 &
	names+=("$name")
	pids+=($!)
	exec {out}<"$logs/$name.pipe"
	url=
	while [ -z "$url" ] && IFS= read -r -t 20 -u "$out" line; do
		echo "$line"
		if [[ $line =~ http://127\.0\.0\.1:[0-9]+ ]]; then
			url=${BASH_REMATCH[0]}
		fi
	done >"$logs/$name.log"
	cat <&"$out" >>"$logs/$name.log" &
	exec {out}<&-
	if [ -z "$url" ]; then
		echo "shop: $name does not start:" >&2
		cat "$logs/$name.log" >&2
		return 1
	fi
}

# Ctrl-C to all of them, as a person would.
stop()
{
	local status=$? i code

	for i in "${!pids[@]}"; do
		kill -INT "${pids[i]}" || true
	done
	for i in "${!pids[@]}"; do
		code=0
		wait "${pids[i]}" || code=$?
		[ $code = 0 ] || {
			echo "shop: ${names[i]} ended with status $code" >&2
			status=1
		}
	done
	wait
	exit "$status"
}
trap stop EXIT

start inventory "$here/inventory.js"
export INVENTORY_URL=$url
start payment "$here/payment.rb"
export PAYMENT_URL=$url
start shipping php -S 127.0.0.1:0 "$here/shipping.php"
export SHIPPING_URL=$url
start order "$here/order.py"
export ORDER_URL=$url

"$here/client.sh"
