// SPDX-License-Identifier: Apache-2.0
/*
 * A plugin with a libcurl: the one it is linked with, or (PRIVATE) a copy that
 * it loads itself and whose functions it looks up by name.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>

#ifdef PRIVATE
static CURL *(*init)(void);
static CURLcode (*set)(CURL *, CURLoption, ...);
static CURLcode (*perform)(CURL *);
static CURLcode (*get)(CURL *, CURLINFO, ...);
static void (*cleanup)(CURL *);

__attribute__((constructor)) static void load(void)
{
	void *own = dlopen(PRIVATE, RTLD_NOW | RTLD_LOCAL);

	if (!own) {
		puts(dlerror());
		return;
	}
	*(void **)&init = dlsym(own, "curl_easy_init");
	*(void **)&set = dlsym(own, "curl_easy_setopt");
	*(void **)&perform = dlsym(own, "curl_easy_perform");
	*(void **)&get = dlsym(own, "curl_easy_getinfo");
	*(void **)&cleanup = dlsym(own, "curl_easy_cleanup");
}
#undef curl_easy_setopt
#undef curl_easy_getinfo
#define curl_easy_init init
#define curl_easy_setopt set
#define curl_easy_perform perform
#define curl_easy_getinfo get
#define curl_easy_cleanup cleanup
#endif

static size_t ignore(char *bytes, size_t size, size_t count, void *data)
{
	(void)bytes;
	(void)data;
	return size * count;
}

/* A handle of its own, kept for all of its transfers. */
void fetch(const char *url, const char *trusted)
{
	static CURL *easy;
	long status = 0;
	CURLcode code;

	if (!easy)
		easy = curl_easy_init();
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_CAINFO, trusted);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	printf("%s: %d %ld\n", url, code, status);
	fflush(stdout);
}
