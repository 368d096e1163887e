#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every shell script passes shellcheck.
# shellcheck source=tests/lint/common.inc
. "$(dirname "$0")/common.inc"

files=$(files_in "scripts demo tests" sh inc)
# shellcheck disable=SC2086 # no spaces in our names
shellcheck -x -S style -e SC2086,SC2016 $files .ci/run || exit 1
verdict 0 "$(echo "$files" | wc -l) scripts"
