#define _GNU_SOURCE
#include "filter.h"
#include "include/clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int bailey_become(unsigned user, unsigned group) {
    if (user == 0 || group == 0) {
        errno = EINVAL;
        return -1;
    }
    // glibc's functions for the whole process: there is one thread.
    if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0) return -1;
    return setresuid(user, user, user);
}

int bailey_isolate(void) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0) return -1;
    if (bailey_private_propagation() != 0) return -1;
    int tree = bailey_tmpfs("4096", "4", "0555",
                            BAILEY_TREE_READONLY | BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV | BAILEY_TREE_NOEXEC);
    if (tree < 0) return -1;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = root < 0 ? -1 : bailey_tree_attach(tree, root);
    // The old root stays below, where no path leads: from the new one nothing leads up, and what could take it off or
    // leave it by chroot(2) is a capability that is dropped. Detaching it waits for every processor, 6 ms.
    if (result == 0 && (fchdir(tree) != 0 || chroot(".") != 0)) result = -1;
    int saved = errno;
    if (root >= 0) close(root);
    close(tree);
    errno = saved;
    return result;
}

// The filter: a list that is tried from its head. The kernel remembers of every call whether it is allowed without a
// look at its arguments, so that the length costs nothing later.

static const struct sock_filter filter[] = {
    OWN_CALLS,
    // Bytes and events.
    ALLOWED(read), ALLOWED(write), ALLOWED(readv), ALLOWED(writev), ALLOWED(recvfrom), ALLOWED(recvmsg),
    ALLOWED(recvmmsg), ALLOWED(sendto), ALLOWED(sendmsg), ALLOWED(sendmmsg), ALLOWED(accept), ALLOWED(accept4),
    ALLOWED(close), ALLOWED(shutdown), ALLOWED(epoll_ctl), ALLOWED(epoll_pwait), ALLOWED(epoll_create1),
    ALLOWED(eventfd2), ALLOWED(timerfd_create), ALLOWED(timerfd_settime), ALLOWED(ppoll),
    // Sockets.
    ALLOWED(connect), ALLOWED(bind), ALLOWED(listen), ALLOWED(getsockname), ALLOWED(getpeername),
    ALLOWED(getsockopt), ALLOWED(setsockopt),
    // Memory, threads, time.
    ALLOWED(futex), ALLOWED(munmap), ALLOWED(madvise), ALLOWED(brk), ALLOWED(mremap), ALLOWED(mlock),
    ALLOWED(clock_gettime), ALLOWED(clock_getres), ALLOWED(gettimeofday), ALLOWED(clock_nanosleep), ALLOWED(nanosleep),
    ALLOWED(restart_syscall), ALLOWED(sched_yield), ALLOWED(sched_getaffinity), ALLOWED(set_robust_list),
    ALLOWED(rseq), ALLOWED(gettid), ALLOWED(getpid), ALLOWED(getppid), ALLOWED(getuid), ALLOWED(geteuid),
    ALLOWED(getrandom),
    ALLOWED(getrusage), ALLOWED(sysinfo), ALLOWED(uname), ALLOWED(fstat), ALLOWED(lseek), ALLOWED(dup),
    ALLOWED(rt_sigaction), ALLOWED(rt_sigprocmask), ALLOWED(rt_sigreturn), ALLOWED(sigaltstack), ALLOWED(exit),
    ALLOWED(exit_group),
#ifdef __x86_64__
    ALLOWED(epoll_create), ALLOWED(epoll_wait), ALLOWED(poll), ALLOWED(time),
#endif
    // Sockets of the internet alone: streams and datagrams.
    ON(socket,
       ARGUMENT(0), JUMP_EQUAL(AF_INET, 2, 0), JUMP_EQUAL(AF_INET6, 1, 0), REFUSE,
       ARGUMENT(1), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xF), // without the flags
       JUMP_EQUAL(SOCK_STREAM, 2, 0), JUMP_EQUAL(SOCK_DGRAM, 1, 0), REFUSE,
       // Of them TCP and UDP: others would be code of the kernel that nobody else here reaches.
       ARGUMENT(2), ALLOWED_VALUE(0), ALLOWED_VALUE(IPPROTO_TCP), ALLOWED_VALUE(IPPROTO_UDP), REFUSE),
    // Memory is never code.
    ON(mmap, ARGUMENT(2), REFUSED_BITS(PROT_EXEC), ALLOW),
    ON(mprotect, ARGUMENT(2), REFUSED_BITS(PROT_EXEC), ALLOW),
    // Threads, no processes. What clone3 is asked for lies in memory; the library then asks clone.
    ON(clone3, MISSING),
    ON(clone, ARGUMENT(0), ALLOWED_BITS(CLONE_THREAD), KILL),
    ON(fcntl,
       ARGUMENT(1), ALLOWED_VALUE(F_DUPFD_CLOEXEC), ALLOWED_VALUE(F_GETFD), ALLOWED_VALUE(F_SETFD),
       ALLOWED_VALUE(F_GETFL), ALLOWED_VALUE(F_SETFL), ALLOWED_VALUE(F_GET_SEALS), REFUSE),
    ON(prctl, ARGUMENT(0), ALLOWED_VALUE(PR_SET_NAME), REFUSE),
    // Limits, for a look: there is no new one.
    ON(prlimit64, ARGUMENT(2), JUMP_EQUAL(0, 1, 0), REFUSE, UPPER_HALF(2), ALLOWED_VALUE(0), REFUSE),
    // What only somebody makes who broke in.
    KILLED(execve), KILLED(execveat), KILLED(ptrace), KILLED(process_vm_readv), KILLED(process_vm_writev),
    KILLED(kill), KILLED(tkill), KILLED(unshare), KILLED(setns), KILLED(mount), KILLED(bpf), KILLED(io_uring_setup),
    KILLED(userfaultfd), KILLED(perf_event_open), KILLED(pidfd_getfd), KILLED(keyctl), KILLED(add_key),
    REFUSE,
};

