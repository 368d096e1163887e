// SPDX-License-Identifier: Apache-2.0
/*
 * Functions that look at who calls them: dlopen (whose search path, which
 * namespace), dlsym and dlvsym (RTLD_NEXT). With a C frame of ours in between
 * that would be us; so these are tail jumps, to what load.c answers in rax,
 * or they return what it answers in rdx.
 */
#if defined(__x86_64__) && !defined(AT_UNIT_TEST)
	.text

	.globl dlopen
	.type dlopen, @function
dlopen:
	.cfi_startproc
	pushq %rdi
	.cfi_adjust_cfa_offset 8
	call hook_dlopen_prepare
	popq %rdi
	.cfi_adjust_cfa_offset -8
	movq %rdx, %rsi			/* the flags */
	jmp *%rax
	.cfi_endproc
	.size dlopen, .-dlopen

	.globl dlsym
	.type dlsym, @function
dlsym:
	.cfi_startproc
	pushq %rdi
	pushq %rsi
	subq $8, %rsp
	.cfi_adjust_cfa_offset 24
	movq 24(%rsp), %rdx		/* the caller */
	call hook_dlsym_prepare
	addq $8, %rsp
	popq %rsi
	popq %rdi
	.cfi_adjust_cfa_offset -24
	testq %rax, %rax
	jz 1f
	jmp *%rax
1:	movq %rdx, %rax
	ret
	.cfi_endproc
	.size dlsym, .-dlsym

	.globl dlvsym
	.type dlvsym, @function
dlvsym:
	.cfi_startproc
	pushq %rdi
	pushq %rsi
	pushq %rdx
	.cfi_adjust_cfa_offset 24
	movq 24(%rsp), %rcx		/* the caller */
	call hook_dlvsym_prepare
	movq %rdx, %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	.cfi_adjust_cfa_offset -24
	testq %rax, %rax
	jz 1f
	jmp *%rax
1:	movq %rcx, %rax
	ret
	.cfi_endproc
	.size dlvsym, .-dlvsym

#endif
	.section .note.GNU-stack,"",@progbits
