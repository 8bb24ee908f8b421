// Attempts on kernel entry points. Their arguments cannot succeed where success would do harm: an answer other than a
// refusal shows that the code behind the call is within reach.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>


struct call {
    const char *id, *name;
    long number, arguments[6];
};

static char scratch[4096];
static const char missing[] = "/nonexistent-bailey";

// Numbers from 424 on are the same on every architecture and not named by older headers.
static const struct call calls[] = {
    {"k01", "bpf", SYS_bpf, {0, 0, 0}},
    {"k02", "perf_event_open", SYS_perf_event_open, {0, 0, -1, -1, 0}},
    {"k03", "userfaultfd", SYS_userfaultfd, {0xffff}},
    {"k04", "io_uring_setup", SYS_io_uring_setup, {1, 0}},
    {"k05", "keyctl", SYS_keyctl, {0, -3, 0}},
    {"k06", "add_key", SYS_add_key, {(long)"user", (long)"bailey-probe", (long)"x", 1, -2}},
    {"k07", "request_key", SYS_request_key, {(long)"user", (long)missing, 0, 0}},
    {"k08", "init_module", SYS_init_module, {0, 0, (long)""}},
    {"k08b", "finit_module", SYS_finit_module, {-1, (long)"", 0}},
    {"k09", "kexec_load", SYS_kexec_load, {0, 1000, 0, 0xdead}},
    {"k10", "fsopen", SYS_fsopen, {(long)"nosuchfs", 0}},
    {"k11", "open_tree", SYS_open_tree, {AT_FDCWD, (long)"/", 1}},
#ifdef SYS_modify_ldt
    {"k12", "modify_ldt", SYS_modify_ldt, {0, (long)scratch, 16}},
    {"k13", "ioperm", SYS_ioperm, {0x80, 1, 1}},
    {"k13b", "iopl", SYS_iopl, {0}},
#endif
    {"k14", "syslog", SYS_syslog, {3, (long)scratch, sizeof scratch}},
    {"k16", "settimeofday", SYS_settimeofday, {0, 0}},
    {"k16b", "clock_settime", SYS_clock_settime, {0, 0}},
    {"k16c", "adjtimex", SYS_adjtimex, {0}},
    {"k17", "clone3", SYS_clone3, {0, 0}},
    {"k19", "kcmp", SYS_kcmp, {0, 0, 0, 0, 1}},
    {"k20", "fanotify_init", SYS_fanotify_init, {0, 0}},
    {"k21", "quotactl", SYS_quotactl, {0x80000400, (long)"/dev/null", 0, (long)scratch}},
    {"k22", "swapon", SYS_swapon, {(long)missing, 0}},
    {"k22b", "swapoff", SYS_swapoff, {(long)missing}},
    {"k23", "reboot", SYS_reboot, {0, 0, 0, 0}},
    {"k24", "move_pages", SYS_move_pages, {0, 0, 0, 0, 0, 0}},
    {"k24b", "migrate_pages", SYS_migrate_pages, {0, 0, 0, 0}},
#ifdef SYS_lookup_dcookie
    {"k26", "lookup_dcookie", SYS_lookup_dcookie, {0, (long)scratch, sizeof scratch}},
#endif
    {"k29", "chroot", SYS_chroot, {(long)"/"}},
    {"k30", "acct", SYS_acct, {(long)missing}},
    {"a38", "io_uring_enter", SYS_io_uring_enter, {-1, 0, 0, 0, 0, 0}},
    {"a38b", "io_uring_register", SYS_io_uring_register, {-1, 0, 0, 0}},
    {"a39a", "mount", SYS_mount, {(long)"none", (long)missing, (long)"nosuchfs", 0, 0}},
    {"a39b", "umount2", SYS_umount2, {(long)missing, 0}},
    {"a39c", "pivot_root", SYS_pivot_root, {(long)missing, (long)missing}},
    {"a39d", "move_mount", SYS_move_mount, {-1, (long)"", -1, (long)"", 0}},
    {"a39e", "fsconfig", SYS_fsconfig, {-1, 0, 0, 0, 0}},
    {"a39f", "fsmount", SYS_fsmount, {-1, 0, 0}},
    {"a39g", "fspick", SYS_fspick, {AT_FDCWD, (long)"/", 0}},
    {"a39h", "mount_setattr", 442, {-1, (long)"", 0, 0, 0}},
    {"a39i", "statmount", 457, {0, 0, 0, 0}},
    {"a39j", "listmount", 458, {0, 0, 0, 0}},
    {"a39k", "open_tree_attr", 467, {-1, (long)"", 0, 0, 0}},
    {"a44b", "memfd_secret", 447, {0xffff}},
    {"a44c", "nfsservctl", 180, {0, 0, 0}},
    {"a44d", "uselib", 134, {(long)missing}},
    {"a44e", "_sysctl", 156, {0}},
    {NULL, NULL, 0, {0}},
};

