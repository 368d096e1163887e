// SPDX-License-Identifier: Apache-2.0
/* What else happens to a connection between its writes. Part of fuzz_send.c. */

/* The message that holds the next byte; NULL behind the last. */
static const struct message *message_now(void)
{
	unsigned int i;

	for (i = 0; i < input.message_count; i++)
		if (now.accepted < input.message[i].end)
			return &input.message[i];
	return NULL;
}

/* Bytes go by another way: harmless only in a body of known length. */
static void move_some(void)
{
	const struct message *m = message_now();
	bool in_body = m && now.accepted >= m->body && m->body < m->end;
	size_t n = 1 + roll(200), left = input.len - now.accepted;

	/* What is in the middle of chunks takes a parser to know. */
	if (!left || (m && m->body == m->end && now.accepted > m->head) ||
	    (has_twin && !now.accepted))
		return;
	if (in_body)
		left = m->end - now.accepted;
	if (n > left)
		n = left;
	call_begins();
	errno = 4242;
	if (!wire_move(&wire, input.stream + now.accepted, n)) {
		require(now.refused || errno == EAGAIN);
		n = 0;
	} else if (!in_body) {
		lose(now.accepted);
	}
	call_ends(n, true);
}

/* Blank lines before a request: begun or not, as the split falls. */
static bool only_blanks(const struct message *m)
{
	size_t i;

	for (i = m->start; i < now.accepted; i++)
		if (input.stream[i] != '\r' && input.stream[i] != '\n')
			return false;
	return now.accepted > m->start;
}

/*
 * The process goes on as its child. What was under way is the parent's: the
 * child's bytes pass as they are, and what is owed the parent owes.
 */
static void fork_away(void)
{
	const struct message *m = message_now();
	bool under_way = now.begun || now.answered < now.next ||
			 (m && now.accepted > m->start);
	unsigned int i;

	if (m && only_blanks(m))
		return;
	for (i = now.answered; i < now.next; i++)
		if (input.message[i].leaves)
			return;
	wire_fork();
	now.spans = 0;
	now.more_spans = 0;
	now.out += now.begun;
	now.next += now.begun > 0;
	now.begun = 0;
	now.answered = now.next;
	if (under_way)
		lose(now.accepted);
}

static void lose_twin(void)
{
	if (!has_twin)
		return;
	has_twin = false;
	wire.fd = number;
	at_fd_closing(twin);
}

static void make_twin(void)
{
	if (has_twin) {
		lose_twin();
		return;
	}
	require(dup2(number, twin) == twin);
	at_fd_duplicated(number, twin);
	has_twin = true;
}

/*
 * Behind our back the number becomes another socket, on which the application
 * begins with its next request. Not behind a head, nor on a connection that was
 * lost: there nobody looks.
 */
static void replace_socket(void)
{
	const struct message *m = message_now();
	bool owed = now.begun && now.begun < WIRE_HEADER_BYTES;

	if (has_twin || !m || now.lost != NEVER || now.unsure ||
	    (now.accepted >= m->head && !owed))
		return;
	which = !which;
	require(dup2(sockets[which], number) == number);
	if (now.begun)
		now.spans++;
	now.out += now.begun;
	now.begun = 0;
	if (now.accepted > m->start)
		now.accepted = m->end;
	now.in = now.accepted;
	while (now.next < input.message_count &&
	       input.message[now.next].head < now.accepted)
		now.next++;
	now.answered = now.next;
}

/* The kernel refuses what cannot be, and nobody reads it before. */
static void write_nonsense(void)
{
	size_t left = input.len - now.accepted, half = left / 2;
	char *bytes = input.stream + now.accepted;
	struct iovec wild[] = { { bytes, half },
				{ (void *)(uintptr_t)roll(100), 500 } };
	struct iovec wraps[] = { { bytes, left }, { bytes, SIZE_MAX - half } };
	bool absurd = roll(2);

	call_begins();
	now.kernel_error = absurd ? EINVAL : EFAULT;
	require(wire_writev(&wire, absurd ? wraps : wild, 2) == -1);
	require(errno == now.kernel_error || errno == EAGAIN);
	call_ends(0, true);
}

static void something_happens(void)
{
	switch (roll(10)) {
	case 0:
		fork_away();
		break;
	case 1:
		make_twin();
		break;
	case 2:
		replace_socket();
		break;
	case 3:
		write_nonsense();
		break;
	default:
		move_some();
		break;
	}
}
