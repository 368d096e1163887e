// SPDX-License-Identifier: Apache-2.0
/*
 * traceidratio: keep when the low 63 bits of the trace id, seen as a fraction,
 * are below the ratio. Go and Rust decide the same for the same id.
 *
 * The ratio is read without strtod, whose decimal point depends on the
 * program's locale and which may be replaced. A decimal fraction is turned
 * into bits by doubling it; what is carried out is the next bit.
 */
#include <errno.h>
#include <string.h>

#include "sampler/kinds.h"

#define THRESHOLD_ALL (UINT64_C(1) << 63)

/*
 * Bits below 2^-64 never reach the threshold, so the last bit that decides a
 * rounding is the 117th, and 117 decimals are enough to tell a tie; one more
 * digit stands for all that follow.
 */
#define EXACT_DIGITS 117
#define SIGNIFICANT_BITS 53
#define EXPONENT_MAX 1000000

struct number {
	struct at_text digits; /* with at most one '.' among them */
	bool negative;
	long point; /* digits before the decimal point, exponent included */
};

struct fraction {
	uint8_t digit[EXACT_DIGITS + 1];
	int used; /* the last used digit is not 0 */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int read_exponent(struct at_text text, long *exponent)
{
	bool negative = text.len && text.ptr[0] == '-';
	long sum = 0;
	size_t i = negative || (text.len && text.ptr[0] == '+');

	if (i == text.len)
		return -EINVAL;
	for (; i < text.len; i++) {
		if (!is_digit(text.ptr[i]))
			return -EINVAL;
		if (sum < EXPONENT_MAX)
			sum = sum * 10 + (text.ptr[i] - '0');
	}
	*exponent = negative ? -sum : sum;
	return 0;
}

/* [+-] digits [. digits] [e [+-] digits], a digit before or after the point */
static int read_number(struct at_text text, struct number *number)
{
	bool point = false;
	long digits = 0, before = 0, exponent = 0;
	size_t i;

	number->negative = text.len && text.ptr[0] == '-';
	if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+')) {
		text.ptr++;
		text.len--;
	}
	for (i = 0; i < text.len; i++) {
		if (is_digit(text.ptr[i])) {
			digits++;
			before += !point;
		} else if (text.ptr[i] == '.' && !point) {
			point = true;
		} else {
			break;
		}
	}
	if (!digits)
		return -EINVAL;
	number->digits = (struct at_text){ text.ptr, i };
	if (i < text.len) {
		if (at_lower(text.ptr[i++]) != 'e')
			return -EINVAL;
		text.ptr += i;
		text.len -= i;
		if (read_exponent(text, &exponent))
			return -EINVAL;
	}
	number->point = before + exponent;
	return 0;
}

/* Digit `c` with weight 10^-place; an integer part other than 1 is too big. */
static int put_digit(struct fraction *fraction, bool *one, char c, long place)
{
	if (c == '0')
		return 0;
	if (place < 0 || (place == 0 && c != '1'))
		return -EINVAL;
	if (place == 0) {
		*one = true;
		return 0;
	}
	if (place > EXACT_DIGITS) {
		fraction->digit[EXACT_DIGITS] = 1;
		fraction->used = EXACT_DIGITS + 1;
		return 0;
	}
	fraction->digit[place - 1] = (uint8_t)(c - '0');
	fraction->used = (int)place;
	return 0;
}

static int doubled(struct fraction *fraction)
{
	int i, carry = 0;

	for (i = fraction->used - 1; i >= 0; i--) {
		int twice = fraction->digit[i] * 2 + carry;

		carry = twice >= 10;
		fraction->digit[i] = (uint8_t)(twice - 10 * carry);
	}
	while (fraction->used && !fraction->digit[fraction->used - 1])
		fraction->used--;
	return carry;
}

/* floor(2^63 * the double nearest to the fraction); uses the fraction up. */
static uint64_t threshold_of(struct fraction *fraction)
{
	uint64_t significand = 1;
	int leading = 1, bits, shift;

	while (!doubled(fraction))
		if (++leading > 64 || !fraction->used)
			return 0;
	for (bits = 1; bits < SIGNIFICANT_BITS; bits++)
		significand = significand << 1 | (uint64_t)doubled(fraction);
	/* To nearest, a tie to even. */
	if (doubled(fraction) && (fraction->used || significand & 1))
		significand++;
	shift = 63 - (leading + SIGNIFICANT_BITS - 1);
	return shift >= 0 ? significand << shift : significand >> -shift;
}

int at_ratio_parse(const char *arg, uint64_t *threshold)
{
	struct fraction fraction = { .used = 0 };
	struct number number;
	bool one = false;
	long place;
	size_t i;

	if (read_number(at_text_trim(at_text_from(arg)), &number))
		return -EINVAL;
	place = 1 - number.point;
	for (i = 0; i < number.digits.len; i++)
		if (number.digits.ptr[i] != '.' &&
		    put_digit(&fraction, &one, number.digits.ptr[i], place++))
			return -EINVAL;
	if ((one && fraction.used) ||
	    (number.negative && (one || fraction.used)))
		return -EINVAL;
	*threshold = one ? THRESHOLD_ALL : threshold_of(&fraction);
	return 0;
}

static int open_ratio(struct at_sampler *sampler, const char *arg)
{
	sampler->threshold = THRESHOLD_ALL;
	return *arg ? at_ratio_parse(arg, &sampler->threshold) : 0;
}

static enum at_decision decide_ratio(const struct at_sampler *sampler,
				     const struct at_sample_request *request)
{
	uint64_t low = 0;
	int i;

	for (i = AT_TRACE_ID_BYTES - 8; i < AT_TRACE_ID_BYTES; i++)
		low = low << 8 | request->trace_id[i];
	return low >> 1 < sampler->threshold ? AT_RECORD_AND_SAMPLE : AT_DROP;
}

const struct at_sampler_kind at_sampler_traceidratio = { "traceidratio",
							 open_ratio,
							 decide_ratio };
