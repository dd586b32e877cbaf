// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a confined process can still do, for test-confine: confine_driver USER STATE READABLE ELSEWHERE prints a
 * line an act: its name, a tab, and "done", the name of the error, or "killed". Every act is tried by a process
 * of its own that was confined as the sensor is, with STATE writable and READABLE readable. First comes a line
 * "landlock", with the ABI. USER "-": the counter-trial, with all rights.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>

#include "confine/confine.h"

#define OUTCOME_DONE   0 /* else an errno value */
#define OUTCOME_BROKEN 255

static bool free_of_it; /* the counter-trial: nothing is given up */
static const char *state, *readable, *elsewhere;
static int map_fd = -1, listen_fd = -1;
static pid_t parent;
static struct sockaddr_in listening;

static int told(long result)
{
	return result < 0 ? errno : OUTCOME_DONE;
}

static int open_in(const char *directory, const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return OUTCOME_DONE;
}

/* --- what the sensor lives on --- */

static int act_write_state(void)
{
	char draft[512], name[512];
	int fd, err;

	snprintf(draft, sizeof(draft), "%s/books.new", state);
	snprintf(name, sizeof(name), "%s/books", state);
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	if (write(fd, "1", 1) != 1 || fsync(fd) || rename(draft, name) || unlink(name)) {
		err = errno;
		close(fd);
		return err;
	}
	close(fd);
	fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 || fsync(fd) ? errno : OUTCOME_DONE;
	if (fd >= 0)
		close(fd);
	return err;
}

static int act_read_configuration(void)
{
	return open_in(readable, "airglow.yaml", O_RDONLY);
}

static int act_read_sysctl(void)
{
	return open_in("/proc/sys/net/ipv4", "ip_forward", O_RDONLY);
}

static int act_read_own_status(void)
{
	return open_in("/proc/self", "status", O_RDONLY);
}

static int act_read_sys(void)
{
	return open_in("/sys/devices/system/cpu", "online", O_RDONLY);
}

static void *return_argument(void *arg)
{
	return arg;
}

static int act_thread(void)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, return_argument, NULL);

	return err ? err : pthread_join(thread, NULL);
}

static int act_grace_period(void)
{
	return told(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
}

static int act_events(void)
{
	struct itimerspec soon = {.it_value.tv_nsec = 1};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	if (timerfd_settime(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), 0, &soon, NULL) ||
	    eventfd(0, EFD_CLOEXEC) < 0 || epoll_create1(EPOLL_CLOEXEC) < 0 ||
	    signalfd(-1, &signals, SFD_CLOEXEC) < 0)
		return errno;
	return OUTCOME_DONE;
}

static int act_update_map(void)
{
	__u32 key = 0, value = 7, got = 0;

	if (bpf_map_update_elem(map_fd, &key, &value, BPF_ANY) || bpf_map_lookup_elem(map_fd, &key, &got))
		return errno;
	return got == value ? OUTCOME_DONE : OUTCOME_BROKEN;
}

static int act_describe_map(void)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return told(bpf_obj_get_info_by_fd(map_fd, &info, &size));
}

static int act_ask_driver(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_name = "lo", .ifr_data = (void *)&info};

	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return errno;
	request.ifr_data = (void *)&info;
	return ioctl(fd, SIOCETHTOOL, &request) < 0 && errno != EOPNOTSUPP ? errno : OUTCOME_DONE;
}

