// SPDX-License-Identifier: Apache-2.0
#include "cli/blind_spot.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct at_blind_spot *spot_of(const char *program,
					   const char *reason)
{
	struct at_shown span = { .process = true,
				 .program = program,
				 .blind_spot = reason };

	return at_blind_spot_of(&span);
}

static void expect_remedy(const char *program, const char *reason,
			  const char *begin)
{
	const struct at_blind_spot *spot = spot_of(program, reason);

	cr_assert_not_null(spot, "%s %s", program, reason);
	cr_assert_not_null(spot->remedy, "%s %s", program, reason);
	cr_expect(!strncmp(spot->remedy, begin, strlen(begin)), "%s",
		  spot->remedy);
}

Test(cli_blind_spot, each_has_its_remedy)
{
	expect_remedy("sudo", "setuid", "sudo --preserve-env=");
	expect_remedy("su", "setuid", "su USER -c ");
	expect_remedy("env", "preload_lost", "env -i LD_PRELOAD=");
	expect_remedy("prog", "sanitizer", "LD_PRELOAD=");
	expect_remedy("docker", "static", "docker run -v ");
	expect_remedy("podman", "", "podman run -v ");
}

Test(cli_blind_spot, what_cannot_be_helped_says_so)
{
	cr_expect_null(spot_of("ping", "setuid")->remedy);
	cr_expect_null(spot_of("go", "static")->remedy);
	cr_expect_null(spot_of("x", "arch")->remedy);
	cr_expect_not_null(spot_of("x", "a reason of tomorrow"));
}

Test(cli_blind_spot, others_are_none)
{
	struct at_shown request = { .program = "docker", .blind_spot = "" };

	cr_expect_null(spot_of("make", ""));
	cr_expect_null(at_blind_spot_of(&request));
}
