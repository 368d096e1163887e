// SPDX-License-Identifier: Apache-2.0
/* The first look: could these bytes begin an HTTP request? */
#include <string.h>

#include "protocol/http1_machine.h"

/* Without a whole line we look for a method of these; longest 15. */
static const char methods[] =
	"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY "
	"PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH REPORT "
	"MERGE CHECKOUT CHECKIN MKACTIVITY VERSION-CONTROL PURGE "
	"SUBSCRIBE UNSUBSCRIBE NOTIFY M-SEARCH ACL BIND LINK UNLINK "
	"PRI ";

#define METHOD_MAX_BYTES 32
#define PREFACE_LINE 15 /* "PRI * HTTP/2.0\r" */

/* Half a line: is it one of our methods, or the beginning of one? */
static bool known_method(const char *bytes, size_t len)
{
	const char *at = methods;

	while (*at) {
		const char *end = at + 1;
		size_t have;

		while (*end != ' ')
			end++;
		have = (size_t)(end - at);
		if (*at == *bytes &&
		    !memcmp(at, bytes, len < have ? len : have) &&
		    (len <= have || bytes[have] == ' '))
			return true;
		at = end + 1;
	}
	return false;
}

/* A whole line: token SP target SP HTTP/1.x */
static bool is_request_line(const char *line, size_t len)
{
	size_t method = 0;
	const char *version;

	while (method < len && http1_is_token(line[method]))
		method++;
	if (method == 0 || method > METHOD_MAX_BYTES || len < method + 11 ||
	    line[method] != ' ')
		return false;
	version = line + len - 9;
	return !memcmp(version, " HTTP/1.", 8) &&
	       (version[8] == '0' || version[8] == '1') &&
	       http1_is_target(line + method + 1, len - 10 - method);
}

enum at_match at_http1_match(const char *bytes, size_t len)
{
	const char *lf;
	size_t line;

	while (len && (*bytes == '\r' || *bytes == '\n')) {
		bytes++;
		len--;
	}
	if (!len)
		return AT_MATCH_MAYBE;
	if (!((*bytes | 0x20) >= 'a' && (*bytes | 0x20) <= 'z'))
		return AT_MATCH_NO;
	lf = memchr(bytes, '\n', len);
	if (!lf)
		return known_method(bytes, len) ? AT_MATCH_MAYBE : AT_MATCH_NO;
	line = (size_t)(lf - bytes);
	if (line == PREFACE_LINE && !memcmp(bytes, AT_HTTP2_PREFACE, line + 1))
		return AT_MATCH_YES;
	if (line && bytes[line - 1] == '\r')
		line--;
	return is_request_line(bytes, line) ? AT_MATCH_YES : AT_MATCH_NO;
}
