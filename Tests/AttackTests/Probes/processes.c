// Attempts on other processes, on the sandbox's init, on namespaces and on privileges.
#define _GNU_SOURCE
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static ssize_t read_whole(const char *path, char *bytes, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = read(file, bytes, size - 1);
    int code = errno;
    close(file);
    errno = code;
    if (count >= 0) bytes[count] = 0;
    return count;
}

static int is_host_helper(const char *process) {
    char path[300], line[4096];
    snprintf(path, sizeof path, "/proc/%s/cmdline", process);
    ssize_t count = read_whole(path, line, sizeof line);
    size_t first = count > 0 ? strlen(line) + 1 : 0;
    return count > 0 && first < (size_t)count && !strcmp(line + first, "host");
}

static void see_host_process(const char *id) {
    (void)id;
    DIR *processes = opendir("/proc");
    if (!processes) refused(errno, "open /proc");
    for (struct dirent *entry; (entry = readdir(processes));)
        if (isdigit((unsigned char)entry->d_name[0]) && is_host_helper(entry->d_name))
            through("process %s is the host's", entry->d_name);
    refused(ESRCH, "find the host's process");
}

static void signal_host_process(const char *id) {
    (void)id;
    if (kill(atoi(value("pid")), 0)) refused(errno, "signal the host's process");
    if (is_host_helper(value("pid"))) through("may signal the host's process");
    private_only("that number is a process of the sandbox");
}

static pid_t sleeping_child(void) {
    pid_t child = fork();
    if (child < 0) broken("fork: %s", error_name(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sleep(30);
        _exit(0);
    }
    return child;
}

static void trace(const char *id) {
    pid_t target = strcmp(id, "p03") ? first_process() : sleeping_child();
    long result = ptrace(PTRACE_SEIZE, target, NULL, NULL);
    int code = errno;
    if (!strcmp(id, "p03")) kill(target, SIGKILL);
    if (result) refused(code, "PTRACE_SEIZE");
    through("traced process %d", target);
}

static void open_memory_map(const char *id) {
    (void)id;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", first_process());
    if (open(path, O_RDONLY | O_CLOEXEC) >= 0) through("opened the first process's memory");
    int code = errno;
    char maps[4096];
    snprintf(path, sizeof path, "/proc/%d/maps", first_process());
    if (read_whole(path, maps, sizeof maps) > 0) through("read the first process's memory map");
    refused(code, "open the first process's memory");
}

static int holds_secret(const char *bytes, size_t count) {
    return *value("secret") && memmem(bytes, count, value("secret"), strlen(value("secret")));
}

static void read_environment_of_first(const char *id) {
    (void)id;
    static char bytes[1 << 17];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", first_process());
    ssize_t count = read_whole(path, bytes, sizeof bytes);
    if (count < 0) refused(errno, "read the first process's environment");
    if (holds_secret(bytes, count)) through("the secret is in it");
    private_only("%zd bytes without the secret", count);
}

static void find_secret_variable(const char *id) {
    (void)id;
    for (char **pair = environ; *pair; pair++)
        if (holds_secret(*pair, strlen(*pair))) through("a variable holds the secret");
    refused(ENOENT, "find the secret in the environment");
}

static void find_variables(const char *id) {
    static const char *const agents[] = {"SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", NULL};
    static const char *const loaders[] = {"BASH_ENV",     "ENV",        "PYTHONPATH", "NODE_OPTIONS", "GIT_SSH_COMMAND",
                                          "GCONV_PATH",   "PERL5OPT",   "RUBYOPT",    "JAVA_TOOL_OPTIONS",
                                          "LD_LIBRARY_PATH", "PROMPT_COMMAND", NULL};
    for (const char *const *name = strcmp(id, "p08") ? loaders : agents; *name; name++)
        if (getenv(*name)) through("%s is set", *name);
    refused(ENOENT, "find such a variable");
}

static void take_descriptor(const char *id) {
    (void)id;
    int process = syscall(SYS_pidfd_open, first_process(), 0);
    if (process < 0) refused(errno, "pidfd_open of the first process");
    int code = EBADF;
    for (int descriptor = 0; descriptor < 32; descriptor++) {
        if (syscall(SYS_pidfd_getfd, process, descriptor, 0) >= 0) through("took descriptor %d", descriptor);
        if (errno != EBADF) code = errno;
    }
    refused(code, "pidfd_getfd");
}

static void join_namespaces(const char *id) {
    static const char *const names[] = {"user", "mnt", "net", "pid", "ipc", "uts", "cgroup", NULL};
    int code = ENOENT;
    if (!strcmp(id, "a40b")) {
        int process = syscall(SYS_pidfd_open, first_process(), 0);
        if (process < 0) refused(errno, "pidfd_open of the first process");
        if (setns(process, CLONE_NEWNET) == 0) through("joined through a process descriptor");
        refused(errno, "setns by process descriptor");
    }
    for (const char *const *name = names; *name; name++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/%s", first_process(), *name);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file >= 0 && setns(file, 0) == 0) through("joined the %s namespace", *name);
        code = errno;
    }
    refused(code, "setns");
}

static void new_namespace(const char *id) {
    int flag = !strcmp(id, "p11") ? CLONE_NEWUSER : !strcmp(id, "a40") ? 0x80 /* CLONE_NEWTIME */ : CLONE_NEWCGROUP;
    if (unshare(flag) == 0) through("unshare worked");
    int code = errno;
    if (strcmp(id, "p11")) refused(code, "unshare");
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) _exit(0);
    if (child > 0) through("clone with a user namespace worked");
    refused(code, "unshare and clone of a user namespace");
}

