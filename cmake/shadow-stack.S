// The mark of the shadow stack, for a linker that has no -z shstk and drops what not every object has: glibc's own part
// of a library, as zig makes it, has no marks. Nothing in it jumps but to where it was called from, so that the mark is true.
	.section .note.shadow-stack, "a", %note
	.balign 8
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 2, 0
	.section .note.GNU-stack, "", %progbits
