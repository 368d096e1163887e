// SPDX-License-Identifier: Apache-2.0
#include "core/ci.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/vectors.h"

static struct at_ci ci;

static enum at_ci_fact fact_of(const char *attribute)
{
	int i;

	for (i = 0; i < AT_CI_FACT_COUNT; i++) {
		const char *key = at_ci_attribute((enum at_ci_fact)i);

		if (key && !strcmp(key, attribute))
			return (enum at_ci_fact)i;
	}
	cr_assert_fail("no fact is called %s", attribute);
	return AT_CI_FACT_COUNT;
}

static void expect_fact(enum at_ci_fact fact, const char *expected,
			const char *where)
{
	cr_expect(at_text_equal(ci.fact[fact], at_text_from(expected)),
		  "%s: %s is %.*s, not %s", where,
		  at_ci_attribute(fact) ? at_ci_attribute(fact) : "(inner)",
		  (int)ci.fact[fact].len, ci.fact[fact].ptr, expected);
}

Test(core_ci, vectors)
{
	cJSON *all = vectors_load("ci"), *vector, *want;

	cJSON_ArrayForEach(vector, all) {
		const cJSON *out = cJSON_GetObjectItem(vector, "out");
		char **environment = vector_env(vector, "env");
		bool found = at_ci_detect(&ci, environment);

		cr_expect_eq(found, out->child != NULL, "%s",
			     vector_id(vector));
		cJSON_ArrayForEach(want, out)
			expect_fact(fact_of(want->string), want->valuestring,
				    vector_id(vector));
		cJSON_ArrayForEach(want, cJSON_GetObjectItem(vector, "absent"))
			expect_fact(fact_of(want->valuestring), "",
				    vector_id(vector));
		vector_env_free(environment);
	}
	cJSON_Delete(all);
}

static void detect(const char *const environment[])
{
	cr_assert(at_ci_detect(&ci, (char *const *)(uintptr_t)environment));
}

#define DETECT(...) detect((const char *const[]){ __VA_ARGS__, NULL })
#define EXPECT(fact, text) expect_fact(AT_CI_##fact, text, __func__)

Test(core_ci, nothing_is_said_where_nothing_is_known)
{
	const char *const off[] = { "GITHUB_ACTIONS=false",
				    "TRAVIS=", "JENKINS_URL=http://j/", "CI=1",
				    NULL };
	int i;

	cr_assert_not(at_ci_detect(&ci, (char *const *)(uintptr_t)off));
	cr_assert_null(ci.system);
	for (i = 0; i < AT_CI_FACT_COUNT; i++)
		cr_expect_eq(ci.fact[i].len, 0);
	cr_assert_not(at_ci_detect(&ci, NULL));
}

Test(core_ci, of_two_systems_the_one_that_runs_the_job)
{
	DETECT("CODEBUILD_BUILD_ARN=arn", "CODEBUILD_BUILD_ID=p:1",
	       "JENKINS_URL=http://j/", "BUILD_ID=7", "GITHUB_ACTIONS=true",
	       "GITHUB_RUN_ID=5");
	cr_expect_str_eq(ci.system, "github");
	EXPECT(RUN_ID, "5");
	DETECT("CODEBUILD_BUILD_ARN=arn", "CODEBUILD_BUILD_ID=p:1");
	cr_expect_str_eq(ci.system, "codebuild");
	EXPECT(PIPELINE_NAME, "p");
	EXPECT(RUN_ID, "p:1");
}

Test(core_ci, a_url_needs_all_its_parts)
{
	DETECT("GITHUB_ACTIONS=true", "GITHUB_RUN_ID=5",
	       "GITHUB_SERVER_URL=https://github.com");
	EXPECT(RUN_URL, "");
	EXPECT(REPOSITORY_URL, "");
	DETECT("GITHUB_ACTIONS=true", "GITHUB_RUN_ID=5",
	       "GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=a/b",
	       "JOB_CHECK_RUN_ID=77");
	EXPECT(RUN_URL, "https://github.com/a/b/actions/runs/5");
	EXPECT(TASK_ID, "77");
	EXPECT(TASK_URL, "https://github.com/a/b/actions/runs/5/job/77");
}

Test(core_ci, who_acts_as_github_is_called_by_its_name)
{
	DETECT("GITHUB_ACTIONS=true", "GITEA_ACTIONS=true");
	EXPECT(PROVIDER, "gitea");
}

