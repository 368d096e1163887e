#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A customer with curl.  ORDER_URL says where the shop is.
set -euo pipefail

# order ITEM CARD TO
order()
{
	local wish="{\"item\": \"$1\", \"card\": \"$2\", \"to\": \"$3\"}" answer

	answer=$(curl -sS --max-time 20 -w '%{http_code}' --json "$wish" \
		"$ORDER_URL/api/order")
	printf '%-9s %-8s %-7s -> %s\n' "$1" "$2" "$3" "${answer/$'\n'/ }"
}

order teapot gold Berlin
order unicorn gold Oslo     # never had one
order umbrella gold London  # sold out
order teapot student Paris  # more than the card is good for
order mirror gold Salem     # makes the inventory fail
order teapot gold Moon      # a slow post office
