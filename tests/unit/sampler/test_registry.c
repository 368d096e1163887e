// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/config_parse.h"
#include "sampler/sampler.h"

static const uint8_t some_id[AT_TRACE_ID_BYTES] = { 1, [15] = 1 };

static enum at_decision decide(const char *name, const char *arg)
{
	struct at_sample_request root = { NULL, some_id };
	struct at_sampler sampler;

	at_sampler_open(&sampler, name, arg);
	return at_sample(&sampler, &root);
}

Test(sampler_registry, every_name_the_configuration_knows_has_a_sampler)
{
	const struct at_sampler_kind *const *kind;
	int count = 0;

	for (kind = at_sampler_kinds; *kind; kind++) {
		struct at_config_value value;
		struct at_sampler sampler;

		cr_expect_eq(at_config_parse(AT_CONFIG_SAMPLER,
					     at_text_from((*kind)->name),
					     &value),
			     0, "%s", (*kind)->name);
		cr_expect_str_eq(value.name, (*kind)->name);
		cr_expect_eq(at_sampler_open(&sampler, value.name, ""), 0);
		cr_expect_eq(sampler.kind, *kind);
		count++;
	}
	cr_expect_eq(count, 6);
}

Test(sampler_registry, always_on_and_off_do_what_they_say)
{
	cr_expect_eq(decide("always_on", ""), AT_RECORD_AND_SAMPLE);
	cr_expect_eq(decide("always_off", ""), AT_DROP);
	cr_expect_eq(decide("Always_Off", "1"), AT_DROP);
}

Test(sampler_registry, an_unknown_name_gives_the_default)
{
	struct at_sampler sampler;

	cr_expect_eq(at_sampler_open(&sampler, "jaeger_remote", ""), -ENOENT);
	cr_expect_str_eq(sampler.kind->name, "parentbased_always_on");
	cr_expect_eq(at_sampler_open(&sampler, "", ""), -ENOENT);
	cr_expect_eq(decide("bogus", ""), AT_RECORD_AND_SAMPLE);
}

Test(sampler_registry, a_bad_ratio_keeps_all_and_is_reported)
{
	static const char *const names[] = { "traceidratio",
					     "parentbased_traceidratio" };
	struct at_sampler sampler;
	int i;

	for (i = 0; i < 2; i++) {
		cr_expect_eq(at_sampler_open(&sampler, names[i], "1.5"),
			     -EINVAL);
		cr_expect_eq(sampler.threshold, UINT64_C(1) << 63);
		cr_expect_eq(decide(names[i], "nan"), AT_RECORD_AND_SAMPLE);
		cr_expect_eq(decide(names[i], ""), AT_RECORD_AND_SAMPLE);
		cr_expect_eq(decide(names[i], "0"), AT_DROP);
	}
}