// Mounts are tried only in a mount namespace of the attempt's own.
static void own_mounts(void) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) && unshare(CLONE_NEWNS)) {
        int code = errno;
        if (is_control()) refused(code, "a mount namespace");
        // Inside there is nothing to spare: try with the namespaces that are there.
        return;
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) refused(errno, "make the mounts private");
}

static void mount_something(const char *id) {
    (void)id;
    own_mounts();
    if (mount("probe", "/tmp", "tmpfs", 0, NULL)) refused(errno, "mount a tmpfs");
    through("mounted a tmpfs");
}

static void undo_read_only(const char *id) {
    (void)id;
    own_mounts();
    if (is_control() && mount("/usr", "/usr", NULL, MS_BIND, NULL)) broken("bind: %s", error_name(errno));
    if (mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, NULL) == 0)
        through("remounted /usr writable");
    int code = errno;
    struct {
        uint64_t set, clear, propagation, user_namespace;
    } attributes = {.clear = 1 /* MOUNT_ATTR_RDONLY */};
    if (syscall(442 /* mount_setattr */, AT_FDCWD, "/usr", 0, &attributes, sizeof attributes) == 0)
        through("cleared the read-only attribute");
    if (umount2("/usr", MNT_DETACH) == 0) through("took /usr away");
    refused(code, "undo a read-only mount");
}

static void execute_memory_file(const char *id) {
    (void)id;
    char *const arguments[] = {(char *)"probe", (char *)"nothing", NULL};
    int image = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), file = syscall(SYS_memfd_create, "probe", 0);
    if (image < 0) broken("open own image: %s", error_name(errno));
    if (file < 0) refused(errno, "memfd_create");
    char block[1 << 16];
    for (ssize_t count; (count = read(image, block, sizeof block)) > 0;)
        if (write(file, block, count) != count) refused(errno, "fill the file");
    pid_t child = fork();
    if (child < 0) broken("fork: %s", error_name(errno));
    if (child == 0) {
        fexecve(file, arguments, environ);
        _exit(errno);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) refused(WEXITSTATUS(status), "execute it");
    if (is_confined()) private_only("executed under the same filter");
    through("executed from memory");
}

static int effective_user(pid_t process) {
    char path[64], text[4096];
    int real, effective;
    snprintf(path, sizeof path, "/proc/%d/status", process);
    if (read_whole(path, text, sizeof text) < 0) return -1;
    char *line = strstr(text, "\nUid:");
    return line && sscanf(line, "\nUid: %d %d", &real, &effective) == 2 && real ? effective : -1;
}

