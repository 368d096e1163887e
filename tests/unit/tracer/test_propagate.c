// SPDX-License-Identifier: Apache-2.0
/* Who gets our context. */
#include "tracer/propagate.h"

#include <criterion/criterion.h>
#include <string.h>

static struct address inside = { .text = "10.0.0.1",
				 .len = 8,
				 .internal = true };
static struct address outside = { .text = "93.184.216.34", .len = 13 };
static struct address unknown;

static bool to(const char *host, const struct address *peer)
{
	return propagate_to(at_text_from(host), peer);
}

static const char *const internal_hosts[] = {
	"localhost",
	"db",
	"db.",
	"DB",
	"a.local",
	"A.LOCAL",
	"x.internal",
	"x.localhost",
	"x.test",
	"x.svc",
	"a.b.svc",
	"x.cluster.local",
	"x.test.",
	"127.0.0.1",
	"127.9.9.9",
	"10.255.0.1",
	"172.16.0.1",
	"172.31.9.9",
	"192.168.0.1",
	"169.254.1.1",
	"::1",
	"fe80::1",
	"fd00::1",
	"fc00::1",
	"::ffff:10.0.0.1",
};

static const char *const foreign_hosts[] = {
	"example.com",  "local.example.com", "mylocal.com",   "xlocal.x",
	"api.testing",  "8.8.8.8",           "172.32.0.1",    "172.15.0.1",
	"100.64.0.1",   "192.169.0.1",       "2001:db8::1",   "::ffff:8.8.8.8",
	"internal.com", "test.com",          "127.0.0.1.com",
};

Test(propagate, by_default_to_internal_hosts)
{
	size_t i;

	propagate_start("internal");
	for (i = 0; i < sizeof(internal_hosts) / sizeof(char *); i++) {
		cr_expect(to(internal_hosts[i], NULL), "%s", internal_hosts[i]);
		cr_expect(to(internal_hosts[i], &outside), "%s",
			  internal_hosts[i]);
	}
	for (i = 0; i < sizeof(foreign_hosts) / sizeof(char *); i++) {
		cr_expect_not(to(foreign_hosts[i], NULL), "%s",
			      foreign_hosts[i]);
		cr_expect_not(to(foreign_hosts[i], &outside), "%s",
			      foreign_hosts[i]);
		cr_expect_not(to(foreign_hosts[i], &unknown), "%s",
			      foreign_hosts[i]);
	}
}

/* A name that leads inside is inside, unless a proxy stands between. */
Test(propagate, a_direct_peer_decides_for_names)
{
	propagate_start("internal");
	cr_expect(to("api.example.com", &inside));
	cr_expect_not(to("api.example.com", NULL));
	cr_expect(to("", &inside));
	cr_expect_not(to("", &outside));
	cr_expect_not(to("", NULL));
}

Test(propagate, a_literal_address_speaks_for_itself)
{
	propagate_start("internal");
	cr_expect_not(to("8.8.8.8", &inside));
	cr_expect(to("10.0.0.1", &outside));
}

Test(propagate, all_or_none)
{
	propagate_start("all");
	cr_expect(to("example.com", &outside));
	cr_expect(to("", NULL));
	propagate_start("none");
	cr_expect_not(to("localhost", &inside));
	propagate_start("NONE");
	cr_expect_not(to("localhost", &inside));
	propagate_start("");
	cr_expect_not(to("localhost", &inside));
}

Test(propagate, patterns_replace_the_default)
{
	propagate_start("*.shop.example, api?.example.com");
	cr_expect(to("order.shop.example", &outside));
	cr_expect(to("Order.SHOP.example", NULL));
	cr_expect(to("api1.example.com", NULL));
	cr_expect_not(to("api.example.com", NULL));
	cr_expect_not(to("shop.example", NULL));
	cr_expect_not(to("localhost", &inside));
	cr_expect_not(to("", &inside));
	propagate_start("internal,*.partner.example");
	cr_expect(to("localhost", NULL));
	cr_expect(to("a.partner.example", &outside));
	cr_expect_not(to("example.com", &outside));
}

/* Items are taken in order. */
Test(propagate, the_first_item_that_decides_wins)
{
	propagate_start("none,all");
	cr_expect_not(to("localhost", NULL));
	propagate_start(",all,none");
	cr_expect(to("example.com", NULL));
}
