#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every header can be included alone and first.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

files=$(files_in "$product tests/support" h | grep -v /tsan/)
[ -n "$files" ] || need core
bad=0
while read -r file; do
	gcc -fsyntax-only -std=gnu11 -D_GNU_SOURCE -Wall -I. -Ibuild/gen \
		-Ibuild/static/include -DCURL_STATICLIB -x c -include "$file" \
		/dev/null || bad=1
done <<<"$files"
verdict $bad "$(echo "$files" | wc -l) headers"
