// SPDX-License-Identifier: Apache-2.0
#include "core/program_name.h"

#include <criterion/criterion.h>
#include <string.h>

#define ARGV(...) ((char *[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })
#define W(word) ((char *)(uintptr_t)(word))

static void expect(char *const *argv, const char *expected)
{
	char text[AT_PROGRAM_NAME_BYTES + 1];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);

	at_program_name_write(&writer, argv);
	text[writer.len] = 0;
	cr_expect_str_eq(text, expected);
}

Test(program_name, is_the_base_name)
{
	expect(ARGV(W("/usr/bin/ls"), W("-l"), W("/home/me")), "ls");
	expect(ARGV(W("cc1"), W("-quiet"), W("secret.c")), "cc1");
	expect(ARGV(W("-bash")), "bash");
	expect(ARGV(), "");
	expect(NULL, "");
}

Test(program_name, scripts_are_named)
{
	expect(ARGV(W("python3"), W("/srv/manage.py"), W("migrate")),
	       "python3 manage.py");
	expect(ARGV(W("python3.11"), W("-W"), W("error"), W("-m"), W("pytest"),
		    W("-x")),
	       "python3.11 -m pytest");
	expect(ARGV(W("python3"), W("-uc"), W("print(1)")), "python3 -c");
	expect(ARGV(W("/bin/sh"), W("-ec"), W("echo hi")), "sh -c");
	expect(ARGV(W("bash"), W("-o"), W("pipefail"), W("./configure")),
	       "bash configure");
	expect(ARGV(W("perl"), W("-ne"), W("print")), "perl -e");
	expect(ARGV(W("node"), W("--max-old-space-size=1"), W("app.js")),
	       "node app.js");
	expect(ARGV(W("java"), W("-cp"), W("/x"), W("-jar"), W("/a/b.jar")),
	       "java -jar b.jar");
	expect(ARGV(W("python3")), "python3");
}

Test(program_name, subcommands_are_named)
{
	expect(ARGV(W("git"), W("-C"), W("/repo"), W("clone"), W("url")),
	       "git clone");
	expect(ARGV(W("npm"), W("run"), W("build"), W("--"), W("x")),
	       "npm run build");
	expect(ARGV(W("aws"), W("--profile"), W("me"), W("s3"), W("cp")),
	       "aws s3 cp");
	expect(ARGV(W("make"), W("-j"), W("2"), W("V=1"), W("check")),
	       "make check");
	expect(ARGV(W("cargo"), W("test")), "cargo test");
}

/* Never an option's value, a path, a URL, or anything given. */
Test(program_name, what_is_no_subcommand_is_not_shown)
{
	expect(ARGV(W("git"), W("https://u:p@h/r")), "git");
	expect(ARGV(W("git"), W("Pa55word")), "git");
	expect(ARGV(W("make"), W("/tmp/x.o")), "make");
	expect(ARGV(W("openssl"), W("--")), "openssl");
	expect(ARGV(W("mysql"), W("-psecret"), W("db")), "mysql");
	expect(ARGV(W("git"), W("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
	       "git");
}

Test(program_name, is_harmless_to_look_at)
{
	char name[500];

	expect(ARGV(W("/a b/c\td\033[1m")), "c_d_[1m");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	name[64] = 0;
	expect(ARGV(name), name);
	name[64] = 'x';
	{
		char cut[65];

		memcpy(cut, name, 64);
		cut[64] = 0;
		expect(ARGV(name), cut);
	}
}
