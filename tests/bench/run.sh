#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What tracing costs, as one table: measured, budget, what others need for the
# same. See README.md beside this file. Everything that is timed is compared
# with runs of the same program without the library, in turn (A B A B ...).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/bench/cost.inc
. "$here/cost.inc"

tests=$build/tests
command=$build/autotrace
rounds=9
request_count=20000
row_count=0
missed_count=0

format='%-52s %12s %-4s %10s  %-32s %s\n'

# row WHAT MEASURED UNIT LIMIT OTHERS: LIMIT is "<= N", ">= N" or - (none).
row()
{
	local verdict=-

	[ -n "$2" ] || die "no figure: $1"
	if [ "$4" != - ]; then
		verdict=$(awk -v a="$2" -v limit="$4" 'BEGIN {
			split(limit, part, " ")
			ok = part[1] == "<=" ? a <= part[2] : a >= part[2]
			print ok ? "ok" : "MISSED" }')
	fi
	# shellcheck disable=SC2059 # one format for all
	printf "$format" "$1" "$(awk -v a="$2" 'BEGIN {
		form = (a == int(a)) ? "%d" : (a >= 100) ? "%.1f" : "%.3f"
		printf form, a }')" "$3" "$4" "$5" "$verdict"
	row_count=$((row_count + 1))
	[ "$verdict" != MISSED ] || missed_count=$((missed_count + 1))
}

head_line()
{
	# shellcheck disable=SC2059
	printf "$format" 'what' measured unit budget others verdict
}

# field LINE COLUMN of a file.
field()
{
	sed -n "$2p" "$1" | cut -d' ' -f"$3"
}

# gate_of NAME: its limit in gates.txt, for rows that have no other budget.
gate_of()
{
	echo "<= $(awk -v name="$1" '$1 == "gate" && $2 == name { print $3 }' \
		"$here/gates.txt")"
}

median()
{
	sort -g | awk '{ v[NR] = $1 } END {
		if (NR > 2)
			printf "%.3f\n", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# --- start-up ---

start_up()
{
	local out=$tmp/start_up figure

	"$tests/bench_spawn" -p 500 '' "LD_PRELOAD=$empty" \
		"LD_PRELOAD=$lib" -- /bin/true >"$out" || die "start-up"
	row 'start-up of /bin/true, to no preload' "$(field "$out" 3 2)" x \
		'<= 1.15' 'AppScope 8-12 x'
	row 'start-up of /bin/true, to an empty .so' "$(field "$out" 3 3)" x \
		'<= 1.08' "empty .so itself $(field "$out" 2 2) x"
	row 'start-up, minor page faults over an empty .so' \
		"$(($(field "$out" 3 5) - $(field "$out" 2 5)))" '' '<= 20' \
		'AppScope: 65 % of its start'
	figure=$(cost_start_up) || exit 1
	row 'start-up, instructions over an empty .so' "$figure" '' \
		"$(gate_of start_up)" ''
	figure=$(LD_PRELOAD=$lib bash -c 'ls /proc/$$/task /proc/$$/fd; :' |
		grep -c '[0-9]')
	row 'start-up, threads and descriptors added' \
		"$((figure - $(bash -c 'ls /proc/$$/task /proc/$$/fd; :' |
			grep -c '[0-9]')))" '' '<= 0' ''
}

# --- descriptors that are none of our business ---

untraced_ns()
{
	local i bare traced

	for ((i = 0; i < 15; i++)); do
		bare=$("${pin[@]}" "$programs/cost_io" "$1" 300000) &&
			traced=$(env "${sampled[@]}" "${pin[@]}" \
				"$programs/cost_io" "$1" 300000) || exit 1
		minus "$traced" "$bare"
	done | awk -v calls="$2" '{ print $1 / calls }' | median
}

untraced()
{
	local call figure

	for call in read write; do
		figure=$(cost_untraced $call) || exit 1
		row "$call of 1 byte, not traced: instructions added" \
			"$figure" '' '<= 25' ''
	done
	row 'read of 1 byte of a file, CPU added' "$(untraced_ns read 1)" \
		ns '<= 5' 'AppScope 100 ns'
	row 'write of 1 byte to a file, CPU added' "$(untraced_ns write 1)" \
		ns '<= 5' 'AppScope 100 ns'
	row 'read or write of 1 byte, pipe, CPU added' \
		"$(untraced_ns pipe 2)" ns '<= 5' \
		'AppScope 100 ns, empty .so 6 ns'
}

