// SPDX-License-Identifier: GPL-2.0-only
/*
 * grace: who is in a BPF program when the wait begins has left it when the wait ends. The program writes when
 * it has come and when it goes, and counts to eight million in between.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/grace.h"

#define TURNS	    (8 << 20) /* the most that bpf_loop does */
#define ROUNDS	    5
#define FRAME_BYTES 64

struct presence {
	uint32_t came, left;
};

static struct presence *presence;
static int map, program;

/* clang-format off */
#define INSN(code_, dst, src, off_, imm_) \
	(struct bpf_insn){.code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_)}
/* clang-format on */
#define SET(reg, value)	       INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define STORE(off)	       INSN(BPF_ST | BPF_MEM | BPF_W, BPF_REG_6, 0, off, 1)
#define LOAD(reg, kind, value) INSN(BPF_LD | BPF_DW | BPF_IMM, reg, kind, 0, value), INSN(0, 0, 0, 0, 0)
#define EXIT		       INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define TURN_AT		       12 /* the function that a turn calls */

/* Types of both functions: the kernel wants them of a function that a helper calls. */
static int load_types(struct bpf_func_info info[2])
{
	struct btf *btf = btf__new_empty();
	int number, type, fd;

	cr_assert_not_null(btf);
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	type = btf__add_func_proto(btf, number);
	info[0] = (struct bpf_func_info){0, (__u32)btf__add_func(btf, "stay", BTF_FUNC_GLOBAL, type)};
	info[1] = (struct bpf_func_info){TURN_AT, (__u32)btf__add_func(btf, "turn", BTF_FUNC_STATIC, type)};
	cr_assert_eq(btf__load_into_kernel(btf), 0);
	fd = dup(btf__fd(btf));
	btf__free(btf);
	return fd;
}

static void load_program(void)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_REG_6, BPF_PSEUDO_MAP_VALUE, map),
		STORE(offsetof(struct presence, came)),
		SET(BPF_REG_1, TURNS),
		LOAD(BPF_REG_2, BPF_PSEUDO_FUNC, TURN_AT - 4 - 1),
		SET(BPF_REG_3, 0),
		SET(BPF_REG_4, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_loop),
		STORE(offsetof(struct presence, left)),
		SET(BPF_REG_0, XDP_PASS),
		EXIT,
		SET(BPF_REG_0, 0), /* a turn */
		EXIT,
	};
	struct bpf_func_info info[2];
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_btf_fd = (__u32)load_types(info), .func_info = info,
		    .func_info_cnt = 2, .func_info_rec_size = sizeof(info[0]));

	program = bpf_prog_load(BPF_PROG_TYPE_XDP, "stay", "GPL", insns, sizeof(insns) / sizeof(insns[0]),
				&options);
	close((int)options.prog_btf_fd);
	cr_assert_geq(program, 0, "the program is refused: error %d", program);
}

/* What the test needs and this host has not, or NULL. */
static const char *prepare(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	long known = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (known < 0 || !(known & MEMBARRIER_CMD_GLOBAL))
		return "this kernel has no membarrier";
	if (geteuid())
		return "loading a BPF program needs root";
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "presence", sizeof(uint32_t), sizeof(*presence), 1, &options);
	if (map == -EPERM)
		return "this root may not load BPF programs";
	cr_assert_geq(map, 0);
	presence = mmap(NULL, sizeof(*presence), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	cr_assert_neq(presence, MAP_FAILED);
	load_program();
	return NULL;
}

static void *stay(void *arg)
{
	static uint8_t frame[FRAME_BYTES];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);

	if (!bpf_prog_test_run_opts(program, &run))
		return NULL;
	presence->came = 1; /* nobody waits for it */
	return arg;
}

Test(grace, who_is_inside_is_waited_for)
{
	const char *missing = prepare();

	if (missing)
		cr_skip_test("%s", missing);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		void *failed = NULL;
		pthread_t thread;
		bool left;

		*presence = (struct presence){};
		cr_assert_eq(pthread_create(&thread, NULL, stay, presence), 0);
		while (!__atomic_load_n(&presence->came, __ATOMIC_ACQUIRE))
			sched_yield();
		grace_wait();
		left = __atomic_load_n(&presence->left, __ATOMIC_ACQUIRE);
		pthread_join(thread, &failed);
		cr_assert_null(failed, "the program does not run");
		cr_assert(left, "round %u: the wait was over while the program ran", i);
	}
	munmap(presence, sizeof(*presence));
	close(program);
	close(map);
}
