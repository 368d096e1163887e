// SPDX-License-Identifier: Apache-2.0
/* libcurl's functions, as 7.x and 8.x declare them (private to hooks/). */
#ifndef HOOKS_CURL_H
#define HOOKS_CURL_H

typedef void CURL;
typedef void CURLM;

struct CURLMsg {
	int msg;
	CURL *easy_handle;
	union {
		void *whatever;
		int result;
	} data;
};

CURL *curl_easy_init(void);
CURL *curl_easy_duphandle(CURL *easy);
void curl_easy_cleanup(CURL *easy);
void curl_easy_reset(CURL *easy);
int curl_easy_setopt(CURL *easy, int option, ...);
int curl_easy_perform(CURL *easy);
int curl_multi_add_handle(CURLM *multi, CURL *easy);
int curl_multi_remove_handle(CURLM *multi, CURL *easy);
int curl_multi_perform(CURLM *multi, int *running);
int curl_multi_socket_action(CURLM *multi, int fd, int events, int *running);
int curl_multi_socket(CURLM *multi, int fd, int *running);
int curl_multi_socket_all(CURLM *multi, int *running);
struct CURLMsg *curl_multi_info_read(CURLM *multi, int *left);
int curl_multi_cleanup(CURLM *multi);

#endif
