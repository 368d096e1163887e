// SPDX-License-Identifier: Apache-2.0
/* What a path is called, and when it is not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/wire.h"
#include "tracer/route.h"

static struct at_config config;
static struct at_span span;

static void use(const char *routes)
{
	config.routes = routes;
	route_start(&config);
}

/* The span's name for this path. */
static const char *name_of(const char *path)
{
	at_span_init(&span, AT_KIND_SERVER);
	at_span_set_name(&span, AT_TEXT("GET"));
	route_fill(&span, at_text_from(path));
	return wire_text(&span, AT_FIELD_NAME);
}

static void expect_route(const char *path, const char *route)
{
	char name[300];

	snprintf(name, sizeof(name), *route ? "GET %s" : "GET", route);
	cr_expect_str_eq(name_of(path), name, "%s", path);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_HTTP_ROUTE), route, "%s",
			 path);
}

Test(route, nothing_is_invented)
{
	use("");
	expect_route("/users/1", "");
}

Test(route, the_first_template_that_fits)
{
	use("/users/me, /users/{id},/users/{id}/posts/{post} ,/api/order,/,{x}");
	expect_route("/users/me", "/users/me");
	expect_route("/users/1", "/users/{id}");
	expect_route("/users/", "");
	expect_route("/users", "");
	expect_route("/users/1/", "");
	expect_route("/users/1/posts/2", "/users/{id}/posts/{post}");
	expect_route("/users/1/posts", "");
	expect_route("/api/order", "/api/order");
	expect_route("/API/order", "");
	expect_route("/", "/");
	expect_route("*", "{x}");
}

Test(route, ids_are_replaced)
{
	static const char *const paths[][2] = {
		{ "/", "GET /" },
		{ "/a/12/b", "GET /a/{id}/b" },
		{ "/a/12/", "GET /a/{id}/" },
		{ "/v2/items", "GET /v2/items" },
		{ "/u/123e4567-e89b-12d3-a456-426614174000", "GET /u/{id}" },
		{ "/c/DEADBEEF01", "GET /c/{id}" },
		{ "/deadbeef", "GET /deadbeef" },
		{ "/t/eyJhbGciOiJIUzI1NiIsInR5cCI6", "GET /t/{id}" },
	};
	size_t i;

	use("auto");
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		cr_expect_str_eq(name_of(paths[i][0]), paths[i][1]);
		cr_expect_str_eq(wire_text(&span, AT_ATTR_HTTP_ROUTE), "");
	}
}

/* A scanner asks for anything: names stay few. */
Test(route, names_are_limited)
{
	char path[32], name[40];
	int i;

	use("auto");
	for (i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/x%c%c", 'a' + i / 26,
			 'a' + i % 26);
		snprintf(name, sizeof(name),
			 i < ROUTE_NAMES_MAX ? "GET %s" : "GET", path);
		cr_expect_str_eq(name_of(path), name, "%d", i);
	}
	cr_expect_str_eq(name_of("/xaa"), "GET /xaa");
}

Test(route, a_name_too_long_is_none)
{
	char path[400];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[399] = 0;
	use("auto");
	cr_expect_str_eq(name_of(path), "GET");
}
