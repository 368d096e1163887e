// SPDX-License-Identifier: Apache-2.0
#include "cli/policy.h"

#include <errno.h>
#include <string.h>

#include "cli/verdict.h"

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", UINT64_C(60000000000) },
	{ "h", UINT64_C(3600000000000) },
};

static uint64_t unit_of(struct at_text text)
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (at_text_equal(text, at_text_from(units[i].name)))
			return units[i].ns;
	return 0;
}

/* Digits, perhaps a point and more digits, then the unit. */
int at_duration_parse(struct at_text text, uint64_t *ns)
{
	uint64_t value = 0, unit, parts = 1;
	bool fraction = false;
	size_t i;

	for (i = 0; i < text.len && i < 10; i++) {
		char c = text.ptr[i];

		if (c == '.' && !fraction && i) {
			fraction = true;
		} else if (c >= '0' && c <= '9') {
			value = value * 10 + (uint64_t)(c - '0');
			parts *= fraction ? 10 : 1;
		} else {
			break;
		}
	}
	unit = unit_of((struct at_text){ text.ptr + i, text.len - i });
	if (!i || !unit || __builtin_mul_overflow(value, unit / parts, ns))
		return -EINVAL;
	return 0;
}

static bool take_prefix(struct at_text *text, struct at_text prefix)
{
	if (text->len < prefix.len ||
	    memcmp(text->ptr, prefix.ptr, prefix.len) != 0)
		return false;
	text->ptr += prefix.len;
	text->len -= prefix.len;
	return true;
}

int at_keep_parse(struct at_keep *keep, const char *list)
{
	struct at_text rest = at_text_from(list), item;

	*keep = (struct at_keep){ .slow_ns = UINT64_MAX };
	while (at_text_next(&rest, ',', &item)) {
		item = at_text_trim(item);
		if (at_text_equal(item, AT_TEXT("errors")))
			keep->errors = true;
		else if (!take_prefix(&item, AT_TEXT("slow:")) ||
			 at_duration_parse(item, &keep->slow_ns))
			return -EINVAL;
		keep->asked = true;
	}
	return keep->asked ? 0 : -EINVAL;
}

int at_fail_on_parse(struct at_fail_on *fail_on, const char *list)
{
	struct at_text rest = at_text_from(list), item;
	bool any = false;

	*fail_on = (struct at_fail_on){ 0 };
	while (at_text_next(&rest, ',', &item)) {
		item = at_text_trim(item);
		if (at_text_equal(item, AT_TEXT("http-5xx")))
			fail_on->http_5xx = true;
		else if (at_text_equal(item, AT_TEXT("http-error")))
			fail_on->http_error = true;
		else if (at_text_equal(item, AT_TEXT("crash")))
			fail_on->crash = true;
		else
			return -EINVAL;
		any = true;
	}
	return any ? 0 : -EINVAL;
}

static bool any_crashed(const struct at_span_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (at_crashed(&list->item[i]))
			return true;
	return false;
}

static bool judge(const struct at_keep *keep, const struct at_span_list *list,
		  const struct at_forest *forest, uint32_t head)
{
	struct at_chain chain;

	if (head == AT_NO_NODE ||
	    forest->span[head].duration_ns >= keep->slow_ns)
		return true;
	if (!keep->errors)
		return false;
	at_chain_find(forest, head, &chain);
	return chain.count || any_crashed(list);
}

bool at_keep_wants(const struct at_keep *keep, const struct at_span_list *list,
		   const uint8_t *head_id)
{
	struct at_forest forest;
	bool wanted = true;

	if (!keep->asked)
		return true;
	if (at_forest_grow(&forest, list) == 0)
		wanted = judge(keep, list, &forest,
			       at_forest_find(&forest, head_id));
	at_forest_free(&forest);
	return wanted;
}

static bool breaks(const struct at_fail_on *fail_on,
		   const struct at_shown *span)
{
	return (fail_on->crash && at_crashed(span)) ||
	       (fail_on->http_error && at_http_failed(span)) ||
	       (fail_on->http_5xx && span->http && span->status_code >= 500);
}

size_t at_fail_on_count(const struct at_fail_on *fail_on,
			const struct at_span_list *list,
			const struct at_shown **span)
{
	size_t i, count = 0;

	for (i = 0; i < list->count; i++)
		if (breaks(fail_on, &list->item[i]) && !count++)
			*span = &list->item[i];
	return count;
}
