// Attempts to use up what the kernel keeps for a whole user or machine. Inside, far more is wanted than a sandbox may
// have; outside, so little that it harms nobody.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEBIBYTE (1L << 20)
// A limit that a watchdog holds needs a moment to see what was taken.
#define WATCHDOG_SECONDS 3

static long amount(void) { return atol(*value("amount") ? value("amount") : "16"); }

static _Noreturn void stopped(const char *what, long count) {
    char text[96];
    int code = errno;
    snprintf(text, sizeof text, "after %ld %s", count, what);
    refused(code, text);
}

// What was taken is held for as long as a watchdog may need to see it.
static _Noreturn void held(const char *what, long count) {
    if (!is_control()) sleep(WATCHDOG_SECONDS);
    through("%ld %s", count, what);
}

static void take_watchers(const char *id) {
    (void)id;
    for (long made = 0; made < amount(); made++)
        if (inotify_init1(IN_CLOEXEC) < 0) stopped("watchers", made);
    through("%ld watchers", amount());
}

static void take_timers(const char *id) {
    (void)id;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    for (long made = 0; made < amount(); made++) {
        timer_t timer;
        if (timer_create(CLOCK_MONOTONIC, &event, &timer)) stopped("timers", made);
    }
    through("%ld timers", amount());
}

static void take_queues(const char *id) {
    (void)id;
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    int code = 0;
    long made = 0;
    for (; made < amount() && !code; made++) {
        char name[64];
        snprintf(name, sizeof name, "/bailey-%s-%ld", value("nonce"), made);
        mqd_t queue = mq_open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600, &attributes);
        if (queue == (mqd_t)-1) code = errno;
        else if (is_control()) mq_unlink(name);
    }
    errno = code;
    if (code) stopped("message queues", made - 1);
    through("%ld message queues", made);
}

static void take_shared_memory(const char *id) {
    (void)id;
    long taken = 0;
    for (; taken < amount(); taken += 16) {
        int segment = shmget(IPC_PRIVATE, 16 * MEBIBYTE, IPC_CREAT | 0600);
        if (segment < 0) stopped("MiB of shared memory", taken);
        char *memory = shmat(segment, NULL, 0);
        if (is_control()) shmctl(segment, IPC_RMID, NULL);
        if (memory == (void *)-1) stopped("MiB of shared memory", taken);
        memset(memory, 1, 16 * MEBIBYTE);
        // Nobody holds it now, and it stays.
        shmdt(memory);
    }
    held("MiB of shared memory that no process holds", taken);
}

static void take_semaphores(const char *id) {
    (void)id;
    for (long made = 0; made < amount(); made++) {
        int set = semget(IPC_PRIVATE, 16000, IPC_CREAT | 0600);
        if (set < 0) stopped("sets of 16,000 semaphores", made);
        if (is_control()) semctl(set, 0, IPC_RMID);
    }
    through("%ld sets of 16,000 semaphores", amount());
}

static void take_memory_files(const char *id) {
    (void)id;
    long taken = 0;
    for (; taken < amount(); taken += 16) {
        int file = memfd_create("probe", MFD_CLOEXEC);
        if (file < 0 || posix_fallocate(file, 0, 16 * MEBIBYTE)) stopped("MiB of memory files", taken);
    }
    held("MiB of memory files that nobody maps", taken);
}

static void take_huge_pages(const char *id) {
    (void)id;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
    char *memory = mmap(NULL, 64 * MEBIBYTE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED) refused(errno, "map huge pages");
    through("mapped 64 MiB of huge pages");
}

static void take_pipes(const char *id) {
    (void)id;
    static char block[1 << 16];
    long taken = 0;
    for (; taken < amount(); taken++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) || fcntl(ends[1], F_SETPIPE_SZ, MEBIBYTE) < 0)
            stopped("pipes of 1 MiB", taken);
        while (write(ends[1], block, sizeof block) > 0) continue;
    }
    through("%ld pipes of 1 MiB, all full", taken);
}

static void take_socket_buffers(const char *id) {
    (void)id;
    static char block[1 << 16];
    long taken = 0;
    for (long pair = 0; taken < amount() * MEBIBYTE && pair < 512; pair++) {
        int ends[2], size = 1 << 20;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
            stopped("MiB in sockets", taken >> 20);
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        for (ssize_t count; (count = write(ends[0], block, sizeof block)) > 0;) taken += count;
    }
    held("MiB in the buffers of sockets", taken >> 20);
}

static void flood_zombies(const char *id) {
    (void)id;
    for (long made = 0; made < amount(); made++) {
        pid_t child = fork();
        if (child < 0) stopped("processes that are dead and not awaited", made);
        if (child == 0) _exit(0);
    }
    through("%ld processes that are dead and not awaited", amount());
}

static void *wait_forever(void *nothing) {
    for (;;) pause();
    return nothing;
}

static void take_threads(const char *id) {
    (void)id;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 16);
    for (long made = 0; made < amount(); made++) {
        pthread_t thread;
        int code = pthread_create(&thread, &attributes, wait_forever, NULL);
        if (code) errno = code, stopped("threads", made);
    }
    through("%ld threads", amount());
}

static void make_large_sparse_file(const char *id) {
    (void)id;
    signal(SIGXFSZ, SIG_IGN);
    int file = open("sparse", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) broken("make the file: %s", error_name(errno));
    int failed = ftruncate(file, 8LL << 40), code = errno;
    unlink("sparse");
    if (failed) refused(code, "make a file of 8 TiB");
    through("made a file of 8 TiB");
}

static void raise_own_limit(const char *id) {
    (void)id;
    static const int resources[] = {RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_MEMLOCK, RLIMIT_FSIZE, RLIMIT_CPU};
    int code = 0;
    for (size_t index = 0; index < sizeof resources / sizeof *resources; index++) {
        struct rlimit limit;
        if (getrlimit(resources[index], &limit)) broken("getrlimit: %s", error_name(errno));
        // Outside, where a limit may be unlimited, it is lowered first, so that raising it again means something.
        if (is_control() && limit.rlim_max == RLIM_INFINITY) {
            limit.rlim_cur = limit.rlim_max = 1 << 16;
            setrlimit(resources[index], &limit);
        }
        if (limit.rlim_max == RLIM_INFINITY) through("limit %d is unlimited", resources[index]);
        limit.rlim_max++;
        if (setrlimit(resources[index], &limit) == 0) through("raised limit %d", resources[index]);
        code = errno;
    }
    refused(code, "raise a limit of its own");
}

const struct probe quota_probes[] = {
    {"a31a", take_watchers},       {"a31b", take_timers},     {"a31c", take_queues},
    {"a31d", take_shared_memory},  {"a31e", take_semaphores}, {"a31f", take_memory_files},
    {"a31g", take_pipes},          {"a32b", flood_zombies},   {"a32c", take_socket_buffers},
    {"a22b", take_threads},        {"a07", make_large_sparse_file},
    {NULL, NULL},
};

const struct probe limit_probes[] = {
    {"a33", take_huge_pages},
    {"b12", raise_own_limit},
    {NULL, NULL},
};
