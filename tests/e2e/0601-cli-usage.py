#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The command's help, version and complaints."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, COMMAND, ROOT, check

suite = harness.Suite("cli-usage")
SUBCOMMANDS = ("run", "view", "send", "job", "config")


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def autotrace(*words, **more):
    return suite.runner.run([COMMAND, *words], **more)


@case("help")
def help_text():
    result = autotrace("--help").expect_status(0)
    check(result.err == b"", "%r", result.err)
    for name in SUBCOMMANDS:
        check("\n  %s " % name in result.out.decode(), "no %s in the help",
              name)
    check(autotrace("help").out == result.out, "help is not --help")
    check(autotrace("-h").out == result.out, "-h is not --help")


@case("help-of-each-subcommand")
def subcommand_help():
    for name in SUBCOMMANDS:
        result = autotrace(name, "--help").expect_status(0)
        text = result.out.decode()
        check(text.startswith("usage: autotrace %s " % name), "%s", text)
        check(max(map(len, text.splitlines())) <= 80, "wide: %s", text)
        check(autotrace("help", name).out == result.out, "help %s", name)
        check(autotrace(name, "-h").out == result.out, "%s -h", name)


@case("help-is-not-the-commands-own")
def passed_help():
    """Behind the command an option is the command's."""
    result = autotrace("run", "-q", "expr", "--", "--help").expect_status(0)
    check(result.out == b"--help\n", "%r", result.out)


@case("version")
def version():
    result = autotrace("--version").expect_status(0)
    check(re.fullmatch(rb"autotrace \d+\.\d+\.\d+\n", result.out), "%r",
          result.out)


@case("every-option-is-documented")
def documented():
    with open(os.path.join(ROOT, "docs", "commands.md")) as file:
        text = file.read()
    for name in SUBCOMMANDS:
        out = autotrace(name, "--help").out.decode()
        options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", out, re.M)
        check(options, "%s: no option", name)
        for option in options:
            check("`%s" % option in text, "docs/commands.md lacks %s of %s",
                  option, name)


WRONG = (
    ([], "no command given"),
    (["nonsense"], "no such command: nonsense"),
    (["--nonsense"], "no such option: --nonsense"),
    (["help", "nonsense"], "no such command: nonsense"),
    (["run"], "which command?"),
    (["run", "--"], "which command?"),
    (["run", ""], "which command?"),
    (["run", "--fil=x", "true"], "no such option: --fil"),
    (["run", "-x", "true"], "no such option: -x"),
    (["run", "--quiet=1", "true"], "--quiet takes no value"),
    (["run", "--file"], "--file needs a value"),
    (["run", "--file=", "true"], "--file needs a value"),
    (["run", "--tree=some", "true"], "--tree is auto, all or none"),
    (["run", "--file=/nonexistent/x", "true"], "cannot write /nonexistent/x"),
    (["run", "-o", "/", "true"], "cannot write /"),
    (["view"], "which file?"),
    (["view", "a", "b"], "one file"),
    (["view", "--tree=none", "a"], "--tree is auto or all"),
    (["config", "x"], "unexpected argument: x"),
    (["config", "--jso"], "no such option: --jso"),
    (["run", "--\x1b[31m"], "no such option: --?[31m"),
)


@case("wrong-use-is-one-line-and-2")
def wrong_use():
    for words, reason in WRONG:
        result = autotrace(*words)
        check(result.status == 2, "%s: status %s", words, result.status)
        check(result.out == b"" and result.err.count(b"\n") == 1,
              "%s: %r %r", words, result.out, result.err)
        check(reason in result.err.decode() and
              result.err.startswith(b"autotrace: "), "%s: %r", words,
              result.err)


@case("a-full-output-is-an-error")
def full():
    for words in (["--help"], ["--version"], ["config"]):
        with open("/dev/full", "w") as sink:
            done = subprocess.run([COMMAND, *words], stdout=sink,
                                  stderr=subprocess.PIPE)
        check(done.returncode == 1 and b"No space left" in done.stderr,
              "%s: %s %r", words, done.returncode, done.stderr)


sys.exit(suite.main())
