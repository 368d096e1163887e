#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Install what building, linting and testing need (Debian 12; root or sudo).
#
#   scripts/deps.sh             everything
#   scripts/deps.sh build       only these lists (build, lint, tests)
#   scripts/deps.sh --sources   the package sources static-libs.sh compiles
#
# Idempotent: with everything in place it asks dpkg once and returns.
set -euo pipefail

# One package a line, please: the lists are edited by many.
build=(
	binutils
	ca-certificates
	dpkg-dev
	gcc
	libc-ares-dev
	libc6-dev
	libcjson-dev
	libcriterion-dev
	libcurl4-openssl-dev
	libprotobuf-c-dev
	libssl-dev
	make
	pkg-config
	protobuf-c-compiler
	protobuf-compiler
	zlib1g-dev
)

lint=(
	clang
	clang-format
	clang-tidy
	libclang-rt-14-dev
	llvm
	musl-dev
	musl-tools
	pyflakes3
	shellcheck
	universal-ctags
)

tests=(
	apache2-utils
	aria2
	cargo
	cmake
	curl
	elinks
	erlang-base
	erlang-inets
	g++
	gdb
	gir1.2-soup-2.4
	git
	glib-networking
	gunicorn
	haproxy
	httping
	jq
	less
	lftp
	libapache2-mod-svn
	libjemalloc2
	libnetty-java
	libpython3.11-testsuite
	librust-tokio-dev
	libtcmalloc-minimal4
	libwww-perl
	links
	linux-perf
	lsof
	lua-sec
	lua-socket
	lua5.4
	lynx
	ncat
	netcat-openbsd
	nghttp2-client
	nginx-light
	ninja-build
	openssh-client
	openssh-server
	openssl
	parallel
	perl
	php-cli
	php-curl
	postgresql
	postgresql-client
	procps
	protobuf-compiler
	psmisc
	python3
	python3-aiohttp
	python3-flask
	python3-gevent
	python3-gi
	python3-h2
	python3-httpx
	python3-openssl
	python3-pip
	python3-protobuf
	python3-pycurl
	python3-requests
	python3-tornado
	python3-twisted
	python3-uvloop
	redis-server
	redis-tools
	ruby
	siege
	socat
	strace
	subversion
	sudo
	tcl
	tcl-tls
	tmux
	uvicorn
	valgrind
	varnish
	vim-tiny
	w3m
	wget
	wget2
	wrk
)

# command:package, for runtimes that a machine often has from elsewhere: the
# package is wanted only where the command is missing.
tests_unless_command=(
	javac:default-jdk-headless
	mvn:maven
	node:nodejs
	npm:npm
)

# Source packages that scripts/static-libs.sh unpacks.
source_packages=(
	cjson
	curl
	hello
	nghttp2
)

sources_base=/etc/apt/sources.list.d/autotrace-src
locked=
policy=/usr/sbin/policy-rc.d
# Each attempt of apt waits this long for another user of the package system.
apt_options=(-q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)

say()
{
	echo "deps: $*" >&2
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		say "need root or sudo for: $*"
		return 1
	fi
}

apt_get()
{
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get "${apt_options[@]}" "$@"
}

# Print those of the given packages that are not installed.
missing_of()
{
	local -A have=()
	local name status

	while read -r name status; do
		[ "$status" = installed ] && have[$name]=1
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' \
		"$@" 2>/dev/null || true)
	for name in "$@"; do
		[ -n "${have[$name]:-}" ] || echo "$name"
	done
}

# Print the packages of the lists named.
wanted_of()
{
	local list pair

	for list in "$@"; do
		case $list in
		build) printf '%s\n' "${build[@]}" ;;
		lint) printf '%s\n' "${lint[@]}" ;;
		tests)
			printf '%s\n' "${tests[@]}"
			for pair in "${tests_unless_command[@]}"; do
				command -v "${pair%%:*}" >/dev/null ||
					echo "${pair#*:}"
			done
			;;
		*)
			say "unknown list: $list (build, lint, tests)"
			return 2
			;;
		esac
	done | sort -u
}

