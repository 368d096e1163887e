#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# clang-tidy with .clang-tidy.  A file that passed is not looked at again until
# its preprocessed text changes.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

seen=build/lint/tidy
flags=(-std=gnu11 -D_GNU_SOURCE '-DAT_VERSION="0"' -I. -Ibuild/gen
	-Ibuild/static/include -DCURL_STATICLIB -DNGHTTP2_STATICLIB)

tidy_one()
{
	local file=$1 key out

	key=$({
		cat .clang-tidy
		clang -E -w "${flags[@]}" "$file" 2>&1
	} | sha256sum | cut -d' ' -f1)
	[ ! -e "$seen/$key" ] || return 0
	out=$(clang-tidy --quiet "$file" -- -w "${flags[@]}" 2>&1) || {
		echo "$out" | grep -v ' warnings\? generated\.$'
		return 1
	}
	: >"$seen/$key"
}

if [ "${1:-}" = --one ]; then
	tidy_one "$2"
	exit
fi
files=$(files_in "$product demo" c)
[ -n "$files" ] || need core
mkdir -p $seen
echo "$files" | xargs -n1 -P2 "tests/lint/tidy.sh" --one || exit 1
verdict 0 "$(echo "$files" | wc -l) files"
