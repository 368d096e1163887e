// SPDX-License-Identifier: Apache-2.0
/* move family: bytes that pass a socket without passing the program. */
#include "hooks/hook.h"

ssize_t hook_sendfile(int out, int in, off_t *offset, size_t count)
{
	ssize_t result;
	int error;

	if (!at_moving_out(out, hook_call_sendmsg))
		return -1;
	result = REAL(sendfile)(out, in, offset, count);
	error = errno;
	at_moved_out(out, result);
	at_moved_in(in, result);
	errno = error;
	return result;
}
HOOK_EXPORT(sendfile)

ssize_t hook_sendfile64(int out, int in, off64_t *offset, size_t count)
{
	return hook_sendfile(out, in, offset, count);
}
HOOK_EXPORT(sendfile64)

ssize_t hook_splice(int in, off64_t *in_at, int out, off64_t *out_at,
		    size_t len, unsigned int flags)
{
	ssize_t result;
	int error;

	if (!HAVE_REAL(splice) || !at_moving_out(out, hook_call_sendmsg))
		return -1;
	result = REAL(splice)(in, in_at, out, out_at, len, flags);
	error = errno;
	at_moved_in(in, result);
	at_moved_out(out, result);
	errno = error;
	return result;
}
HOOK_EXPORT(splice)
