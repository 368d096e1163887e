// SPDX-License-Identifier: Apache-2.0
/*
 * curl family: which request belongs to which of libcurl's transfers, what
 * libcurl has measured for it, and why it failed.
 *
 * Nothing is put into a handle but a callback that libcurl calls right before
 * it sends a request (CURLOPT_PREREQFUNCTION, 7.80); the application's own is
 * called by ours. Older ones have only curl_easy_perform() traced: all that is
 * sent meanwhile is one transfer's. The bytes, and our header in them, pass
 * where everybody's do.
 */
#include "hooks/curl.h"

#include <string.h>

#include "hooks/hook.h"
#include "hooks/late.h"

#define FUNCTIONS(F)                                                 \
	F(curl_easy_setopt, int, (CURL *, int, ...))                 \
	F(curl_easy_getinfo, int, (CURL *, int, ...))                \
	F(curl_easy_init, CURL *, (void))                            \
	F(curl_easy_duphandle, CURL *, (CURL *))                     \
	F(curl_easy_cleanup, void, (CURL *))                         \
	F(curl_easy_reset, void, (CURL *))                           \
	F(curl_easy_perform, int, (CURL *))                          \
	F(curl_multi_add_handle, int, (CURLM *, CURL *))             \
	F(curl_multi_remove_handle, int, (CURLM *, CURL *))          \
	F(curl_multi_perform, int, (CURLM *, int *))                 \
	F(curl_multi_socket_action, int, (CURLM *, int, int, int *)) \
	F(curl_multi_socket, int, (CURLM *, int, int *))             \
	F(curl_multi_socket_all, int, (CURLM *, int *))              \
	F(curl_multi_info_read, struct CURLMsg *, (CURLM *, int *))  \
	F(curl_multi_cleanup, int, (CURLM *))

LATE_FAMILY(curl, FUNCTIONS);

/* CURLcode, CURLMcode */
#define OK 0
#define FAILED_INIT 2
#define COULDNT_RESOLVE_PROXY 5
#define COULDNT_RESOLVE_HOST 6
#define COULDNT_CONNECT 7
#define MULTI_BAD_HANDLE 1
#define MULTI_MSG_DONE 1
/* CURLoption */
#define OPTION_PREREQFUNCTION 20312
#define OPTION_PREREQDATA 10313
/* CURLINFO */
#define INFO_EFFECTIVE_URL 0x100001
#define INFO_RESPONSE_CODE 0x200002
#define INFO_NUM_CONNECTS 0x20001a
#define INFO_PRIMARY_IP 0x100020
#define INFO_HTTP_VERSION 0x20002e
#define INFO_NAMELOOKUP_TIME 0x600033
#define INFO_CONNECT_TIME 0x600034
#define INFO_STARTTRANSFER_TIME 0x600036
#define INFO_APPCONNECT_TIME 0x600038
#define INFO_EFFECTIVE_METHOD 0x10003a

typedef int prereq(void *data, char *ip, char *local_ip, int port,
		   int local_port);

/* --- why it failed --- */

/*
 * Names of CURLcode, in order, each ended by NUL; empty: nothing that HTTP can
 * end with. One text, as it needs no relocation in every process that starts.
 */
static const char code_names[] =
	"\0unsupported_protocol\0failed_init\0url_malformat\0"
	"not_built_in\0couldnt_resolve_proxy\0couldnt_resolve_host\0couldnt_connect\0"
	"weird_server_reply\0remote_access_denied\0\0\0"
	"\0\0\0\0"
	"http2\0\0partial_file\0\0"
	"\0\0http_returned_error\0write_error\0"
	"\0upload_failed\0read_error\0out_of_memory\0"
	"operation_timedout\0\0\0\0"
	"\0range_error\0http_post_error\0ssl_connect_error\0"
	"bad_download_resume\0\0\0\0"
	"\0function_not_found\0aborted_by_callback\0bad_function_argument\0"
	"\0interface_failed\0\0too_many_redirects\0"
	"unknown_option\0setopt_option_syntax\0\0\0"
	"got_nothing\0ssl_engine_notfound\0ssl_engine_setfailed\0send_error\0"
	"recv_error\0\0ssl_certproblem\0ssl_cipher\0"
	"peer_failed_verification\0bad_content_encoding\0\0filesize_exceeded\0"
	"use_ssl_failed\0send_fail_rewind\0ssl_engine_initfailed\0login_denied\0"
	"\0\0\0\0"
	"\0\0\0\0"
	"\0ssl_cacert_badfile\0\0\0"
	"ssl_shutdown_failed\0again\0ssl_crl_badfile\0ssl_issuer_error\0"
	"\0\0\0\0"
	"chunk_failed\0no_connection_available\0ssl_pinnedpubkeynotmatch\0ssl_invalidcertstatus\0"
	"http2_stream\0recursive_api_call\0auth_error\0http3\0"
	"quic_connect_error\0proxy\0ssl_clientcert\0unrecoverable_poll\0"
	"too_large\0ech_required\0";