static int is_refusal(int code) { return code == ENOSYS || code == EPERM || code == EACCES; }

static void make_call(const char *id) {
    for (const struct call *call = calls; call->id; call++) {
        if (strcmp(call->id, id)) continue;
        const long *a = call->arguments;
        if (syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]) >= 0) through("%s worked", call->name);
        if (is_refusal(errno)) refused(errno, call->name);
        through("%s answered %s", call->name, error_name(errno));
    }
    broken("no such call");
}

static void rename_host(const char *id) {
    (void)id;
    // The same name again: a success changes nothing.
    char name[65] = "";
    if (gethostname(name, sizeof name - 1)) broken("gethostname: %s", error_name(errno));
    if (sethostname(name, strlen(name))) refused(errno, "sethostname");
    through("set the host name");
}

static void write_other_memory(const char *id) {
    (void)id;
    static volatile char target;
    char byte = 1;
    struct iovec local = {&byte, 1}, remote = {(void *)&target, 1};
    pid_t child = fork();
    if (child < 0) broken("fork: %s", error_name(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sleep(30);
        _exit(0);
    }
    ssize_t count = process_vm_writev(child, &local, 1, &remote, 1, 0);
    int code = errno;
    kill(child, SIGKILL);
    if (count == 1) through("wrote another process's memory");
    refused(code, "process_vm_writev");
}

static void splice_memory(const char *id) {
    (void)id;
    int ends[2];
    if (pipe(ends)) broken("pipe: %s", error_name(errno));
    struct iovec memory = {scratch, sizeof scratch};
    if (vmsplice(ends[1], &memory, 1, 0) < 0) refused(errno, "vmsplice");
    through("vmsplice worked");
}

static long install_filter(unsigned flags, unsigned short length) {
    static struct sock_filter program[BPF_MAXINSNS];
    for (int index = 0; index < length - 1; index++)
        program[index] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0);
    program[length - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {.len = length, .filter = program};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

static void listen_to_calls(const char *id) {
    (void)id;
    if (install_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, 1) < 0) refused(errno, "a seccomp listener");
    through("installed a seccomp listener");
}

// Fills the kernel's room for filters of one task, then tries a refused call: the wall must still stand.
static void flood_filters(const char *id) {
    (void)id;
    int count = 0;
    while (count < 64 && install_filter(0, BPF_MAXINSNS) == 0) count++;
    int code = count < 64 ? errno : 0;
    if (read_marker(canary("secret.txt")) == 0) through("the canary is readable behind %d filters", count);
    if (count == 0) refused(code, "install a filter");
    private_only("%d full filters of its own, then %s; the wall stands", count, error_name(code));
}

// Landlock allows 16 domains on top of each other: taking all of them must not take ours away.
static void stack_domains(const char *id) {
    (void)id;
    struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SOCK};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int count = 0, code = 0;
    for (; count < 32; count++) {
        int rules = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
        if (rules < 0 || syscall(SYS_landlock_restrict_self, rules, 0)) {
            code = errno;
            break;
        }
        close(rules);
    }
    if (read_marker(canary("secret.txt")) == 0) through("the canary is readable behind %d domains", count);
    if (access(canary("host.sock"), F_OK) == 0) through("the canary is visible behind %d domains", count);
    if (count == 0) refused(code, "make a Landlock domain");
    private_only("%d domains of its own, then %s; the wall stands", count, error_name(code));
}