static void use_setuid_program(const char *id) {
    (void)id;
    static const char *const programs[] = {"/usr/bin/su", "/bin/su", "/usr/bin/passwd", "/usr/bin/newgrp", NULL};
    // Only an ordinary user can gain anything by it: outside, root becomes one first.
    int is_root = is_control() && geteuid() == 0;
    if (is_root && (setgroups(0, NULL) || setresgid(29999, 29999, 29999) || setresuid(29999, 29999, 29999)))
        broken("become an ordinary user: %s", error_name(errno));
    const char *found = NULL;
    for (const char *const *program = programs; *program; program++) {
        struct stat status;
        if (stat(*program, &status) || !(status.st_mode & S_ISUID) || status.st_uid == geteuid()) continue;
        found = *program;
        int ends[2];
        if (pipe(ends)) broken("pipe: %s", error_name(errno));
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            int null = open("/dev/null", O_RDWR);
            dup2(ends[0], 0), dup2(null, 1), dup2(null, 2);
            execl(*program, *program, (char *)NULL);
            _exit(127);
        }
        int effective = -1;
        for (int tick = 0; tick < 100 && effective != 0; tick++) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            effective = effective_user(child);
        }
        kill(child, SIGKILL);
        close(ends[0]), close(ends[1]);
        waitpid(child, NULL, 0);
        if (effective == 0) through("%s ran as root", *program);
    }
    refused(found ? EPERM : ENOENT, "gain a user by a set-uid program");
}

static void raise_priority(const char *id) {
    struct sched_param parameter = {.sched_priority = 1};
    int failed = strcmp(id, "p18") ? setpriority(PRIO_PROCESS, 0, -5) : sched_setscheduler(0, SCHED_FIFO, &parameter);
    if (failed) refused(errno, "raise the priority");
    through("raised the priority");
}

static void dump_core(const char *id) {
    (void)id;
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    struct rlimit now;
    if (getrlimit(RLIMIT_CORE, &now)) broken("getrlimit: %s", error_name(errno));
    if (now.rlim_max < limit.rlim_max) limit.rlim_cur = limit.rlim_max = now.rlim_max;
    setrlimit(RLIMIT_CORE, &limit);
    pid_t child = fork();
    if (child < 0) broken("fork: %s", error_name(errno));
    if (child == 0) {
        // Outside, the dump goes to the canary, so that no project is littered by the control.
        if (is_control() && chdir(value("canary"))) _exit(1);
        prctl(PR_SET_DUMPABLE, 1);
        abort();
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WCOREDUMP(status)) through("a core was dumped");
    if (limit.rlim_max > 1) through("the limit would allow a dump of %lu bytes", (unsigned long)limit.rlim_max);
    refused(EPERM, "dump core");
}

static void lock_memory(const char *id) {
    (void)id;
    size_t bytes = 256 << 20;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) refused(errno, "map 256 MiB");
    if (mlock(memory, bytes)) refused(errno, "lock 256 MiB");
    through("locked 256 MiB");
}

static void kill_init(const char *id) {
    (void)id;
    pid_t target = is_control() ? sleeping_child() : 1;
    int code = 0;
    for (int signal_number = 1; signal_number < 32; signal_number++)
        if (kill(target, signal_number)) code = errno;
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    if (is_control() && waitpid(target, NULL, WNOHANG) == target) through("the target died");
    if (kill(target, 0) && errno == ESRCH) through("the init is gone");
    if (code) refused(code, "signal the init");
    private_only("the init ignores every signal");
}

static void trace_sibling(const char *id) {
    (void)id;
    pid_t sibling = sleeping_child();
    char byte = 0;
    struct {
        void *base;
        size_t length;
    } local = {&byte, 1}, remote = {&byte, 1};
    long count = syscall(SYS_process_vm_readv, sibling, &local, 1, &remote, 1, 0);
    int code = errno;
    kill(sibling, SIGKILL);
    if (count == 1) through("read another process's memory");
    refused(code, "process_vm_readv");
}

const struct probe process_probes[] = {
    {"p01", see_host_process},
    {"p02", signal_host_process},
    {"p03", trace},
    {"p04", trace},
    {"p05", open_memory_map},
    {"p06", read_environment_of_first},
    {"p07", find_secret_variable},
    {"p08", find_variables},
    {"p09", take_descriptor},
    {"p10", join_namespaces},
    {"p11", new_namespace},
    {"p12", mount_something},
    {"p13", undo_read_only},
    {"p14", execute_memory_file},
    {"p15", use_setuid_program},
    {"p18", raise_priority},
    {"p19", raise_priority},
    {"p20", dump_core},
    {"p21", lock_memory},
    {"a26", kill_init},
    {"a28", trace_sibling},
    {"a40", new_namespace},
    {"a40b", join_namespaces},
    {"a40c", new_namespace},
    {"a59", find_variables},
    {NULL, NULL},
};
