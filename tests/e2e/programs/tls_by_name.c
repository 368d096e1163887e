// SPDX-License-Identifier: Apache-2.0
/*
 * tls_by_name LIBSSL HOST PORT [SECOND_LIBSSL]: a GET through a libssl that is
 * loaded at run time, each of whose functions is looked up by name, as Qt and
 * mono do; with a second libssl, another GET through that.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct library {
	const void *(*TLS_client_method)(void);
	void *(*SSL_CTX_new)(const void *);
	void *(*SSL_new)(void *);
	int (*SSL_set_fd)(void *, int);
	int (*SSL_connect)(void *);
	int (*SSL_write)(void *, const void *, int);
	int (*SSL_read)(void *, void *, int);
	void (*SSL_free)(void *);
	void (*SSL_CTX_free)(void *);
};

static void load(struct library *library, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		puts(dlerror());
		exit(1);
	}
#define LOAD(name) *(void **)&library->name = dlsym(handle, #name)
	LOAD(TLS_client_method);
	LOAD(SSL_CTX_new);
	LOAD(SSL_new);
	LOAD(SSL_set_fd);
	LOAD(SSL_connect);
	LOAD(SSL_free);
	LOAD(SSL_CTX_free);
	LOAD(SSL_read);
	*(void **)&library->SSL_write =
		dlvsym(handle, "SSL_write", "OPENSSL_3.0.0");
	if (dlsym(handle, "SSL_no_such_thing") || !dlerror())
		puts("a function that is not there");
	if (dlvsym(handle, "SSL_write", "OPENSSL_0.9") || !dlerror())
		puts("a version that is not there");
}

static void get(const struct library *library, const char *host, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((unsigned short)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	void *context = library->SSL_CTX_new(library->TLS_client_method());
	void *ssl = library->SSL_new(context);
	char text[4096];
	int len;

	inet_pton(AF_INET, host, &to.sin_addr);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		perror("connect");
	library->SSL_set_fd(ssl, fd);
	if (library->SSL_connect(ssl) != 1)
		puts("no handshake");
	len = snprintf(text, sizeof(text),
		       "GET /ok HTTP/1.1\r\nHost: %s:%d\r\n\r\n", host, port);
	printf("wrote %d\n", library->SSL_write(ssl, text, len) == len);
	len = library->SSL_read(ssl, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = 0;
	printf("%.15s\n", text);
	library->SSL_free(ssl);
	library->SSL_CTX_free(context);
	close(fd);
}

int main(int argc, char **argv)
{
	struct library library;
	int i;

	if (argc < 4)
		return 2;
	if (dlsym(RTLD_DEFAULT, "SSL_write") ||
	    dlsym(RTLD_DEFAULT, "curl_easy_perform") || !dlerror())
		puts("functions of libraries that are not there");
	for (i = 1; i < argc; i += i == 1 ? 3 : 1) {
		load(&library, argv[i]);
		get(&library, argv[2], atoi(argv[3]));
	}
	return 0;
}
