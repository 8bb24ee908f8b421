#define _GNU_SOURCE
#include "include/clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int bailey_clone(uint64_t flags, int *pidfd) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    if (pidfd) {
        arguments.flags |= CLONE_PIDFD;
        arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    }
    return (int)syscall(SYS_clone3, &arguments, sizeof arguments);
}

int bailey_fork(void) { return bailey_clone(0, NULL); }

int bailey_unshare(unsigned flags) { return (int)syscall(SYS_unshare, flags); }

void *bailey_pages(size_t bytes) {
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

int bailey_tree_clone(int fd, int recursive) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    return (int)syscall(SYS_open_tree, fd, "", flags);
}

static uint64_t mount_attributes(unsigned attributes) {
    return (attributes & BAILEY_TREE_READONLY ? MOUNT_ATTR_RDONLY : 0) |
           (attributes & BAILEY_TREE_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
           (attributes & BAILEY_TREE_NODEV ? MOUNT_ATTR_NODEV : 0) |
           (attributes & BAILEY_TREE_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
}

int bailey_tree_attributes(int tree, unsigned attributes, int identity, int recursive) {
    struct mount_attr change = {.attr_set = mount_attributes(attributes)};
    if (identity >= 0) {
        change.attr_set |= MOUNT_ATTR_IDMAP;
        change.userns_fd = (uint64_t)identity;
    }
    unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    return (int)syscall(SYS_mount_setattr, tree, "", flags, &change, sizeof change);
}

int bailey_tree_attach(int tree, int target) {
    return (int)syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int configure(int context, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

static int configure_flag(int context, const char *key) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, NULL, 0);
}

static int finish_mount(int context, unsigned attributes) {
    int tree = -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, mount_attributes(attributes));
    int saved = errno;
    close(context);
    errno = saved;
    return tree;
}

int bailey_abandon(int fd) {
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int bailey_tmpfs(const char *size, const char *inodes, const char *mode, unsigned attributes) {
    int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    if (configure(context, "size", size) != 0 || configure(context, "nr_inodes", inodes) != 0 ||
        configure(context, "mode", mode) != 0)
        return bailey_abandon(context);
    return finish_mount(context, attributes);
}

int bailey_proc(void) {
    int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    return finish_mount(context, BAILEY_TREE_READONLY | BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV | BAILEY_TREE_NOEXEC);
}

int bailey_devpts(void) {
    int context = (int)syscall(SYS_fsopen, "devpts", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    // Every mount of devpts is an instance of its own since Linux 4.7.
    if (configure(context, "ptmxmode", "0666") != 0 || configure(context, "mode", "0620") != 0)
        return bailey_abandon(context);
    return finish_mount(context, BAILEY_TREE_NOSUID | BAILEY_TREE_NOEXEC);
}

int bailey_overlay(const char *lower, const char *upper, const char *work, const char **option) {
    *option = "overlay";
    int context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    const char *const settings[][2] = {
        {"lowerdir", lower}, {"redirect_dir", "nofollow"}, {"metacopy", "off"}, {"index", "off"},
        {"xino", "off"},     {"upperdir", upper},          {"workdir", work},
    };
    size_t count = sizeof settings / sizeof settings[0] - (upper ? 0 : 2);
    for (size_t i = 0; i < count; i++) {
        *option = settings[i][0];
        if (configure(context, settings[i][0], settings[i][1]) != 0) return bailey_abandon(context);
    }
    *option = "userxattr";
    if (configure_flag(context, "userxattr") != 0) return bailey_abandon(context);
    *option = "volatile";
    if (upper && configure_flag(context, "volatile") != 0) return bailey_abandon(context);
    *option = "create";
    return finish_mount(context, BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV | (upper ? 0 : BAILEY_TREE_READONLY));
}

int bailey_private_propagation(void) {
    struct mount_attr change = {.propagation = 1 << 18 /* MS_PRIVATE */};
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &change, sizeof change);
}

int bailey_enter_root(int root) {
    if (fchdir(root) != 0) return -1;
    // With both arguments ".", the old root ends up stacked on the new one and is detached there: pivot_root(2).
    if (syscall(SYS_pivot_root, ".", ".") != 0) return -1;
    if (syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) != 0) return -1;
    return chdir("/");
}

int bailey_detach(const char *path) { return (int)syscall(SYS_umount2, path, 2 /* MNT_DETACH */); }

int bailey_mount_readonly(int directory) {
    struct mount_attr change = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    return (int)syscall(SYS_mount_setattr, directory, "", AT_EMPTY_PATH, &change, sizeof change);
}

int bailey_set_ids(unsigned user, unsigned group, int drop_groups) {
    if (drop_groups && syscall(SYS_setgroups, 0, NULL) != 0) return -1;
    if (syscall(SYS_setresgid, group, group, group) != 0) return -1;
    return (int)syscall(SYS_setresuid, user, user, user);
}

int bailey_loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

int bailey_set_hostname(const char *name, size_t length) { return (int)syscall(SYS_sethostname, name, length); }

int bailey_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int bailey_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

int bailey_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int bailey_join_session_keyring(void) {
    long result = syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL, 0, 0, 0);
    // A kernel without keyrings has none to leave.
    return result < 0 && errno != ENOSYS ? -1 : 0;
}

