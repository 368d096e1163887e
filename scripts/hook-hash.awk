# SPDX-License-Identifier: Apache-2.0
#
# hooks.def: the hash of each symbol as ld.so's DT_GNU_HASH has it.
BEGIN {
	for (i = 32; i < 127; i++)
		code[sprintf("%c", i)] = i
}

/^HOOK\(/ {
	split($0, part, /[(, ]+/)
	hash = 5381
	for (i = 1; i <= length(part[3]); i++)
		hash = (hash * 33 + code[substr(part[3], i, 1)]) % 4294967296
	printf "#define HASH_OF_%s %.0fu\n", part[3], hash
}
