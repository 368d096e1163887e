#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Python: syntax, undefined and unused names.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

files=$(files_in "demo tests scripts" py)
[ -n "$files" ] || need "a Python file"
# shellcheck disable=SC2086 # no spaces in our names
pyflakes3 $files || exit 1
verdict 0 "$(echo "$files" | wc -l) files"
