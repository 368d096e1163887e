// SPDX-License-Identifier: Apache-2.0
/*
 * Functions that return twice, or may: vfork, and syscall() with clone, fork,
 * vfork or clone3. A C frame of ours would be dead when the child, which runs
 * on the parent's stack, has returned through it; so these are tail jumps.
 */
#if defined(__x86_64__) && !defined(AT_UNIT_TEST)
	.text

	.globl vfork
	.type vfork, @function
vfork:
	.cfi_startproc
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	call hook_vfork_prepare
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp *%rax
	.cfi_endproc
	.size vfork, .-vfork

	.globl syscall
	.type syscall, @function
syscall:
	.cfi_startproc
	cmpq $56, %rdi			/* clone */
	je 1f
	cmpq $57, %rdi			/* fork */
	je 1f
	cmpq $58, %rdi			/* vfork */
	je 1f
	cmpq $435, %rdi			/* clone3 */
	je 1f
	/* the seventh argument lies on the caller's stack, as C expects it */
	jmp hook_syscall_dispatch
1:
	/* save the seven arguments across the look-up */
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %r8
	pushq %r9
	subq $8, %rsp
	.cfi_adjust_cfa_offset 56
	call hook_syscall_prepare
	addq $8, %rsp
	popq %r9
	popq %r8
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	.cfi_adjust_cfa_offset -56
	jmp *%rax
	.cfi_endproc
	.size syscall, .-syscall

#endif
	.section .note.GNU-stack,"",@progbits