static const char *name_of(int code)
{
	const char *name = code_names;
	const char *end = name + sizeof(code_names) - 1;
	int i;

	if (code == OK)
		return NULL;
	for (i = 0; i < code && name < end; i++)
		name += strlen(name) + 1;
	return code > 0 && name < end && *name ? name : "_OTHER";
}

/*
 * Is there another span for it (of a connect or a look-up that failed), or was
 * there nothing to trace, as the options made no sense?
 */
static bool is_silent(int code)
{
	switch (code) {
	case 1: /* unsupported_protocol */
	case FAILED_INIT:
	case 3: /* url_malformat */
	case 4: /* not_built_in */
	case COULDNT_RESOLVE_PROXY:
	case COULDNT_RESOLVE_HOST:
	case COULDNT_CONNECT:
	case 43: /* bad_function_argument */
		return true;
	default:
		return false;
	}
}

/* --- what libcurl says --- */

static int64_t time_of(const struct late_library *library, CURL *easy, int info)
{
	int64_t us = 0;

	return OF(library, curl_easy_getinfo)(easy, info, &us) == OK ? us : 0;
}

static long number_of(const struct late_library *library, CURL *easy, int info)
{
	long number = 0;

	return OF(library, curl_easy_getinfo)(easy, info, &number) == OK ?
		       number :
		       0;
}

static const char *text_of(const struct late_library *library, CURL *easy,
			   int info)
{
	const char *text = NULL;

	return OF(library, curl_easy_getinfo)(easy, info, &text) == OK ? text :
									 NULL;
}

static void read_times(const struct at_transfer *transfer,
		       struct at_transfer_times *times)
{
	const struct late_library *from = transfer->library;
	CURL *easy = transfer->easy;

	times->connects = number_of(from, easy, INFO_NUM_CONNECTS);
	times->lookup_us = time_of(from, easy, INFO_NAMELOOKUP_TIME);
	times->connect_us = time_of(from, easy, INFO_CONNECT_TIME);
	times->tls_us = time_of(from, easy, INFO_APPCONNECT_TIME);
}

static void read_facts(const struct at_transfer *transfer,
		       struct at_transfer_facts *facts)
{
	static const long versions[] = {
		[1] = 10, [2] = 11, [3] = 20, [30] = 30
	};
	const struct late_library *from = transfer->library;
	CURL *easy = transfer->easy;
	long version = number_of(from, easy, INFO_HTTP_VERSION);

	facts->url = text_of(from, easy, INFO_EFFECTIVE_URL);
	facts->method = text_of(from, easy, INFO_EFFECTIVE_METHOD);
	facts->peer = text_of(from, easy, INFO_PRIMARY_IP);
	facts->status = number_of(from, easy, INFO_RESPONSE_CODE);
	if (version > 0 && version <= 30)
		facts->http_version = versions[version];
	facts->first_byte_us = time_of(from, easy, INFO_STARTTRANSFER_TIME);
}

/* --- handles --- */

/* Whom the call is for, and whether it is any of our business. */
struct call {
	struct late_library *library; /* NULL: nobody's */
	bool ours;
};

/* libcurl's own calls to itself are parts of one that is known already. */
#define CALL(name)                                             \
	struct call call = begin(__builtin_return_address(0)); \
                                                               \
	if (!call.library || !OF(call.library, name))

static struct call begin(const void *caller)
{
	struct call call = { .library = late_library(&late_curl, caller) };

	call.ours = call.library && !late_is_inside(call.library, caller) &&
		    !at_thread_hands_off();
	if (call.ours)
		at_notice_fork();
	return call;
}

/*
 * A handle that is known, and no other copy's; NULL: it is not. One that ours
 * is in must be known even when nothing is traced any more.
 */
static struct at_transfer *find(const struct call *call, CURL *easy)
{
	struct at_transfer *transfer =
		call->ours && easy ? at_transfer_find(easy) : NULL;

	return transfer && transfer->library == call->library ? transfer : NULL;
}

static struct at_transfer *find_or_make(const struct call *call, CURL *easy)
{
	struct at_transfer *transfer =
		call->ours && easy ? at_transfer_find(easy) : NULL;

	if (!call->ours || !easy || !OF(call->library, curl_easy_getinfo))
		return NULL;
	if (transfer && transfer->library != call->library) {
		at_transfer_forget(transfer); /* it went without a word */
		transfer = NULL;
	}
	if (!transfer && at_tracer_active())
		transfer = at_transfer_make(easy);
	if (transfer) {
		transfer->library = call->library;
		transfer->times = read_times;
		transfer->facts = read_facts;
	}
	return transfer;
}

