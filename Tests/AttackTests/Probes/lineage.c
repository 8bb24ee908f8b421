// Attempts to slip out of the sandbox's line of descent, to steer its init, and to choose process numbers.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SURVIVOR_SECONDS 60

static pid_t sleeping_child(void) {
    pid_t child = fork();
    if (child < 0) broken("fork: %s", error_name(errno));
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sleep(SURVIVOR_SECONDS);
    _exit(0);
}

// A process that its maker's parent has for a child, without a death signal and deaf to all others.
static void clone_for_parent(const char *id) {
    (void)id;
    long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child < 0) refused(errno, "clone for the parent");
    if (child > 0) private_only("left process %ld to its parent", child);
    prctl(PR_SET_PDEATHSIG, 0);
    setsid();
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    for (int descriptor = 0; descriptor < 3; descriptor++) close(descriptor);
    sleep(SURVIVOR_SECONDS);
    _exit(0);
}

static void *spin(void *nothing) {
    for (time_t end = time(NULL) + atol(value("amount")); time(NULL) < end;) sched_yield();
    through("a thread outlived the main one by %s s", value("amount"));
    return nothing;
}

static void leave_thread(const char *id) {
    (void)id;
    pthread_t thread;
    int code = pthread_create(&thread, NULL, spin, NULL);
    if (code) refused(code, "make a thread");
    // The process lives on as a zombie with a running thread.
    syscall(SYS_exit, 0);
}

static void stop_itself(const char *id) {
    (void)id;
    if (is_control()) {
        // Outside nobody would continue it: a child is stopped instead.
        pid_t child = sleeping_child();
        kill(child, SIGSTOP);
        int status = 0;
        waitpid(child, &status, WUNTRACED);
        kill(child, SIGKILL);
        if (WIFSTOPPED(status)) through("stopped");
        broken("not stopped");
    }
    kill(0, SIGSTOP);
    through("was continued");
}

static void wait_for_nobody(const char *id) {
    (void)id;
    if (mkfifo("nobody.fifo", 0600) && errno != EEXIST) refused(errno, "make a FIFO");
    if (is_control()) {
        int file = open("nobody.fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        unlink("nobody.fifo");
        if (file >= 0) through("opened a FIFO that nobody writes");
    }
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    for (;;)
        if (open("nobody.fifo", O_RDONLY) >= 0) through("somebody came");
}

// The init must be able to die at once, whatever place in the queue the command gave it.
static void slow_init(const char *id) {
    (void)id;
    struct sched_param none = {0};
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    pid_t target = is_control() ? sleeping_child() : 1;
    int taken = sched_setscheduler(target, SCHED_IDLE, &none) == 0;
    taken += sched_setaffinity(target, sizeof first, &first) == 0;
    taken += setpriority(PRIO_PROCESS, target, 19) == 0;
    taken += syscall(SYS_ioprio_set, 1, target, 3 << 13) == 0;
    if (is_control()) {
        kill(target, SIGKILL);
        if (taken) through("%d settings of another process were changed", taken);
        refused(EPERM, "change another process's scheduling");
    }
    sched_setaffinity(0, sizeof first, &first);
    for (int child = 0; child < 16; child++)
        if (fork() == 0) break;
    for (;;) continue;
}

static void signal_init(const char *id) {
    (void)id;
    pid_t target = is_control() ? sleeping_child() : 1;
    int code = 0, taken = 0;
    int process = syscall(SYS_pidfd_open, target, 0);
    union sigval nothing = {0};
    int numbers[] = {SIGSTOP, SIGRTMIN, SIGRTMAX, SIGSEGV, SIGKILL};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
        int number = numbers[index];
        taken += sigqueue(target, number, nothing) == 0;
        taken += syscall(SYS_tgkill, target, target, number) == 0;
        taken += syscall(SYS_tkill, target, number) == 0;
        if (process >= 0) taken += syscall(SYS_pidfd_send_signal, process, number, NULL, 0) == 0;
        if (!taken) code = errno;
    }
    if (is_control() && taken) through("%d signals were taken", taken);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", target);
    if (!taken) refused(code, "signal the init in any way");
    if (access(path, F_OK)) through("the init is gone");
    private_only("the init ignores %d signals", taken);
}

