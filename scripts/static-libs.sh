#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Build the exporter's private libcurl and libnghttp2: static, position
# independent, every symbol hidden, HTTP(S) and HTTP/2 only; and the command's
# libunwind, which as packaged is not position independent.  They come from
# the distribution's own source packages.  What else the exporter links
# (libssl, libcrypto, libcares, libz, libprotobuf-c) is position independent
# as the distribution ships it.
#
#   scripts/static-libs.sh LINK     build, or find in the cache, and make LINK
#                                   point there: LINK/lib/*.a, LINK/include
#
# The cache is $AUTOTRACE_CACHE, else autotrace under $XDG_CACHE_HOME or
# ~/.cache; a directory in it is named by the hash of all that went in.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${AUTOTRACE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/autotrace}
jobs=${AUTOTRACE_JOBS:-2}
sources=(nghttp2 curl libunwind)
headers=(libssl-dev libc-ares-dev zlib1g-dev)
flags='-O2 -g1 -fPIC -fvisibility=hidden -fexceptions -ftls-model=initial-exec'
flags+=' -DCURL_STATICLIB -DNGHTTP2_STATICLIB'

say()
{
	echo "static-libs: $*" >&2
}

# Print "name version" of each source package that would be unpacked now.
source_versions()
{
	local name

	for name in "${sources[@]}"; do
		echo "$name $(apt-cache showsrc "$name" |
			sed -n 's/^Version: //p' | sort -rV | sed -n 1p)"
	done
}

# Print the name of the cache directory.
key_of()
{
	{
		sed '/^#/d' "$0"
		source_versions
		dpkg-query -W "${headers[@]}"
		gcc -dumpfullversion -dumpmachine
	} | sha256sum | cut -c1-16
}

# Run a build step; show what it printed only when it fails.
quietly()
{
	local log=$1
	shift

	"$@" >"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		say "failed: $* (the whole log: $log)"
		return 1
	}
}

unpack()
{
	local name=$1 version=$2

	quietly "$work/$name.fetch" apt-get source -q \
		-o APT::Sandbox::User=root -o Acquire::Retries=3 \
		"$name=$version"
	mv "$name"-[0-9]*/ "$name"
	# Patched inputs look newer than the shipped configure and Makefile.in;
	# nothing of them is to be generated again.
	find "$name" \( -name '*.in' -o -name configure -o \
		-name aclocal.m4 \) -exec touch {} +
}

# Its source package brings no configure; it is plain C, and this is all that
# configure would have told it.
build_nghttp2()
{
	local version=${1%%-*} number

	number=$(echo "$version" |
		awk -F. '{ printf "0x%02x%02x%02x", $1, $2, $3 }')
	cd "$work/nghttp2/lib"
	sed -e "s/@PACKAGE_VERSION@/$version/" \
		-e "s/@PACKAGE_VERSION_NUM@/$number/" \
		includes/nghttp2/nghttp2ver.h.in >includes/nghttp2/nghttp2ver.h
	# shellcheck disable=SC2086 # flags are many words
	printf '%s\n' nghttp2_*.c | quietly "$work/nghttp2.make" \
		xargs -P"$jobs" -n4 gcc $flags -DHAVE_TIME_H \
		-DHAVE_CLOCK_GETTIME -DHAVE_ARPA_INET_H \
		-DHAVE_NETINET_IN_H -Iincludes -I. -c
	mkdir -p "$out/lib" "$out/include/nghttp2"
	ar crs "$out/lib/libnghttp2.a" nghttp2_*.o
	cp includes/nghttp2/*.h "$out/include/nghttp2"
}

# Off: every protocol but HTTP, everything that keeps state on disk or reads
# the user's files, every resolver but c-ares, OpenSSL's configuration file.
build_curl()
{
	cd "$work/curl"
	quietly "$work/curl.configure" ./configure -C --prefix="$out" \
		--enable-static --disable-shared --with-pic \
		--disable-dependency-tracking \
		--with-openssl --with-zlib --with-nghttp2="$out" \
		--enable-ares --disable-threaded-resolver --disable-doh \
		--enable-http --enable-ipv6 --enable-unix-sockets \
		--with-ca-bundle=/etc/ssl/certs/ca-certificates.crt \
		--without-ca-path \
		--disable-dict --disable-file --disable-ftp --disable-gopher \
		--disable-imap --disable-ldap --disable-ldaps --disable-mqtt \
		--disable-pop3 --disable-rtsp --disable-smb --disable-smtp \
		--disable-telnet --disable-tftp --disable-websockets \
		--disable-alt-svc --disable-cookies --disable-hsts \
		--disable-netrc --disable-libcurl-option --disable-manual \
		--disable-mime --disable-crypto-auth --disable-tls-srp \
		--disable-openssl-auto-load-config --disable-progress-meter \
		--disable-ech --disable-curldebug --disable-debug \
		--without-brotli --without-gssapi --without-libidn2 \
		--without-libpsl --without-librtmp --without-libssh2 \
		--without-libssh --without-zstd --without-gsasl \
		--without-nghttp3 --without-ngtcp2 --without-quiche \
		--without-msh3 \
		CFLAGS="$flags" LIBS='-lssl -lcrypto -lcares -lz'
	quietly "$work/curl.make" make -j"$jobs" -C lib install
	quietly "$work/curl.headers" make -C include install
}

# Other processes only (ptrace's half of it), and no compressed symbol tables.
build_libunwind()
{
	cd "$work/libunwind"
	quietly "$work/libunwind.configure" ./configure --prefix="$out" \
		--enable-static --disable-shared --with-pic \
		--disable-dependency-tracking --disable-tests \
		--disable-documentation --disable-setjmp --disable-coredump \
		--disable-minidebuginfo CFLAGS="$flags"
	quietly "$work/libunwind.make" make -j"$jobs" -C src install
	quietly "$work/libunwind.headers" make install-data
	# The compiler has its own.
	rm "$out/include/unwind.h"
}

build()
{
	local final=$1 name version

	mkdir -p "$cache"
	work=$(mktemp -d "$cache/work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	out=$work/out
	cd "$work"
	while read -r name version; do
		say "building $name $version"
		unpack "$name" "$version"
		"build_$name" "$version"
		cd "$work"
	done < <(source_versions)
	rm -rf "$out/lib/pkgconfig" "$out/lib"/*.la
	source_versions >"$out/versions"
	# Whoever built the same at the same time was first: keep theirs.
	mv -T "$out" "$final" 2>/dev/null || [ -e "$final/versions" ]
	rm -rf "$work"
	trap - EXIT
}

main()
{
	local link=$1 dir

	"$here/deps.sh" --sources
	dir=$cache/$(key_of)
	[ -e "$dir/versions" ] || (build "$dir")
	mkdir -p "$(dirname "$link")"
	ln -sfnT "$dir" "$link"
}

if [ $# != 1 ]; then
	say "usage: $0 LINK"
	exit 2
fi
main "$1"
