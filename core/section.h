// SPDX-License-Identifier: Apache-2.0
/*
 * Where in memory a variable lies: each page that a start touches is a fault.
 */
#ifndef AT_CORE_SECTION_H
#define AT_CORE_SECTION_H

/*
 * For a large zeroed object that a program touches only when it has something
 * to be traced: it is placed behind the small ones, which then share a page or
 * two (the linker sorts by these names).
 */
#define AT_LARGE __attribute__((section(".bss.zz_large")))

#endif
