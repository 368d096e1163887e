#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Each caller gets its own copy of a TLS library's functions.

Two libraries that both define SSL_write, with versions as OpenSSL has them,
behind two plugins that are loaded RTLD_LOCAL; one unloaded and another loaded
in its place; a program that brings its own; and one whose library lacks it.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import Suite, check, compare_results

suite = Suite("tls-copies")
path = suite.runner.path

LIBRARY = """
int SSL_write(void *ssl, const void *bytes, int len)
{ (void)ssl; (void)bytes; return len + %d; }
int SSL_read(void *ssl, void *bytes, int len)
{ (void)ssl; (void)bytes; return -len - %d; }
"""
PLUGIN = """
int SSL_write(void *, const void *, int);
int SSL_read(void *, void *, int);
int plugin_write(void) { return SSL_write(0, "x", 1) + 0; }
int plugin_read(void) { char c; return SSL_read(0, &c, 1) + 0; }
"""
MAIN = """
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
%s
static void *call(const char *file, int close_it)
{
	void *plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	int (*w)(void), (*r)(void);

	if (!plugin) { puts(dlerror()); return 0; }
	w = (int (*)(void))dlsym(plugin, "plugin_write");
	r = (int (*)(void))dlsym(plugin, "plugin_read");
	printf("%%s %%d %%d %%d\\n", strrchr(file, '/') + 1, w(), r(), w());
	if (close_it) { dlclose(plugin); return 0; }
	return plugin;
}
int main(int argc, char **argv)
{
	int i, round;
	for (round = 0; round < 3; round++)
		for (i = 1; i < argc; i++)
			call(argv[i], round < 2);
	%s
	return 0;
}
"""


def compile_to(name, source, *options):
    """A program, or a library if -shared is among the options."""
    suite.runner.write(name + ".c", source)
    subprocess.run(["gcc", "-O1", "-fPIC", "-o", path(name),
                    path(name + ".c"), "-Wl,-rpath," + suite.runner.home,
                    *options], check=True)
    return path(name)


def library(name, number, version=None):
    options = ["-shared", "-Wl,-soname," + name]
    if version:
        script = suite.runner.write(name + ".map", "%s { SSL_*; };" % version)
        options.append("-Wl,--version-script=" + script)
    return compile_to(name, LIBRARY % (number, number), *options)


def plugin(name, *libraries):
    return compile_to(name, PLUGIN, "-shared", "-Wl,--no-as-needed",
                      *libraries)


one = library("libssl.so.one", 100, "OPENSSL_1_1_0")
two = library("libssl.so.two", 200, "OPENSSL_3.0.0")
bare = library("libssl.so.bare", 300)
plugins = {"one": plugin("plugin_one.so", one),
           "two": plugin("plugin_two.so", two),
           "bare": plugin("plugin_bare.so", bare),
           "none": plugin("plugin_none.so")}


def same(name, program, *arguments, expect):
    @suite.case(name)
    def run():
        bare = suite.runner.run([program, *arguments])
        bare.expect_status(0)
        for line in expect:
            check(line in bare.out, "the program itself: %r", bare.out)
        traced = suite.runner.run([program, *arguments], traced=True)
        compare_results(bare, traced)


plain = compile_to("plain", MAIN % ("", ""))
same("rtld-local", plain, plugins["one"], plugins["two"], plugins["bare"],
     expect=[b"plugin_one.so 101 -101", b"plugin_two.so 201 -201",
             b"plugin_bare.so 301 -301"])
same("other-order", plain, plugins["bare"], plugins["two"], plugins["one"],
     expect=[b"plugin_one.so 101", b"plugin_two.so 201"])
# With versions the plugin keeps to its own; without, the program's comes first.
own = compile_to("own", MAIN % (LIBRARY % (400, 400), ""), "-rdynamic")
same("program-brings-its-own", own, plugins["one"], plugins["two"],
     plugins["bare"], plugins["none"],
     expect=[b"plugin_none.so 401", b"plugin_bare.so 401"])
linked = compile_to("linked", MAIN % (
    "int SSL_write(void *, const void *, int);",
    'printf("%d\\n", SSL_write(0, "x", 1));'), one)
same("linked-at-the-start", linked, plugins["one"], plugins["two"],
     expect=[b"plugin_one.so 101", b"plugin_two.so 201"])

sys.exit(suite.main())
