#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Instructions added to a start, to a read or write that is none of our
# business, and to a request stay below tests/bench/gates.txt.
# timeout: 60
exec "$AUTOTRACE_ROOT/tests/bench/gates.sh"
