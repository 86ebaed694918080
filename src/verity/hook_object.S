/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiled hook.bpf.c, as bytes. */
	.section .rodata
	.balign 8
	.globl verity_hook_object
verity_hook_object:
	.incbin "hook.bpf.o"
	.globl verity_hook_object_end
verity_hook_object_end:
	.section .note.GNU-stack, "", %progbits
