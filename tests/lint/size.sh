#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Sizes: a function has at most 60 lines (tests/lint/size.exempt names the
# exceptions, each with its reason), nine of ten of the product's at most 35;
# a file has at most 600.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

longest=60
p90_limit=35
file_limit=600

# Print "lines file:function" of every function in the folders.
functions_in()
{
	local files

	files=$(files_in "$1" c h)
	[ -n "$files" ] || return 0
	# shellcheck disable=SC2086 # no spaces in our names
	ctags -x --languages=C --langmap=C:+.h --kinds-C=f --fields=+e \
		--_xformat='%n %{end} %F:%N' $files |
		awk '$2 { print $2 - $1 + 1, $3 }'
}

exempt()
{
	grep -v '^#' tests/lint/size.exempt 2>/dev/null |
		awk 'NF == 1 { print "no reason: " $0 > "/dev/stderr" }
			NF > 1 { print $1 }' | sort -u
}

all=$(functions_in "$product demo tests")
bad=0
long=$(echo "$all" | awk -v n=$longest '$1 > n { print $2 }' | sort -u)
while read -r name; do
	[ -n "$name" ] || continue
	echo "over $longest lines: $name"
	bad=1
done < <(comm -23 <(echo "$long") <(exempt))
while read -r name; do
	echo "no longer needed in tests/lint/size.exempt: $name"
	bad=1
done < <(comm -13 <(echo "$long") <(exempt))
while read -r lines name; do
	[ "$lines" -gt $file_limit ] || continue
	[ "$name" != total ] || continue
	echo "over $file_limit lines: $name ($lines)"
	bad=1
done < <(files_in "$product demo tests scripts" c h S py sh mk |
	xargs -r wc -l)
sorted=$(functions_in "$product" | sort -n)
count=$(echo "$sorted" | grep -c .)
if [ "$count" = 0 ]; then
	need "a function"
fi
median=$(echo "$sorted" | sed -n "$(((count + 1) / 2))p" | cut -d' ' -f1)
p90=$(echo "$sorted" | sed -n "$(((count * 9 + 9) / 10))p" | cut -d' ' -f1)
if [ "$p90" -gt $p90_limit ]; then
	echo "p90 of $count functions is $p90 lines, above $p90_limit"
	bad=1
fi
verdict $bad "$count functions, median $median, p90 $p90 lines"