have_indexes()
{
	apt-cache policy "$@" 2>/dev/null |
		awk -v want=$# '/^  Candidate: [^(]/ { n++ }
			END { exit n < want }'
}

# Print deb-src twins of this machine's own one-line entries for its release.
twins_of_list()
{
	local codename=$1

	{ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
		2>/dev/null || true; } |
		sed -nE "/[[:space:]]${codename}([-\/][^[:space:]]*)?[[:space:]]/ \
			s/^[[:space:]]*deb([[:space:]])/deb-src\1/p" | sort -u
}

# The same for entries in stanzas (deb822): comments and Types are replaced.
twins_of_stanzas()
{
	local codename=$1 file

	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] || continue
		[ "$file" = "$sources_base.sources" ] && continue
		# An empty line ends a stanza; the next file begins one.
		grep -v '^#' "$file" || true
		echo
	done | awk -v RS= -v codename="$codename" '
		/(^|\n)Enabled:[ \t]*no/ { next }
		$0 !~ "(^|\n)Suites:[^\n]*" codename { next }
		/(^|\n)Types:[^\n]*deb-src/ { next }
		{ sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src")
		  sub(/^\n/, ""); print $0 "\n" }'
}

# Make apt know where the distribution's source packages are.
add_source_entries()
{
	local codename lines stanzas

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	lines=$(twins_of_list "$codename")
	stanzas=$(twins_of_stanzas "$codename")
	if [ -n "$lines" ]; then
		echo "$lines" | as_root tee "$sources_base.list" >/dev/null
	fi
	if [ -n "$stanzas" ]; then
		echo "$stanzas" | as_root tee "$sources_base.sources" >/dev/null
	fi
}

have_sources()
{
	local package

	for package in "${source_packages[@]}"; do
		[ -n "$(apt-cache showsrc "$package" 2>/dev/null)" ] || return 1
	done
}

ensure_sources()
{
	have_sources && return
	say "adding entries for source packages"
	add_source_entries
	apt_get update >&2
	have_sources || {
		say "no source packages to be had for: ${source_packages[*]}"
		return 1
	}
}

# The packages' services must neither start now nor at the next boot: the
# tests run daemons of their own.
install_quietly()
{
	local made='' status=0

	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
		made=$policy
	fi
	apt_get install --no-install-recommends "$@" >&2 || status=$?
	[ -z "$made" ] || as_root rm -f "$made"
	return $status
}

disable_services()
{
	local service

	[ -d /run/systemd/system ] || return 0
	for service in nginx haproxy redis-server postgresql ssh apache2 \
		varnish varnishncsa; do
		case " $* " in
		*" $service "* | *" $service-"* | *" open$service-server "*)
			as_root systemctl disable --now "$service" \
				>/dev/null 2>&1 || true
			;;
		esac
	done
}

install_missing()
{
	local wanted missing

	wanted=$(wanted_of "$@")
	# shellcheck disable=SC2086 # one word a package is what is meant
	mapfile -t missing < <(missing_of $wanted)
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ -z "${locked:-}" ]; then
		# One at a time; whoever waited looks again.
		exec 9<"$0"
		flock 9
		locked=1
		install_missing "$@"
		return
	fi
	say "installing ${#missing[@]} packages: ${missing[*]}"
	have_indexes "${missing[@]}" || apt_get update >&2
	# A second attempt: an index that is out of date names what is gone.
	install_quietly "${missing[@]}" || {
		apt_get update >&2
		install_quietly "${missing[@]}"
	}
	disable_services "${missing[@]}"
}

main()
{
	case ${1:-} in
	-h | --help)
		sed -n '3,10s/^# \{0,1\}//p' "$0"
		;;
	--sources)
		ensure_sources
		;;
	'')
		install_missing build lint tests
		ensure_sources
		"$(dirname "$0")/sdks.sh"
		;;
	*)
		install_missing "$@"
		;;
	esac
}

main "$@"
exit