int bailey_broker_filter(void) {
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0],
                                 .filter = (struct sock_filter *)(uintptr_t)filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int bailey_probe_socket(int family, int is_raw) {
    int fd = socket(family, (is_raw ? SOCK_RAW : SOCK_STREAM) | SOCK_CLOEXEC, is_raw ? 1 : 0);
    if (fd < 0) return 0;
    close(fd);
    return 1;
}

int bailey_probe_protocol(int protocol) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);
    if (fd >= 0) close(fd);
    return fd < 0 && errno == EPERM ? 0 : 1;
}

int bailey_probe_bind(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 1;
    struct sockaddr_in any = {.sin_family = AF_INET};
    int result = bind(fd, (struct sockaddr *)&any, sizeof any);
    close(fd);
    return result == 0 ? 1 : 0;
}

int bailey_probe_root(void) {
    struct stat root, above, here;
    if (stat("/", &root) != 0 || stat("/..", &above) != 0 || stat(".", &here) != 0) return 1;
    if (above.st_dev != root.st_dev || here.st_dev != root.st_dev) return 1;
    if (above.st_ino != root.st_ino || here.st_ino != root.st_ino) return 1;
    // Of a directory without others in it.
    return root.st_nlink == 2 ? 0 : 1;
}

int bailey_probe_code(void) {
    void *pages = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? 0 : 1;
}

int bailey_probe_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return 1;
    for (int i = 0; i < 2; i++)
        if (data[i].effective || data[i].permitted || data[i].inheritable) return 1;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1;
}

int bailey_probe_deadly(int which) {
    static char *const words[] = {"true", NULL};
    switch (which) {
    case 0: return (int)syscall(SYS_execve, "/bin/true", words, words + 1);
    case 1: return (int)syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, 1, 0, 0);
    case 2: return (int)syscall(SYS_kill, getppid(), 0);
    case 3: return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    case 4: return (int)syscall(SYS_unshare, CLONE_NEWUSER);
    case 5: return (int)syscall(SYS_setns, 3, 0);
    case 6: return (int)syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
    case 7: return (int)syscall(SYS_io_uring_setup, 1, NULL);
    case 8: return (int)syscall(SYS_bpf, 0, NULL, 0);
    default: errno = EINVAL; return -1;
    }
}
