// Attempts that use up a resource, leave something alive, or end with their sandbox: each is run on its own.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static long amount(const char *otherwise) { return atol(*value("amount") ? value("amount") : otherwise); }

static void many_processes(const char *id) {
    (void)id;
    long wanted = amount("1500"), made = 0;
    int code = 0;
    pid_t parent = getpid();
    for (; made < wanted; made++) {
        pid_t child = fork();
        if (child < 0) {
            code = errno;
            break;
        }
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() == parent) pause();
            _exit(0);
        }
    }
    // The children end with this process.
    if (made == wanted) through("%ld processes", made);
    char text[64];
    snprintf(text, sizeof text, "after %ld processes", made);
    refused(code, text);
}

static void much_memory(const char *id) {
    (void)id;
    size_t bytes = (size_t)amount("400") << 20;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) refused(errno, "map the memory");
    for (size_t offset = 0; offset < bytes; offset += 4096) memory[offset] = 1;
    through("used %zu MiB", bytes >> 20);
}

static void large_mapping(const char *id) {
    (void)id;
    size_t bytes = (size_t)amount("6144") << 20;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) refused(errno, "map the address range");
    if (is_confined()) private_only("an address range of %zu MiB costs nothing until it is used", bytes >> 20);
    through("mapped %zu MiB", bytes >> 20);
}

static const char *temporary(void) { return *value("temporary") ? value("temporary") : "/tmp"; }

static void large_temporary_file(const char *id) {
    (void)id;
    char path[4096];
    snprintf(path, sizeof path, "%s/bailey-large-%s", temporary(), value("nonce"));
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) refused(errno, "make the file");
    unlink(path);
    off_t bytes = (off_t)amount("1200") << 20, step = 16 << 20;
    for (off_t offset = 0; offset < bytes; offset += step)
        if (fallocate(file, 0, offset, step)) {
            int code = errno;
            char text[64];
            snprintf(text, sizeof text, "after %ld MiB", (long)(offset >> 20));
            refused(code, text);
        }
    through("%ld MiB of temporary file", (long)(bytes >> 20));
}

static void many_temporary_files(const char *id) {
    (void)id;
    char path[4096];
    long wanted = amount("110000"), made = 0;
    int code = 0;
    for (; made < wanted && !code; made++) {
        snprintf(path, sizeof path, "%s/bailey-many-%s-%ld", temporary(), value("nonce"), made);
        int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (file < 0) code = errno;
        close(file);
    }
    for (long index = 0; is_control() && index < made; index++) {
        snprintf(path, sizeof path, "%s/bailey-many-%s-%ld", temporary(), value("nonce"), index);
        unlink(path);
    }
    if (!code) through("%ld files", made);
    snprintf(path, sizeof path, "after %ld files", made);
    refused(code, path);
}

static void many_open_files(const char *id) {
    (void)id;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    long wanted = amount("5000"), made = 0;
    for (; made < wanted; made++)
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) {
            int code = errno;
            char text[64];
            snprintf(text, sizeof text, "after %ld open files", made);
            refused(code, text);
        }
    through("%ld open files", made);
}

static void endless_work(const char *id) {
    (void)id;
    signal(SIGXCPU, SIG_IGN);
    struct timespec spent;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    while (spent.tv_sec < amount("20"));
    through("worked for %ld s", (long)spent.tv_sec);
}

// Leaves a process that is nobody's child, in a session of its own, ignoring every signal it can.
static void daemon_left(const char *id) {
    (void)id;
    if (!strcmp(id, "a27")) prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child < 0) broken("fork: %s", error_name(errno));
    if (child == 0) {
        setsid();
        for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
        prctl(PR_SET_PDEATHSIG, 0);
        if (fork() != 0) _exit(0);
        // "a24" keeps the output open, so that a reader who waits for its end waits for ever.
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        if (strcmp(id, "a24")) dup2(null, 1), dup2(null, 2);
        sleep(amount("60"));
        _exit(0);
    }
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    private_only("a daemon was left: the host is asked whether it lives");
}

static void ignore_end(const char *id) {
    (void)id;
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    for (long second = 0; second < amount("30"); second++) sleep(1);
    through("slept through every signal");
}

