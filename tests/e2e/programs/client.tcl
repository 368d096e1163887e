# SPDX-License-Identifier: Apache-2.0
# Tcl's http over tcltls, which writes and reads a filter BIO.
# Arguments: url, file of trusted certificates, file to post or -.
package require http
package require tls
lassign $argv url trusted file
tls::init -cafile $trusted -require 1
http::register https 443 [list tls::socket -autoservername 1]

proc show {args} {
	set token [http::geturl {*}$args -keepalive 1]
	puts "[http::code $token] [http::data $token]"
	http::cleanup $token
}

if {$file eq "-"} {
	show $url?i=0
	show $url?i=1
} else {
	set input [open $file rb]
	show $url -type text/plain -query [read $input]
}
