/// The system calls that a command may make. Everything else is answered with ENOSYS, as by a kernel that never had it.
///
/// An allow list costs no more than a deny list (measured) and is closed against calls that the next kernel brings.
enum SystemCalls {
    /// Calls that need no look at their arguments.
    static let allowed: [String] =
        files + processes + memory + time + signals + sockets + polling + identity + scheduling + interprocess + misc

    private static let files = [
        "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3",
        "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown",
        "fchownat", "fdatasync", "fgetxattr", "flistxattr", "flock", "fremovexattr", "fsetxattr", "fstat",
        "fstatfs", "fsync", "ftruncate", "futimesat", "getcwd", "getdents", "getdents64", "getxattr", "getxattrat",
        "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "lchown", "lgetxattr", "link",
        "linkat", "listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat", "mkdir",
        "mkdirat", "name_to_handle_at", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2", "pread64",
        "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv",
        "removexattr", "removexattrat", "rename", "renameat", "renameat2", "rmdir", "sendfile", "setxattr",
        "setxattrat", "splice", "stat", "statfs", "statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs",
        "tee", "truncate", "umask", "unlink", "unlinkat", "utime", "utimensat", "utimes", "write", "writev",
    ]
    private static let processes = [
        "execve", "execveat", "exit", "exit_group", "fork", "vfork", "wait4", "waitid", "pidfd_open",
        "pidfd_send_signal", "set_tid_address", "set_robust_list", "get_robust_list", "arch_prctl", "rseq",
        "restart_syscall",
    ]
    private static let memory = [
        "brk", "madvise", "mbind", "membarrier", "memfd_create", "mincore", "mlock", "mlock2", "mlockall", "mmap",
        "mprotect", "mremap", "mseal", "msync", "munlock", "munlockall", "munmap", "get_mempolicy", "set_mempolicy",
        "pkey_alloc", "pkey_free", "pkey_mprotect", "remap_file_pages", "map_shadow_stack", "process_madvise",
    ]
    private static let time = [
        "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep",
        "setitimer", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime",
        "timerfd_create", "timerfd_gettime", "timerfd_settime", "times",
    ]
    private static let signals = [
        "kill", "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
        "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "sigaltstack", "signalfd", "signalfd4", "tgkill",
        "tkill",
    ]
    private static let sockets = [
        "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom",
        "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    ]
    private static let polling = [
        "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd",
        "eventfd2", "poll", "ppoll", "pselect6", "select",
    ]
    private static let identity = [
        "capget", "capset", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid",
        "getresgid", "getresuid", "getsid", "gettid", "getuid", "setfsgid", "setfsuid", "setgid", "setgroups",
        "setpgid", "setregid", "setresgid", "setresuid", "setreuid", "setsid", "setuid",
    ]
    private static let scheduling = [
        "getcpu", "getpriority", "getrlimit", "getrusage", "ioprio_get", "ioprio_set", "sched_get_priority_max",
        "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler",
        "sched_rr_get_interval", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
        "sched_yield", "setpriority", "setrlimit",
    ]
    private static let interprocess = [
        "futex", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake", "mq_getsetattr", "mq_notify", "mq_open",
        "mq_timedreceive", "mq_timedsend", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl",
        "semop", "semtimedop", "shmat", "shmctl", "shmdt",
    ]
    /// Landlock's calls can only take rights away.
    private static let misc = [
        "getrandom", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "prctl", "sysinfo",
        "uname",
    ]

    /// Answered with EPERM, because programs that try them tell "not permitted" from "no such call" in what they print.
    static let refused = [
        "chroot", "mount", "move_mount", "open_tree", "pivot_root", "ptrace", "setns", "umount2", "unshare", "fsopen",
        "fsmount", "mount_setattr", "sethostname", "setdomainname", "settimeofday", "clock_settime", "reboot", "swapon",
        "swapoff", "acct", "syslog", "kexec_load", "init_module", "finit_module", "delete_module", "ioperm", "iopl",
        "open_by_handle_at", "bpf", "perf_event_open",
    ]

    /// Numbers on x86-64 of calls that the installed libseccomp may have no name for: asm/unistd_64.h.
    static let numbers: [String: Int32] = [
        "map_shadow_stack": 453, "futex_wake": 454, "futex_wait": 455, "futex_requeue": 456, "fchmodat2": 452,
        "mseal": 462, "setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466,
        "futex_waitv": 449, "process_madvise": 440, "epoll_pwait2": 441,
    ]
}
