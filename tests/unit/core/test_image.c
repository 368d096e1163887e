// SPDX-License-Identifier: Apache-2.0
#include "core/image.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/autotrace-image-XXXXXX";
static char path[64];

static void make_folder(void)
{
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/program", folder);
}

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

TestSuite(image, .init = make_folder, .fini = remove_folder);

static void write_to(const char *file, const void *bytes, size_t len,
		     mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void write_file(const void *bytes, size_t len, mode_t mode)
{
	write_to(path, bytes, len, mode);
}

struct program {
	Elf64_Ehdr head;
	Elf64_Phdr header;
	char interpreter[32];
};

static struct program program_of(const char *interpreter)
{
	struct program program = {
		.head = { .e_type = ET_DYN,
			  .e_machine = EM_X86_64,
			  .e_phoff = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 1 },
		.header = { .p_type = interpreter ? PT_INTERP : PT_LOAD,
			    .p_offset = offsetof(struct program, interpreter) },
	};

#ifdef __aarch64__
	program.head.e_machine = EM_AARCH64;
#endif
	memcpy(program.head.e_ident, ELFMAG, SELFMAG);
	program.head.e_ident[EI_CLASS] = ELFCLASS64;
	if (interpreter)
		strcpy(program.interpreter, interpreter);
	return program;
}

static void expect_kind(const struct program *program, mode_t mode,
			enum at_image_kind kind)
{
	struct at_image image;

	write_file(program, sizeof(*program), mode);
	cr_assert_eq(at_image_look(AT_FDCWD, path, &image), 0);
	cr_expect_eq(image.kind, kind, "%d", image.kind);
}

Test(image, kinds_are_told_apart)
{
	struct program program = program_of("/lib64/ld-linux-x86-64.so.2");

	expect_kind(&program, 0755, AT_IMAGE_OPEN);
	program = program_of(NULL);
	expect_kind(&program, 0755, AT_IMAGE_STATIC);
	program = program_of("/lib/ld-musl-x86_64.so.1");
	expect_kind(&program, 0755, AT_IMAGE_LIBC);
	program.head.e_machine = EM_S390;
	expect_kind(&program, 0755, AT_IMAGE_ARCH);
	program = program_of("/lib64/ld-linux-x86-64.so.2");
	program.head.e_ident[EI_CLASS] = ELFCLASS32;
	expect_kind(&program, 0755, AT_IMAGE_ARCH);
}

/* Of a user's own, setuid changes nothing. */
Test(image, only_another_s_setuid_counts)
{
	struct program program = program_of("/lib64/ld-linux-x86-64.so.2");
	struct at_image image;

	expect_kind(&program, 04755, AT_IMAGE_OPEN);
	if (getuid())
		return; /* only root can give a file away */
	cr_assert_eq(chown(path, 1, (gid_t)-1), 0);
	cr_assert_eq(chmod(path, 04755), 0);
	cr_assert_eq(at_image_look(AT_FDCWD, path, &image), 0);
	cr_expect_eq(image.kind, AT_IMAGE_SETUID);
}

Test(image, of_a_script_the_interpreter_counts)
{
	struct program program = program_of(NULL);
	struct at_image image;
	char script[128], line[128];

	expect_kind(&program, 0755, AT_IMAGE_STATIC);
	snprintf(script, sizeof(script), "%s/script", folder);
	snprintf(line, sizeof(line), "#! %s -e\nexit\n", path);
	write_to(script, line, strlen(line), 0755);
	cr_assert_eq(at_image_look(AT_FDCWD, script, &image), 0);
	cr_expect_eq(image.kind, AT_IMAGE_STATIC);
	write_to(script, "#!/bin/sh\n", 10, 0755);
	cr_assert_eq(at_image_look(AT_FDCWD, script, &image), 0);
	cr_expect_eq(image.kind, AT_IMAGE_OPEN);
	unlink(script);
}

Test(image, what_cannot_be_executed_is_an_error)
{
	struct at_image image;

	cr_expect_eq(at_image_look(AT_FDCWD, path, &image), -ENOENT);
	cr_expect_eq(at_image_look(AT_FDCWD, folder, &image), -ENOEXEC);
	cr_expect_eq(at_image_look(AT_FDCWD, NULL, &image), -EFAULT);
	write_file("#!/nowhere/at/all\n", 18, 0755);
	cr_expect_eq(at_image_look(AT_FDCWD, path, &image), -ENOENT);
	write_file("#!", 2, 0644);
	cr_expect_eq(at_image_look(AT_FDCWD, path, &image), -ENOEXEC);
}

/* Every cut and every odd number: no byte outside is read. */
Test(image, torn_files_are_harmless)
{
	struct program program = program_of("/lib/ld-musl-x86_64.so.1");
	struct at_image image;
	size_t len;

	for (len = 0; len <= sizeof(program); len += 7) {
		write_file(&program, len, 0755);
		at_image_look(AT_FDCWD, path, &image);
	}
	program.header.p_offset = UINT64_MAX - 2;
	program.head.e_phnum = UINT16_MAX;
	write_file(&program, sizeof(program), 0755);
	cr_expect_eq(at_image_look(AT_FDCWD, path, &image), 0);
	program.head.e_phnum = 1;
	program.header.p_type = PT_DYNAMIC;
	program.header.p_filesz = UINT64_MAX;
	write_file(&program, sizeof(program), 0755);
	cr_expect_eq(at_image_look(AT_FDCWD, path, &image), 0);
}

Test(image, a_name_is_looked_for)
{
	struct at_image image;
	char found[64], search[80];
	struct program program = program_of("/lib64/ld-linux-x86-64.so.2");

	expect_kind(&program, 0755, AT_IMAGE_OPEN);
	snprintf(search, sizeof(search), "/nowhere:%s:/bin", folder);
	cr_assert_eq(at_image_find("program", search, found, sizeof(found),
				   &image),
		     0);
	cr_expect_str_eq(found, path);
	cr_expect_eq(at_image_find("no-such", search, found, sizeof(found),
				   &image),
		     -ENOENT);
	cr_expect_eq(at_image_find("program", search, found, 12, &image),
		     -ENOENT);
	cr_expect_eq(at_image_find("sh", NULL, found, sizeof(found), &image),
		     0);
}