static int act_ask_routes(void)
{
	return told(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

static int act_read_clock_state(void)
{
	struct timex clock = {.modes = 0};

	return told(adjtimex(&clock));
}

/* Somebody else calls: the driver's first process, see serve_client. */
static int act_accept(void)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	return told(fd < 0 ? fd : write(fd, "x", 1));
}

/* --- what it does not need --- */

static int act_setuid(void)
{
	return told(setuid(0));
}

static int act_setgroups(void)
{
	return told(setgroups(0, NULL));
}

static int act_raise_capability(void)
{
	cap_t wanted = cap_from_text("cap_net_admin=ep");

	return told(cap_set_proc(wanted));
}

static int act_dumpable(void)
{
	return told(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int act_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return told(child);
}

static int act_clone3(void)
{
	return told(syscall(SYS_clone3, NULL, 0));
}

static int act_signal_parent(void)
{
	return told(kill(parent, 0));
}

static int act_tcp_socket(void)
{
	return told(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int act_listen(void)
{
	return told(listen(listen_fd, 1));
}

static int act_netfilter_socket(void)
{
	return told(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
}

static int act_write_and_execute(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : OUTCOME_DONE;
}

static int act_make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? OUTCOME_BROKEN : told(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int act_create_link(void)
{
	return told(bpf_link_create(map_fd, 1, BPF_XDP, NULL));
}

static int act_find_map(void)
{
	__u32 id = 0;

	return told(bpf_map_get_next_id(0, &id));
}

static int act_set_clock(void)
{
	struct timex clock = {.modes = ADJ_OFFSET, .offset = 1};

	return free_of_it ? OUTCOME_DONE : told(adjtimex(&clock)); /* nobody's clock is set */
}

static int act_type_for_user(void)
{
	return told(ioctl(0, TIOCSTI, "x"));
}

static int act_give_file_away(void)
{
	return told(chown(readable, 0, 0));
}

static int act_limit_others(void)
{
	struct rlimit limit;

	return told(prlimit(parent, RLIMIT_NOFILE, NULL, &limit));
}

static int act_read_secret(void)
{
	return open_in(state, "secret", O_RDONLY);
}

static int act_read_public_there(void)
{
	return open_in(state, "public", O_RDONLY);
}

/* Open by its mode, closed by Landlock alone. */
static int act_write_elsewhere(void)
{
	return open_in(elsewhere, "public", O_WRONLY);
}

static int act_create_elsewhere(void)
{
	return open_in(elsewhere, "made", O_WRONLY | O_CREAT);
}

static int act_read_elsewhere(void)
{
	return open_in(elsewhere, "public", O_RDONLY);
}

static int act_remove_elsewhere(void)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/public", elsewhere);
	return told(unlink(path));
}

static int act_write_configuration(void)
{
	return open_in(readable, "airglow.yaml", O_WRONLY);
}

/* --- what ends it --- */

static int act_execute(void)
{
	char *const argv[] = {"true", NULL};

	return told(execve("/bin/true", argv, NULL));
}

static int act_trace(void)
{
	return told(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int act_read_memory(void)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {(void *)&parent, 1};

	return told(process_vm_readv(parent, &local, 1, &remote, 1, 0));
}

static int act_create_map(void)
{
	return told(bpf_map_create(BPF_MAP_TYPE_ARRAY, "new", 4, 4, 1, NULL));
}

static int act_load_program(void)
{
	struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};

	return told(bpf_prog_load(BPF_PROG_TYPE_XDP, "new", "GPL", code, 2, NULL));
}

static int act_raw_socket(void)
{
	return told(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int act_packet_socket(void)
{
	return told(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int act_mount(void)
{
	/* In a name space of this process, where it may have one. */
	if (free_of_it && (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)))
		return OUTCOME_BROKEN;
	return told(mount("none", state, "tmpfs", 0, NULL));
}

static int act_new_namespace(void)
{
	return told(unshare(CLONE_NEWUSER));
}

static int act_other_namespace(void)
{
	return told(setns(0, CLONE_NEWNET));
}

static int act_load_module(void)
{
	return told(syscall(SYS_init_module, NULL, 0, ""));
}

static int act_change_root(void)
{
	return told(chroot(state));
}

static int act_measure_kernel(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE};

	return told(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int act_io_uring(void)
{
	char parameters[120] = {};

	return told(syscall(SYS_io_uring_setup, 1, parameters));
}

static int act_keyring(void)
{
	return told(syscall(SYS_keyctl, 0, -1, 0));
}

/* The numbers of 32-bit calls are others: 20 is getpid there, writev here. */
static int act_foreign_call(void)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return result < 0 ? (int)-result : OUTCOME_DONE;
#else
	raise(SIGSYS);
	return OUTCOME_BROKEN;
#endif
}

static const struct act {
	const char *name;
	int (*run)(void);
} acts[] = {
#define ACT(name)                                                                                              \
	{                                                                                                      \
#name, act_##name                                                                              \
	}
	ACT(write_state),
	ACT(read_configuration),
	ACT(read_sysctl),
	ACT(read_own_status),
	ACT(read_sys),
	ACT(thread),
	ACT(grace_period),
	ACT(events),
	ACT(update_map),
	ACT(describe_map),
	ACT(ask_driver),
	ACT(ask_routes),
	ACT(read_clock_state),
	ACT(accept),
	ACT(read_public_there),
	ACT(setuid),
	ACT(setgroups),
	ACT(raise_capability),
	ACT(dumpable),
	ACT(fork),
	ACT(clone3),
	ACT(signal_parent),
	ACT(tcp_socket),
	ACT(listen),
	ACT(netfilter_socket),
	ACT(write_and_execute),
	ACT(make_executable),
	ACT(create_link),
	ACT(find_map),
	ACT(set_clock),
	ACT(type_for_user),
	ACT(give_file_away),
	ACT(limit_others),
	ACT(read_secret),
	ACT(write_elsewhere),
	ACT(create_elsewhere),
	ACT(read_elsewhere),
	ACT(remove_elsewhere),
	ACT(write_configuration),
	ACT(execute),
	ACT(trace),
	ACT(read_memory),
	ACT(create_map),
	ACT(load_program),
	ACT(raw_socket),
	ACT(packet_socket),
	ACT(mount),
	ACT(new_namespace),
	ACT(other_namespace),
	ACT(load_module),
	ACT(change_root),
	ACT(measure_kernel),
	ACT(io_uring),
	ACT(keyring),
	ACT(foreign_call),
#undef ACT
};

static int confine(const struct confine_user *user)
{
	struct confine_directories directories = {};
	char done[256], why[256];

	confine_add_writable(&directories, state);
	confine_add_readable(&directories, readable);
	if (!confine_enter(user, &directories, done, sizeof(done), why, sizeof(why)))
		return 0;
	fprintf(stderr, "confine_driver: %s\n", why);
	return -1;
}

static void try_act(const struct act *act, const struct confine_user *user)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(!free_of_it && confine(user) ? OUTCOME_BROKEN : act->run());
	if (act->run == act_accept) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		(void)connect(fd, (const struct sockaddr *)&listening, sizeof(listening));
		waitpid(child, &status, 0);
		close(fd);
	} else {
		waitpid(child, &status, 0);
	}
	if (WIFSIGNALED(status))
		printf("%s\t%s\n", act->name,
		       WTERMSIG(status) == SIGSYS ? "killed" : strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == OUTCOME_DONE)
		printf("%s\tdone\n", act->name);
	else
		printf("%s\t%s\n", act->name,
		       WEXITSTATUS(status) == OUTCOME_BROKEN ? "broken" : strerrorname_np(WEXITSTATUS(status)));
	fflush(stdout);
}

static int prepare(void)
{
	socklen_t length = sizeof(listening);

	parent = getpid();
	map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test", 4, 4, 1, NULL);
	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listening.sin_family = AF_INET;
	listening.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (map_fd < 0 || listen_fd < 0 ||
	    bind(listen_fd, (const struct sockaddr *)&listening, sizeof(listening)) || listen(listen_fd, 8) ||
	    getsockname(listen_fd, (struct sockaddr *)&listening, &length)) {
		perror("confine_driver");
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct confine_user user;
	char why[256];
	long abi;

	if (argc != 5)
		return 2;
	state = argv[2];
	readable = argv[3];
	elsewhere = argv[4];
	free_of_it = !strcmp(argv[1], "-");
	if (confine_user(&user, free_of_it ? "root" : argv[1], why, sizeof(why)) ||
	    confine_own_directory(state, &user, why, sizeof(why))) {
		fprintf(stderr, "confine_driver: %s\n", why);
		return 1;
	}
	if (prepare())
		return 1;
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	printf("landlock\t%ld\n", abi < 0 ? 0 : abi);
	fflush(stdout);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		try_act(&acts[i], &user);
	return 0;
}
