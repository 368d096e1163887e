// SPDX-License-Identifier: Apache-2.0
#include "exporter/descriptor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

Test(exporter_descriptor, moves_up_and_frees_the_old_number)
{
	int fd = dup(1), high = descriptor_raise(fd);

	cr_assert_geq(high, 512);
	cr_assert_eq(fcntl(high, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(fcntl(fd, F_GETFD), -1);
	close(high);
}

Test(exporter_descriptor, stays_where_high_numbers_are_not_allowed)
{
	struct rlimit limit = { 100, 100 };
	int fd = dup(1);

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(descriptor_raise(fd), fd);
	cr_assert_geq(fcntl(fd, F_GETFD), 0);
	close(fd);
}

Test(exporter_descriptor, hands_errors_on)
{
	cr_assert_eq(descriptor_raise(-EMFILE), -EMFILE);
}