# --- one request on a keep-alive connection ---

# get TRACED COUNT [WORD]...: "cpu_ns wall_ns kib" of a client run with these
# words in front; TRACED is the share of requests that must carry our header.
get()
{
	local traced=$1 count=$2 line

	shift 2
	line=$("$@" "${pin[@]}" "$client" get "$port" "$count") ||
		die "client: $*"
	[ "${line##* }" = "$traced" ] || die "traced ${line##* }: $*"
	echo "${line% *}"
}

# What stands in front of the client, by name.
otlp=(env LD_PRELOAD="$lib")
# shellcheck disable=SC2034 # read through a reference to its name
file=(env "${sampled[@]}")
# shellcheck disable=SC2034
off=(env "${unsampled[@]}")
hub=("$command" run --quiet --)

# "WORDS cpu_ns wall_ns kib bare_cpu_ns ..." for each kind of run and round.
request_cpu()
{
	local i bare words line

	for ((i = 0; i < rounds; i++)); do
		bare=$(get 0.000 $request_count env) || return
		for words in file otlp hub off; do
			local -n prefix=$words
			line=$(get 1.000 $request_count "${prefix[@]}") ||
				return
			echo "$words $line $bare"
		done
	done
}

request_added()
{
	awk -v words="$1" '$1 == words { print ($2 - $5) / 1000 }' \
		"$tmp/request" | median
}

request()
{
	local figure peer='AppScope 33-73 us'

	figure=$(cost_request request_sampled "${sampled[@]}") || exit 1
	row 'request, sampled: instructions added' "$figure" '' '<= 6000' ''
	figure=$(cost_request request_unsampled "${unsampled[@]}") || exit 1
	row 'request, not sampled: instructions added' "$figure" '' \
		"$(gate_of request_unsampled)" ''
	request_cpu >"$tmp/request" || exit 1
	row 'request, sampled, spans to /dev/null: CPU added' \
		"$(request_added file)" us '<= 1.5' "$peer"
	row 'request, sampled, spans to OTLP: CPU added' \
		"$(request_added otlp)" us '<= 1.5' 'Python SDK 260-350 us'
	row 'request, sampled, autotrace run: CPU added' \
		"$(request_added hub)" us '<= 1.5' "$peer"
	row 'request, not sampled: CPU added' "$(request_added off)" us \
		'<= 0.7' ''
}

# --- the same through libcurl ---

# "traced-cpu wall kib bare-cpu wall kib" for each round.
transfers()
{
	local i bare traced

	for ((i = 0; i < rounds; i++)); do
		bare=$(get 0.000 $request_count env) &&
			traced=$(get 1.000 $request_count "${file[@]}") ||
			return
		echo "$traced $bare"
	done
}

# What its hooks add to what the socket's cost. Throughput is what is left when
# the reader of the spans has a CPU to go to.
libcurl()
{
	local client=$programs/curl_cost figure
	local -a pinned=("${pin[@]}")

	figure=$(cost_request curl_sampled "${sampled[@]}") || exit 1
	row 'curl_easy_perform, sampled: instructions added' "$figure" '' - ''
	transfers >"$tmp/libcurl" || exit 1
	row 'curl_easy_perform, sampled: CPU added' \
		"$(awk '{ print ($1 - $4) / 1000 }' "$tmp/libcurl" | median)" \
		us '<= 3' 'Python SDK 260-350 us'
	pin=()
	transfers >"$tmp/libcurl" || exit 1
	pin=("${pinned[@]}")
	row 'curl_easy_perform, any CPU: throughput' \
		"$(awk '{ print $5 / $2 }' "$tmp/libcurl" | median)" \
		x '>= 0.97' ''
}

# --- memory ---