// Gives up every capability but those in the set, which are of the lowest 32.
static int keep_capabilities(uint32_t kept) {
    for (int capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
            if (errno == EINVAL) break;
            return -1;
        }
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) return -1;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = kept, .permitted = kept}};
    return (int)syscall(SYS_capset, &header, data);
}

int bailey_drop_capabilities(void) { return keep_capabilities(0); }

int bailey_keep_low_ports(void) { return keep_capabilities(1u << CAP_NET_BIND_SERVICE); }

int bailey_set_rlimit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit;
    // A hard limit that is already lower cannot be raised without privilege: keep it.
    if (getrlimit(resource, &limit) != 0) return -1;
    limit.rlim_max = hard < limit.rlim_max ? hard : limit.rlim_max;
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    return setrlimit(resource, &limit);
}

int bailey_seccomp_filter(const void *program, size_t bytes) {
    struct sock_fprog filter = {.len = (unsigned short)(bytes / sizeof(struct sock_filter)),
                                .filter = (struct sock_filter *)(uintptr_t)program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int bailey_open_pty(int *slave) {
    int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) return -1;
    int unlock = 0;
    if (ioctl(master, TIOCSPTLCK, &unlock) != 0) return bailey_abandon(master);
    *slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return *slave < 0 ? bailey_abandon(master) : master;
}

int bailey_take_terminal(int slave) {
    if (ioctl(slave, TIOCSCTTY, 0) != 0) return -1;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(slave, fd) != fd) return -1;
    return 0;
}

int bailey_wait(int pid, int *status, uint64_t *cpu_microseconds, uint64_t *peak_kib) {
    struct rusage usage = {0};
    int found;
    do found = wait4(pid, status, 0, &usage);
    while (found < 0 && errno == EINTR);
    *cpu_microseconds = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                        (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    *peak_kib = (uint64_t)usage.ru_maxrss;
    return found;
}

int bailey_wait_readable(int first, int second) {
    struct pollfd waits[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
    int ready;
    do ready = poll(waits, 2, -1);
    while (ready < 0 && errno == EINTR);
    if (ready < 0) return -1;
    return (waits[0].revents ? 1 : 0) | (waits[1].revents ? 2 : 0);
}

int bailey_poll_hangup(int fd) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 0) < 0) return -1;
    return wait.revents & (POLLHUP | POLLERR) ? 1 : 0;
}

int bailey_execve(const char *path, char *const *arguments, char *const *environment) {
    return execve(path, arguments, environment);
}

void bailey_reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
}

_Noreturn void bailey_exit(int code) {
    for (;;) syscall(SYS_exit_group, code);
}

int bailey_memfd_is_sealed(int fd) {
    int wanted = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & wanted) == wanted;
}
