/* SPDX-License-Identifier: GPL-2.0-only */
/* The default mix, taken into the program as it stands in scenarios/. */
	.section .rodata
	.global default_scenario, default_scenario_len
default_scenario:
	.incbin "tools/ibr/scenarios/nicter-2025.yaml"
1:
	.balign 8
default_scenario_len:
	.quad 1b - default_scenario
	.section .note.GNU-stack, "", %progbits