allocations()
{
	local count

	for count in 1000 2000; do
		env LD_PRELOAD="$lib $programs/libcost_malloc.so" \
			AUTOTRACE_FILE=/dev/null COST_MALLOC="$tmp/malloc" \
			"$programs/cost_http" get "$port" $count >/dev/null ||
			die "counting allocations"
		cat "$tmp/malloc"
	done >"$tmp/allocations"
	row 'request, allocations on its thread' "$(($(field \
		"$tmp/allocations" 2 1) - $(field "$tmp/allocations" 1 1)))" \
		'' '<= 0' ''
	row "libautotrace.so's own allocations, whole life" \
		"$(field "$tmp/allocations" 2 2)" '' - ''
}

memory()
{
	local bare otlp_kib hub_kib

	bare=$(get 0.000 100000 env | cut -d' ' -f3) &&
		otlp_kib=$(get 1.000 100000 "${otlp[@]}" | cut -d' ' -f3) &&
		hub_kib=$(get 1.000 100000 "${hub[@]}" | cut -d' ' -f3) ||
		exit 1
	row 'resident memory added, 100,000 requests, OTLP' \
		"$(awk "BEGIN { print ($otlp_kib - $bare) / 1024 }")" MiB \
		'<= 8' 'AppScope 493-611 MiB'
	row 'resident memory added, same, autotrace run' \
		"$(awk "BEGIN { print ($hub_kib - $bare) / 1024 }")" MiB \
		'<= 8' 'AppScope 493-611 MiB'
}

# --- parts by themselves ---

parts()
{
	"$tests/bench_ring" >"$tmp/ring" || die "ring"
	"$tests/bench_encode" >"$tmp/encode" || die "encode"
	row "ring, one push of $(field "$tmp/ring" 1 2) bytes, uncontended" \
		"$(field "$tmp/ring" 1 1)" ns '<= 100' ''
	row 'ring, 4 producers, 1 reader' "$(field "$tmp/ring" 1 3)" M/s \
		'>= 5' ''
	row 'exporter, encode' "$(field "$tmp/encode" 1 1)" /s - ''
	row 'exporter, encode and gzip' "$(field "$tmp/encode" 1 2)" /s \
		'>= 500000' ''
}

# --- whole programs ---

exit_delay()
{
	local refused out=$tmp/exit_delay

	refused=$("$programs/cost_http" refuse)
	"$tests/bench_spawn" 25 '' \
		"LD_PRELOAD=$lib;OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port" \
		"LD_PRELOAD=$lib;OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$refused" \
		-- "$programs/cost_http" get "$port" 1 >"$out" || die "exit"
	row 'a program with one request, live collector' \
		"$(field "$out" 2 4)" ms '<= 30' 'AppScope 100 ms'
	row 'a program with one request, refused' \
		"$(field "$out" 3 4)" ms '<= 50' ''
}

under_hub()
{
	local out=$tmp/under_hub

	"${hub[@]}" "$tests/bench_spawn" 200 LD_PRELOAD= '' -- \
		/bin/true >"$out" || die "autotrace run"
	row '/bin/true under autotrace run, start to end' \
		"$(field "$out" 2 4)" ms '<= 0.2' ''
	"${hub[@]}" "$tests/bench_spawn" 200 LD_PRELOAD= '' -- \
		"$programs/cost_http" get "$port" 1 >"$out" ||
		die "autotrace run"
	row 'a program with one request, same' \
		"$(field "$out" 2 4)" ms '<= 0.2' ''
}

build_tree()
{
	local out=$tmp/tree script='for i in 1 2 3 4 5 6 7 8; do
		gcc -O1 -c -o "$0.o" -x c "$0" || exit; done'

	printf '#include <stdio.h>\nint main(void) { return puts("a"); }\n' \
		>"$tmp/a.c"
	"$tests/bench_spawn" 7 RUN= "RUN=${hub[*]}" -- \
		sh -c "\$RUN sh -c '$script' $tmp/a.c" >"$out" || die "tree"
	row 'process tree (24 of gcc), wall, autotrace run' \
		"$(field "$out" 2 2)" x '<= 1.05' 'strace -f 1.4-1.8 x'
}

# --- nginx, for HTTPS clients and under wrk ---