static void read_first_process(const char *id) {
    (void)id;
    static const char *const names[] = {"environ", "maps", "mem",     "smaps", "pagemap", "auxv", "io",
                                        "stack",   "exe",  "syscall", "fd",    "cwd",     "root", "personality"};
    int code = 0;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/%s", first_process(), names[index]);
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file >= 0) through("opened the first process's %s", names[index]);
        code = errno;
    }
    refused(code, "open anything private of the first process");
}

static void find_plan(const char *id) {
    (void)id;
    // Outside, the attempt makes such a file itself: what is looked for can be found.
    if (is_control()) (void)syscall(SYS_memfd_create, "bailey-plan", 0);
    for (int process = 0; process < 64; process++)
        for (int descriptor = 0; descriptor < 16; descriptor++) {
            char path[64], target[256];
            snprintf(path, sizeof path, "/proc/%d/fd/%d", process ? process : getpid(), descriptor);
            ssize_t count = readlink(path, target, sizeof target - 1);
            if (count <= 0) continue;
            target[count] = 0;
            if (strstr(target, "bailey-plan") || (!is_control() && strstr(target, "bailey-filter")))
                through("%s is %s", path, target);
        }
    refused(ENOENT, "find the launch plan");
}

static void change_host_priority(const char *id) {
    pid_t target = atoi(value("pid"));
    cpu_set_t all;
    if (!strcmp(id, "a30c") && setpriority(PRIO_PROCESS, target, 1) == 0) through("a host process is slower now");
    if (!strcmp(id, "a30d") && sched_getaffinity(target, sizeof all, &all) == 0 &&
        sched_setaffinity(target, sizeof all, &all) == 0)
        through("a host process was given its processors");
    refused(errno, "schedule a host process");
}

static void take_real_time(const char *id) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } deadline = {.size = 48, .policy = 6, .runtime = 100000, .deadline = 100000000, .period = 100000000};
    long failed = !strcmp(id, "a30b") ? syscall(SYS_sched_setattr, 0, &deadline, 0)
                                      : syscall(SYS_ioprio_set, 1, 0, 1 << 13 /* real time */);
    if (failed) refused(errno, !strcmp(id, "a30b") ? "run by deadline" : "take real-time disk access");
    through("took it");
}

static void set_memory_map(const char *id) {
    (void)id;
    static char program;
    if (prctl(PR_SET_MM, PR_SET_MM_START_BRK, &program, 0, 0)) refused(errno, "change its own memory map");
    through("changed its own memory map");
}

static void spare_from_memory_killer(const char *id) {
    (void)id;
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, "-1000", 5) != 5) refused(errno, "spare itself from the memory killer");
    through("spared itself from the memory killer");
}

static void choose_number(const char *id) {
    (void)id;
    int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    if (file >= 0) through("may choose the next process number");
    refused(errno, "choose the next process number");
}

static void hang_up(const char *id) {
    (void)id;
    setsid();
    if (syscall(SYS_vhangup)) refused(errno, "vhangup");
    through("vhangup worked");
}

const struct probe lineage_probes[] = {
    {"a20b", spare_from_memory_killer}, {"a27c", set_memory_map},       {"a30a", take_real_time},
    {"a30b", take_real_time},           {"a30c", change_host_priority}, {"a30d", change_host_priority},
    {"b02", read_first_process},        {"b03", find_plan},             {"b08", choose_number},
    {"b11", signal_init},               {"b16", hang_up},               {NULL, NULL},
};

const struct probe lone_lineage_probes[] = {
    {"a22c", clone_for_parent}, {"a22d", leave_thread}, {"a23b", stop_itself},
    {"a23c", wait_for_nobody},  {"b10", slow_init},     {NULL, NULL},
};