static void open_own_process(const char *id) {
    (void)id;
    if (syscall(SYS_pidfd_open, getpid(), 0) < 0) refused(errno, "pidfd_open");
    if (is_confined()) private_only("a descriptor of itself");
    through("opened a process descriptor");
}

static void clone_by_structure(const char *id) {
    (void)id;
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
        uint64_t stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    } arguments = {.exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) _exit(0);
    if (child < 0) refused(errno, "clone3 with good arguments");
    waitpid(child, NULL, 0);
    through("clone3 made a process");
}

#ifdef __x86_64__
static void old_entry(const char *id) {
    (void)id;
    // There socket is call 359; int keeps the arguments in registers, so that no 32-bit pointer is needed.
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(359L), "b"(1L), "c"(2L), "d"(0L)
                     : "memory", "r8", "r9", "r10", "r11");
    if (result < 0) refused(-result, "socket by the 32-bit entry");
    through("made a socket by the 32-bit entry");
}

static void x32_entry(const char *id) {
    (void)id;
    if (syscall(0x40000000L | SYS_socket, 1, 2, 0) < 0) refused(errno, "socket by the x32 entry");
    through("made a socket by the x32 entry");
}
#endif

static void attach_host_memory(const char *id) {
    (void)id;
    int segment = shmget(atoi(value("shm")), 0, 0);
    if (segment < 0) refused(errno, "find the host's segment");
    char *memory = shmat(segment, NULL, SHM_RDONLY);
    if (memory == (void *)-1) refused(errno, "attach the host's segment");
    if (strstr(memory, value("marker"))) through("read the host's shared memory");
    private_only("a segment of the sandbox");
}

// The caller ran us with a key in its session keyring.
static void find_session_key(const char *id) {
    (void)id;
    if (syscall(SYS_keyctl, 10 /* KEYCTL_SEARCH */, -3 /* session */, "user", value("key"), 0) >= 0)
        through("found the caller's key by search");
    int code = errno;
    if (syscall(SYS_request_key, "user", value("key"), NULL, 0) >= 0) through("found the caller's key by request");
    FILE *keys = fopen("/proc/keys", "re");
    char line[512];
    while (keys && fgets(line, sizeof line, keys))
        if (strstr(line, value("key"))) through("the caller's key is listed");
    refused(code, "find the caller's key");
}

const struct probe kernel_probes[] = {
    {"k01", make_call},
    {"k02", make_call},
    {"k03", make_call},
    {"k04", make_call},
    {"k05", make_call},
    {"k06", make_call},
    {"k07", make_call},
    {"k08", make_call},
    {"k08b", make_call},
    {"k09", make_call},
    {"k10", make_call},
    {"k11", make_call},
#ifdef SYS_modify_ldt
    {"k12", make_call},
    {"k13", make_call},
    {"k13b", make_call},
#endif
    {"k14", make_call},
    {"k16", make_call},
    {"k16b", make_call},
    {"k16c", make_call},
    {"k17", make_call},
    {"k19", make_call},
    {"k20", make_call},
    {"k21", make_call},
    {"k22", make_call},
    {"k22b", make_call},
    {"k23", make_call},
    {"k24", make_call},
    {"k24b", make_call},
#ifdef SYS_lookup_dcookie
    {"k26", make_call},
#endif
    {"k29", make_call},
    {"k30", make_call},
    {"a38", make_call},
    {"a38b", make_call},
    {"a39a", make_call},
    {"a39b", make_call},
    {"a39c", make_call},
    {"a39d", make_call},
    {"a39e", make_call},
    {"a39f", make_call},
    {"a39g", make_call},
    {"a39h", make_call},
    {"a39i", make_call},
    {"a39j", make_call},
    {"a39k", make_call},
    {"a44b", make_call},
    {"a44c", make_call},
    {"a44d", make_call},
    {"a44e", make_call},
    {"k15", rename_host},
    {"k18", write_other_memory},
    {"k25", splice_memory},
    {"k27", listen_to_calls},
    {"k28", open_own_process},
#ifdef __x86_64__
    {"k31", old_entry},
    {"k32", x32_entry},
#endif
    {"k33", attach_host_memory},
    {"a35", stack_domains},
    {"a36", flood_filters},
    {"a37", clone_by_structure},
    {"a63", find_session_key},
    {NULL, NULL},
};