static void forget(const struct call *call, CURL *easy)
{
	struct at_transfer *transfer =
		call->ours && easy ? at_transfer_find(easy) : NULL;

	if (transfer)
		at_transfer_forget(transfer);
}

/* Called by libcurl, on the thread that sends. */
static int before_request(void *data, char *ip, char *local_ip, int port,
			  int local_port)
{
	struct at_transfer *transfer = data;
	prereq *own = (prereq *)transfer->function;
	int answer = 0, error;

	if (own)
		answer = own(transfer->data, ip, local_ip, port, local_port);
	error = errno;
	if (answer == 0 && !at_thread_hands_off())
		at_transfer_ready(transfer, ip, port, local_port);
	errno = error;
	return answer;
}

/* Have ours called; false: this libcurl does not know that. */
static bool arm(struct at_transfer *transfer)
{
	const struct late_library *library = transfer->library;

	if (!transfer->armed)
		transfer->armed =
			OF(library, curl_easy_setopt)(transfer->easy,
						      OPTION_PREREQFUNCTION,
						      before_request) == OK &&
			OF(library, curl_easy_setopt)(transfer->easy,
						      OPTION_PREREQDATA,
						      transfer) == OK;
	return transfer->armed;
}

/* What the application would find in its handle without us. */
static void disarm(const struct at_transfer *transfer, CURL *easy)
{
	const struct late_library *library = transfer->library;

	OF(library, curl_easy_setopt)
	(easy, OPTION_PREREQFUNCTION, transfer->function);
	OF(library, curl_easy_setopt)(easy, OPTION_PREREQDATA, transfer->data);
}

CURL *hook_curl_easy_init(void)
{
	CURL *easy;

	CALL(curl_easy_init)
	return NULL;
	easy = OF(call.library, curl_easy_init)();
	forget(&call, easy);
	return easy;
}
HOOK_EXPORT(curl_easy_init)

CURL *hook_curl_easy_duphandle(CURL *easy)
{
	struct at_transfer *from, *to;
	CURL *copy;

	CALL(curl_easy_duphandle)
	return NULL;
	/* libcurl itself does so for what a server pushes. */
	call.ours = !at_thread_hands_off();
	from = find(&call, easy);
	copy = OF(call.library, curl_easy_duphandle)(easy);
	forget(&call, copy);
	if (!copy || !from)
		return copy;
	if (from->armed)
		disarm(from, copy);
	to = find_or_make(&call, copy);
	if (to) {
		to->function = from->function;
		to->data = from->data;
	}
	return copy;
}
HOOK_EXPORT(curl_easy_duphandle)

void hook_curl_easy_cleanup(CURL *easy)
{
	struct at_transfer_call around;

	CALL(curl_easy_cleanup)
	return;
	if (!call.ours) {
		OF(call.library, curl_easy_cleanup)(easy);
		return;
	}
	at_transfer_enter(&around, easy, NULL);
	OF(call.library, curl_easy_cleanup)(easy);
	at_transfer_exit(&around);
	forget(&call, easy);
}
HOOK_EXPORT(curl_easy_cleanup)

void hook_curl_easy_reset(CURL *easy)
{
	struct at_transfer *transfer;

	CALL(curl_easy_reset)
	return;
	OF(call.library, curl_easy_reset)(easy);
	transfer = find(&call, easy);
	if (!transfer)
		return;
	transfer->armed = false;
	transfer->function = NULL;
	transfer->data = NULL;
	if (at_transfer_active(transfer))
		arm(transfer);
}
HOOK_EXPORT(curl_easy_reset)

/* The application's own: ours stays where it is, and calls it. */
static void keep_option(struct at_transfer *transfer, int option, void *value)
{
	if (option == OPTION_PREREQDATA)
		transfer->data = value;
	else
		transfer->function = (void (*)(void))value;
	if (!transfer->armed)
		return;
	transfer->armed = false;
	arm(transfer);
}

int hook_curl_easy_setopt(CURL *easy, int option, ...)
{
	struct at_transfer *transfer;
	va_list arguments;
	void *value;
	int result;

	/* A long, a pointer or a curl_off_t: all are passed alike. */
	va_start(arguments, option);
	value = va_arg(arguments, void *);
	va_end(arguments);
	CALL(curl_easy_setopt)
	return FAILED_INIT;
	result = OF(call.library, curl_easy_setopt)(easy, option, value);
	if ((option != OPTION_PREREQFUNCTION && option != OPTION_PREREQDATA) ||
	    result != OK)
		return result;
	transfer = find_or_make(&call, easy);
	if (transfer)
		keep_option(transfer, option, value);
	return result;
}
HOOK_EXPORT(curl_easy_setopt)

/* --- transfers --- */

