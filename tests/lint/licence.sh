#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every source file names its licence in the first five lines.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

files=$(files_in "$product demo scripts tests" c h S sh py mk proto def map inc)
bad=0
while read -r file; do
	head -n 5 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' &&
		continue
	echo "no SPDX line: $file"
	bad=1
done <<<"$files"
verdict $bad "$(echo "$files" | wc -l) files"
