#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
#   scripts/docs.sh [FOLDER]    write the generated pages, default to docs/
set -euo pipefail

cd "$(dirname "$0")/.."
folder=${1:-docs}
tool=$(mktemp)
trap 'rm -f "$tool"' EXIT

"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -o "$tool" \
	docs/tables.c core/config_table.c core/config_parse.c \
	core/counters.c core/span.c core/text.c
for page in config counters attributes; do
	"$tool" "$page" >"$folder/$page.md"
done
