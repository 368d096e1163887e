#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What lies at the top of the repository: the rooms, and nothing that a test has
# left behind.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

rooms=" .ci .clang-format .clang-tidy .editorconfig .gitattributes .gitignore \
LICENSE Makefile README.md cli core demo docs exporter hooks preload propagator \
protocol sampler scripts tests tracer "
# Of an unpacked archive nothing can be said.
names=$(git ls-files 2>/dev/null | cut -d/ -f1 | sort -u)
bad=0
while read -r name; do
	[[ -z $name || $rooms == *" $name "* ]] && continue
	echo "$name: no room of this house (tests/lint/rooms.sh)"
	bad=1
done <<<"$names"
verdict $bad "$(echo "$names" | wc -l) names"