int hook_curl_easy_perform(CURL *easy)
{
	struct at_transfer *transfer;
	struct at_transfer_call around;
	int result, error;
	bool armed;

	CALL(curl_easy_perform)
	return FAILED_INIT;
	error = errno;
	transfer = find_or_make(&call, easy);
	/* In use: refused, and its transfer goes on. */
	if (!transfer || at_transfer_active(transfer)) {
		errno = error;
		return OF(call.library, curl_easy_perform)(easy);
	}
	armed = arm(transfer);
	at_transfer_begin(transfer, easy);
	at_transfer_enter(&around, easy, armed ? NULL : transfer);
	errno = error;
	result = OF(call.library, curl_easy_perform)(easy);
	error = errno;
	at_transfer_exit(&around);
	at_transfer_end(transfer, name_of(result), is_silent(result));
	errno = error;
	return result;
}
HOOK_EXPORT(curl_easy_perform)

int hook_curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	struct at_transfer *transfer;
	int result, error;
	bool armed;

	CALL(curl_multi_add_handle)
	return MULTI_BAD_HANDLE;
	error = errno;
	transfer = find_or_make(&call, easy);
	armed = transfer && arm(transfer);
	errno = error;
	result = OF(call.library, curl_multi_add_handle)(multi, easy);
	error = errno;
	if (result == OK && armed)
		at_transfer_begin(transfer, multi);
	errno = error;
	return result;
}
HOOK_EXPORT(curl_multi_add_handle)

int hook_curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	struct at_transfer *transfer;
	struct at_transfer_call around;
	int result, error;

	CALL(curl_multi_remove_handle)
	return MULTI_BAD_HANDLE;
	if (!call.ours)
		return OF(call.library, curl_multi_remove_handle)(multi, easy);
	at_transfer_enter(&around, multi, NULL);
	result = OF(call.library, curl_multi_remove_handle)(multi, easy);
	error = errno;
	at_transfer_exit(&around);
	transfer = result == OK ? find(&call, easy) : NULL;
	/* Left on purpose, or ended without being asked how. */
	if (transfer)
		at_transfer_end(transfer, NULL, true);
	errno = error;
	return result;
}
HOOK_EXPORT(curl_multi_remove_handle)

/* The calls that move a multi handle's transfers on. */
#define DRIVE(name, ...)                                           \
	CALL(name)                                                 \
	return MULTI_BAD_HANDLE;                                   \
	if (!call.ours)                                            \
		return OF(call.library, name)(multi, __VA_ARGS__); \
	at_transfer_enter(&around, multi, NULL);                   \
	result = OF(call.library, name)(multi, __VA_ARGS__);       \
	at_transfer_exit(&around);                                 \
	return result

int hook_curl_multi_perform(CURLM *multi, int *running)
{
	struct at_transfer_call around;
	int result;

	DRIVE(curl_multi_perform, running);
}
HOOK_EXPORT(curl_multi_perform)

int hook_curl_multi_socket_action(CURLM *multi, int fd, int events,
				  int *running)
{
	struct at_transfer_call around;
	int result;

	DRIVE(curl_multi_socket_action, fd, events, running);
}
HOOK_EXPORT(curl_multi_socket_action)

int hook_curl_multi_socket(CURLM *multi, int fd, int *running)
{
	struct at_transfer_call around;
	int result;

	DRIVE(curl_multi_socket, fd, running);
}
HOOK_EXPORT(curl_multi_socket)

int hook_curl_multi_socket_all(CURLM *multi, int *running)
{
	struct at_transfer_call around;
	int result;

	DRIVE(curl_multi_socket_all, running);
}
HOOK_EXPORT(curl_multi_socket_all)

struct CURLMsg *hook_curl_multi_info_read(CURLM *multi, int *left)
{
	struct at_transfer *transfer;
	struct CURLMsg *message;
	int error;

	CALL(curl_multi_info_read)
	return NULL;
	message = OF(call.library, curl_multi_info_read)(multi, left);
	if (!message || message->msg != MULTI_MSG_DONE)
		return message;
	error = errno;
	transfer = find(&call, message->easy_handle);
	if (transfer)
		at_transfer_end(transfer, name_of(message->data.result),
				is_silent(message->data.result));
	errno = error;
	return message;
}
HOOK_EXPORT(curl_multi_info_read)

int hook_curl_multi_cleanup(CURLM *multi)
{
	struct at_transfer_call around;
	int result, error;

	CALL(curl_multi_cleanup)
	return MULTI_BAD_HANDLE;
	if (!call.ours)
		return OF(call.library, curl_multi_cleanup)(multi);
	at_transfer_enter(&around, multi, NULL);
	result = OF(call.library, curl_multi_cleanup)(multi);
	error = errno;
	at_transfer_exit(&around);
	if (result == OK && multi)
		at_transfer_leave_all(multi);
	errno = error;
	return result;
}
HOOK_EXPORT(curl_multi_cleanup)