Test(core_ci, remotes_become_what_a_browser_takes)
{
	static const char *const remotes[][3] = {
		{ "git@github.com:a/b.git", "https://github.com/a/b", "b" },
		{ "https://u:p@x@host:8443/g/p.git/", "https://host:8443/g/p",
		  "p" },
		{ "ssh://git@host:2222/g/s/p.git", "https://host/g/s/p", "p" },
		{ "git://host/p", "https://host/p", "p" },
		{ "host:p.git", "https://host/p", "p" },
		{ "/srv/git/p.git", "", "p" },
		{ "file:///srv/git/p.git", "", "p" },
		{ "https://host/p?token=x", "https://host/p", "p" },
		{ "https://", "", "" },
		{ "p", "", "p" },
	};
	size_t i;

	for (i = 0; i < sizeof(remotes) / sizeof(remotes[0]); i++) {
		char remote[128];

		snprintf(remote, sizeof(remote), "BUILDKITE_REPO=%s",
			 remotes[i][0]);
		DETECT("BUILDKITE=true", remote);
		expect_fact(AT_CI_REPOSITORY_URL, remotes[i][1], remotes[i][0]);
		expect_fact(AT_CI_REPOSITORY_NAME, remotes[i][2],
			    remotes[i][0]);
	}
}

Test(core_ci, the_owner_is_named_only_where_a_path_has_one)
{
	DETECT("BUILDKITE=true", "BUILDKITE_REPO=git@github.com:a/b");
	EXPECT(OWNER, "a");
	EXPECT(PROVIDER, "github");
	DETECT("TF_BUILD=True",
	       "BUILD_REPOSITORY_URI=https://o@dev.azure.com/o/p/_git/r");
	EXPECT(REPOSITORY_NAME, "r");
	EXPECT(REPOSITORY_URL, "https://dev.azure.com/o/p/_git/r");
	EXPECT(OWNER, "");
	EXPECT(PROVIDER, "");
}

Test(core_ci, refs_lose_their_prefix_and_say_what_they_are)
{
	DETECT("TF_BUILD=True", "BUILD_SOURCEBRANCH=refs/tags/v1");
	EXPECT(HEAD, "v1");
	EXPECT(TYPE, "tag");
	EXPECT(HEAD_TYPE, "tag");
	DETECT("TF_BUILD=True", "BUILD_SOURCEBRANCH=refs/heads/a/b");
	EXPECT(HEAD, "a/b");
	EXPECT(TYPE, "branch");
	DETECT("TF_BUILD=True", "BUILD_SOURCEBRANCH=refs/pull/3/merge");
	EXPECT(HEAD, "pull/3/merge");
	EXPECT(TYPE, "");
	DETECT("DRONE=true", "DRONE_BRANCH=main", "DRONE_TAG=v2");
	EXPECT(HEAD, "v2");
	EXPECT(TYPE, "tag");
	DETECT("GITHUB_ACTIONS=true", "GITHUB_REF_NAME=v3",
	       "GITHUB_REF_TYPE=tag");
	EXPECT(TYPE, "tag");
}

Test(core_ci, a_change_has_a_number_and_only_it_a_base)
{
	DETECT("TRAVIS=true", "TRAVIS_PULL_REQUEST=false",
	       "TRAVIS_BRANCH=main");
	EXPECT(CHANGE_ID, "");
	EXPECT(BASE, "");
	EXPECT(HEAD, "main");
	DETECT("TRAVIS=true", "TRAVIS_PULL_REQUEST=9", "TRAVIS_BRANCH=main",
	       "TRAVIS_PULL_REQUEST_BRANCH=fix");
	EXPECT(CHANGE_ID, "9");
	EXPECT(BASE, "main");
	EXPECT(HEAD, "fix");
}

Test(core_ci, braces_of_bitbucket_are_not_part_of_the_id)
{
	DETECT("BITBUCKET_COMMIT=abc", "BITBUCKET_PIPELINE_UUID={1-2}",
	       "BITBUCKET_STEP_UUID={3-4}", "BITBUCKET_REPO_FULL_NAME=t/r",
	       "BITBUCKET_BUILD_NUMBER=8");
	EXPECT(RUN_ID, "1-2");
	EXPECT(TASK_ID, "3-4");
	EXPECT(REPOSITORY_NAME, "r");
	EXPECT(OWNER, "t");
	EXPECT(RUN_URL,
	       "https://bitbucket.org/t/r/addon/pipelines/home#!/results/8");
}

Test(core_ci, azure_prefers_the_change_to_the_merge)
{
	DETECT("TF_BUILD=True", "BUILD_SOURCEVERSION=merge",
	       "SYSTEM_PULLREQUEST_SOURCECOMMITID=real",
	       "SYSTEM_TEAMFOUNDATIONSERVERURI=https://dev.azure.com/o/",
	       "SYSTEM_TEAMPROJECTID=p", "BUILD_BUILDID=4", "SYSTEM_JOBID=j");
	EXPECT(REVISION, "real");
	EXPECT(RUN_URL, "https://dev.azure.com/o/p/_build/results?buildId=4");
	EXPECT(TASK_URL, "https://dev.azure.com/o/p/_build/results?buildId=4"
			 "&view=logs&j=j");
}

Test(core_ci, what_does_not_fit_is_left_out)
{
	static char title[20000] = "GITHUB_WORKFLOW=";

	memset(title + strlen(title), 'x', sizeof(title) - 20);
	DETECT("GITHUB_ACTIONS=true", title, "GITHUB_RUN_ID=5");
	EXPECT(PIPELINE_NAME, "");
	EXPECT(RUN_ID, "5");
}