# open_nginx LD_PRELOAD [LINE]...: on $port_of_nginx, files in $pages; the lines
# belong into the server's block.
open_nginx()
{
	pages=$tmp/nginx
	mkdir -p "$pages"
	port_of_nginx=$("$programs/cost_http" refuse)
	cat >"$pages/conf" <<-END
		master_process off;
		pid $pages/pid;
		error_log $pages/log;
		events { worker_connections 256; }
		http {
			access_log off;
			client_body_temp_path $pages;
			proxy_temp_path $pages;
			fastcgi_temp_path $pages;
			uwsgi_temp_path $pages;
			scgi_temp_path $pages;
			keepalive_requests 100000000;
			server {
				listen 127.0.0.1:$port_of_nginx${2:+ ssl};
				${2:-}
				location / { return 200 "0123456789abcdef"; }
			}
		}
	END
	LD_PRELOAD=$1 nginx -p "$pages" -c "$pages/conf" 2>"$pages/err" ||
		die "nginx: $(cat "$pages/err")"
	nginx_pid=$(cat "$pages/pid")
}

close_nginx()
{
	kill -QUIT "$nginx_pid"
	tail --pid="$nginx_pid" -f /dev/null
}

# HTTPS of a program that uses OpenSSL, "cpu_ns wall_ns kib n" with and without.
ask_nginx()
{
	local i line bare

	for ((i = 0; i < 9; i++)); do
		bare=$("$programs/cost_tls" ask "$port_of_nginx" 10000) ||
			die "https"
		line=$(env "${sampled[@]}" "$programs/cost_tls" ask \
			"$port_of_nginx" 10000) || die "https"
		echo "$line $bare"
	done
}

https()
{
	local figure key=$tmp/key.pem cert=$tmp/cert.pem

	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 2 -subj /CN=localhost -keyout "$key" \
		-out "$cert" 2>/dev/null || die "openssl"
	figure=$(cost_tls) || exit 1
	row 'request, HTTPS by OpenSSL: instructions added' "$figure" '' \
		"$(gate_of tls_request)" ''
	open_nginx '' "ssl_certificate $cert; ssl_certificate_key $key;"
	ask_nginx >"$tmp/https"
	close_nginx
	row 'request, HTTPS by OpenSSL: CPU added' \
		"$(awk '{ print ($1 - $5) / 1000 }' "$tmp/https" | median)" \
		us '<= 3' ''
	row 'request, HTTPS by OpenSSL, one after another, throughput' \
		"$(awk '{ print $6 / $2 }' "$tmp/https" | median)" x \
		'>= 0.97' ''
}

# serve_pages LD_PRELOAD: requests a second, and a second of nginx's CPU.
serve_pages()
{
	local cpu_ns

	open_nginx "$1"
	wrk -t1 -c16 -d1s "http://127.0.0.1:$port_of_nginx/" >"$pages/wrk" ||
		die "wrk"
	cpu_ns=$(cut -d' ' -f1 "/proc/$nginx_pid/schedstat")
	close_nginx
	awk -v cpu_ns="$cpu_ns" '/requests in/ { count = $1 }
		/^Requests\/sec:/ { rate = $2 }
		END { print rate, count / cpu_ns * 1e9 }' "$pages/wrk"
}

web_server()
{
	local i bare traced

	for ((i = 0; i < 9; i++)); do
		bare=$(serve_pages '') && traced=$(serve_pages "$lib") || exit 1
		echo "$traced $bare"
	done >"$tmp/web"
	row 'nginx under wrk, keep-alive, throughput' \
		"$(awk '{ print $1 / $3 }' "$tmp/web" | median)" x '>= 0.95' \
		'AppScope 0.37 x'
	row 'nginx under wrk, requests a second of its CPU' \
		"$(awk '{ print $2 / $4 }' "$tmp/web" | median)" x '>= 0.95' ''
}

need_build "$lib" "$build/libautotrace-exporter.so" "$command" "$empty" \
	"$tests"/bench_{spawn,ring,encode} "$programs"/{cost_io,cost_http,cost_tls,curl_cost} \
	"$programs/libcost_malloc.so"
open_server
otlp+=(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:$port")
head_line
start_up
untraced
request
libcurl
allocations
memory
parts
exit_delay
under_hub
build_tree
https
web_server
[ "$("$programs/cost_http" posted "$port")" -gt 1000000 ] ||
	die "hardly a span arrived at the collector"
echo "$row_count rows, $missed_count missed"
