/* SPDX-License-Identifier: GPL-2.0-only */
/* The default mix, taken into the program as it stands in scenarios/. */
	.section .rodata
	.global default_scenario, default_scenario_end
default_scenario:
	.incbin "tools/ibr/scenarios/nicter-2025.yaml"
default_scenario_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