static void flood_output(const char *id) {
    (void)id;
    static char block[1 << 16];
    memset(block, 'x', sizeof block);
    for (long written = 0; written < amount("256") << 20; written += sizeof block)
        if (write(1, block, sizeof block) < 0) refused(errno, "write more");
    block[0] = '\n';
    if (write(1, block, 1) != 1) refused(errno, "write more");
    through("all of it was taken");
}

// Limits the init to almost nothing and makes it work: the attempt must still end with its own answer.
static void starve_init(const char *id) {
    (void)id;
    static const int resources[] = {RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_NPROC, RLIMIT_STACK};
    struct rlimit limit;
    int taken = 0, code = 0;
    for (size_t index = 0; index < sizeof resources / sizeof *resources; index++) {
        // Outside, the same values again: a success changes nothing, and shows that others would be taken.
        if (prlimit(first_process(), resources[index], NULL, &limit)) code = errno;
        if (!is_control()) limit = (struct rlimit){1, 1};
        if (prlimit(first_process(), resources[index], &limit, NULL) == 0) taken++;
        else code = errno;
    }
    if (!taken) refused(code, "limit the init");
    if (is_control()) through("%d limits of another process were set", taken);
    for (int orphan = 0; orphan < 2000; orphan++) {
        pid_t child = fork();
        if (child == 0) fork(), _exit(0);
        if (child > 0) waitpid(child, NULL, 0);
    }
    private_only("%d limits of the init were set, and it still works", taken);
}

// Far more levels than a path can say.
static void nest_directories(const char *id) {
    (void)id;
    for (int level = 0; level < 600; level++)
        if ((mkdir("aaaaaaaaaaaa", 0755) && errno != EEXIST) || chdir("aaaaaaaaaaaa")) refused(errno, "go deeper");
    int file = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) refused(errno, "make a file at the bottom");
    private_only("600 levels");
}

static void leave_socket(const char *id) {
    (void)id;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "left.sock"};
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&address, sizeof address)) refused(errno, "bind a socket file");
    private_only("left a socket in the project");
}

// Attributes with which an overlay marks deletions and moves: the commit must not take them for the kernel's own.
static void forge_markers(const char *id) {
    (void)id;
    static const char *const prefixes[] = {"user.overlay.", "trusted.overlay.", NULL};
    int set = 0;
    for (const char *const *prefix = prefixes; *prefix; prefix++) {
        char name[64];
        snprintf(name, sizeof name, "%swhiteout", *prefix);
        set += setxattr("notes.txt", name, "y", 1, 0) == 0;
        snprintf(name, sizeof name, "%sopaque", *prefix);
        set += setxattr("source", name, "y", 1, 0) == 0;
        snprintf(name, sizeof name, "%sredirect", *prefix);
        set += setxattr("source", name, "/etc", 4, 0) == 0;
    }
    if (mknod("source/main.txt.gone", S_IFCHR, 0) == 0) set++;
    if (!set) refused(errno, "set an overlay's marker");
    private_only("%d markers were set", set);
}

// One sandbox waits for a guest of another one.
static void wait_for_neighbour(const char *id) {
    (void)id;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(value("visit")))};
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (file < 0 || bind(file, (struct sockaddr *)&address, sizeof address) || listen(file, 4))
        broken("listen: %s", error_name(errno));
    time_t end = time(NULL) + 4;
    for (struct pollfd wait = {.fd = file, .events = POLLIN}; time(NULL) < end;) {
        if (poll(&wait, 1, 200) != 1) continue;
        int guest = accept(file, NULL, NULL);
        if (guest >= 0 && write(guest, value("marker"), strlen(value("marker"))) < 0) break;
        close(guest);
    }
    private_only("the time is over");
}

const struct probe lone_probes[] = {
    {"r01", many_processes},
    {"r02", much_memory},
    {"r02b", large_mapping},
    {"r03", large_temporary_file},
    {"r04", many_temporary_files},
    {"r05", many_open_files},
    {"r07", endless_work},
    {"h01", daemon_left},
    {"p22", daemon_left},
    {"a24", daemon_left},
    {"a27", daemon_left},
    {"a23", ignore_end},
    {"a25", flood_output},
    {"a03", nest_directories},
    {"a06", leave_socket},
    {"a26b", starve_init},
    {"a17", forge_markers},
    {"a54", wait_for_neighbour},
    {NULL, NULL},
};
