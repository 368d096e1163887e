#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The generated pages of docs/ are what the sources' tables say now, and the
# index names every page.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
scripts/docs.sh "$fresh" || exit 1

bad=0
for page in "$fresh"/*.md; do
	name=${page##*/}
	if ! diff -u "docs/$name" "$page"; then
		echo "docs/$name is out of date: make docs"
		bad=1
	fi
done
for page in docs/*.md; do
	name=${page##*/}
	if [ "$name" != README.md ] && ! grep -qF "($name)" docs/README.md; then
		echo "docs/README.md does not name $name"
		bad=1
	fi
done
rows=$(cat "$fresh"/*.md | grep -c '^| `')
verdict $bad "$rows rows, $(find docs -name '*.md' | wc -l) pages"
