// SPDX-License-Identifier: Apache-2.0
/*
 * curl, c-ares and OpenSSL read the environment on our thread, while the
 * program may be changing it on its own: getenv beside setenv walks freed
 * memory (seen: a segmentation fault in the host). It would also be wrong: the
 * program's proxies, key log and resolver options are not ours. The linker
 * puts these in the place of libc's (--wrap, see the Makefile); our settings
 * come from core/config.c alone.
 */
#include <stddef.h>

char *__wrap_getenv(const char *name);
char *__wrap_secure_getenv(const char *name);

char *__wrap_getenv(const char *name)
{
	(void)name;
	return NULL;
}

char *__wrap_secure_getenv(const char *name)
{
	(void)name;
	return NULL;
}
