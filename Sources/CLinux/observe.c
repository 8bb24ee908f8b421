#define _GNU_SOURCE
#include "include/clinux_observe.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdalign.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
// linux/seccomp.h of Linux 6.6, which the headers at hand may not have.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

// A kernel may know longer structures than the header did and writes as much as it knows.
#define NOTIFICATION_BYTES_MAX 512

static int sizes_fit(void) {
    static int known;
    if (known == 0) {
        struct seccomp_notif_sizes sizes;
        int fits = syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
                   sizes.seccomp_notif <= NOTIFICATION_BYTES_MAX && sizes.seccomp_notif_resp <= NOTIFICATION_BYTES_MAX;
        known = fits ? 1 : -1;
    }
    return known == 1;
}

_Static_assert(BAILEY_MSG_FASTOPEN == MSG_FASTOPEN, "the flag is the kernel's");

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
// The halves of an argument lie as the processor keeps them: the lower one first.
#define LOAD_ARGUMENT(row) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[row]))
#define LOAD_UPPER_ARGUMENT(row) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[row]) + 4)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
// Jumps over `distance` instructions if the loaded word is `value`, or has one of these bits.
#define IF(value, distance) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, distance, 0)
#define IF_NOT(value, distance) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, distance)
#define IF_ANY(bits, distance) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, distance, 0)

int bailey_listener_install(void) {
    // What cannot be received could never be answered.
    if (!sizes_fit()) {
        errno = EOVERFLOW;
        return -1;
    }
    // A call of another architecture goes on to the wall, which refuses it. The call that hands over the listener is
    // none of these: a filter that trapped it would wait for an answer from somebody who does not have it yet.
    // Of what sends, only what names a destination where a filter can see it is reported: sendto with an address, and
    // the calls that connect while they send (MSG_FASTOPEN). The rest are too many, and mostly go where a connect went.
    struct sock_filter program[] = {
        LOAD(arch), IF(AUDIT_ARCH_X86_64, 1), RETURN(SECCOMP_RET_ALLOW), LOAD(nr),
        IF(SYS_execve, 18), IF(SYS_execveat, 17), IF(SYS_connect, 16), IF(SYS_bind, 15),
        IF(SYS_sendto, 3), IF(SYS_sendmsg, 7), IF(SYS_sendmmsg, 9), RETURN(SECCOMP_RET_ALLOW),
        // sendto: an address
        LOAD_ARGUMENT(4), IF_NOT(0, 9), LOAD_UPPER_ARGUMENT(4), IF_NOT(0, 7), RETURN(SECCOMP_RET_ALLOW),
        // sendmsg: its flags
        LOAD_ARGUMENT(2), IF_ANY(MSG_FASTOPEN, 4), RETURN(SECCOMP_RET_ALLOW),
        // sendmmsg: its flags
        LOAD_ARGUMENT(3), IF_ANY(MSG_FASTOPEN, 1), RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_USER_NOTIF),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    // Without the second flag (before Linux 5.19) every signal starts a call anew, also one that was received: a
    // program whose run time interrupts its threads all the time could then wait for ever.
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    if (listener < 0 && errno == EINVAL)
        listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    return listener;
}

int bailey_listener_stay(int listener) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

static int known_call(int number) {
    switch (number) {
    case SYS_execve: return BAILEY_CALL_EXECVE;
    case SYS_execveat: return BAILEY_CALL_EXECVEAT;
    case SYS_connect: return BAILEY_CALL_CONNECT;
    case SYS_bind: return BAILEY_CALL_BIND;
    case SYS_sendto: return BAILEY_CALL_SENDTO;
    case SYS_sendmsg: return BAILEY_CALL_SENDMSG;
    case SYS_sendmmsg: return BAILEY_CALL_SENDMMSG;
    default: return 0;
    }
}

int bailey_notification_receive(int listener, struct bailey_notification *notification) {
    // The kernel refuses a buffer that is not all zero.
    alignas(8) char buffer[NOTIFICATION_BYTES_MAX] = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, buffer) != 0) return -1;
    struct seccomp_notif received;
    memcpy(&received, buffer, sizeof received);
    notification->id = received.id;
    notification->process = (int)received.pid;
    notification->call = known_call(received.data.nr);
    for (int i = 0; i < 6; i++) notification->arguments[i] = received.data.args[i];
    return 0;
}

int bailey_notification_continue(int listener, uint64_t id) {
    alignas(8) char buffer[NOTIFICATION_BYTES_MAX] = {0};
    struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    memcpy(buffer, &answer, sizeof answer);
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, buffer);
}

// The kernel promises whole parts only, so that a part never reaches into a page that may not be there.
#define PAGE_BYTES 4096
#define PARTS_MAX 8

struct plan {
    struct iovec parts[PARTS_MAX];
    int count;
    size_t bytes;
};

// The number of bytes that could be planned.
static size_t add_parts(struct plan *plan, uint64_t address, size_t bytes) {
    size_t planned = 0;
    while (planned < bytes && plan->count < PARTS_MAX) {
        uint64_t start = address + planned;
        size_t room = PAGE_BYTES - start % PAGE_BYTES;
        size_t length = bytes - planned < room ? bytes - planned : room;
        if (start + length < start) break;
        plan->parts[plan->count++] = (struct iovec){.iov_base = (void *)(uintptr_t)start, .iov_len = length};
        planned += length;
    }
    plan->bytes += planned;
    return planned;
}

static long read_parts(int process, const struct plan *plan, void *buffer) {
    if (plan->bytes == 0) return 0;
    struct iovec local = {.iov_base = buffer, .iov_len = plan->bytes};
    return process_vm_readv(process, &local, 1, plan->parts, (unsigned long)plan->count, 0);
}

long bailey_read_memory(int process, uint64_t address, void *buffer, size_t bytes) {
    struct plan plan = {.count = 0};
    add_parts(&plan, address, bytes);
    return read_parts(process, &plan, buffer);
}

long bailey_read_two(int process, const uint64_t addresses[2], const size_t bytes[2], void *buffer) {
    struct plan plan = {.count = 0};
    if (add_parts(&plan, addresses[0], bytes[0]) == bytes[0]) add_parts(&plan, addresses[1], bytes[1]);
    return read_parts(process, &plan, buffer);
}

int bailey_pidfd_open(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

// linux/pidfd.h of Linux 6.15, which the headers at hand may not have.
struct process_information {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t process, thread_group, parent;
    uint32_t identities[8];
    int32_t exit_status;
};
#define PROCESS_INFORMATION_IDS 0x1u
#define PROCESS_INFORMATION_EXIT 0x8u
#define GET_PROCESS_INFORMATION _IOWR(0xFF, 11, struct process_information)

_Static_assert(sizeof(struct process_information) == 64, "the first version of the kernel's structure has 64 bytes");

static int get_information(int pidfd, uint64_t wanted, struct process_information *information) {
    *information = (struct process_information){.mask = wanted};
    if (ioctl(pidfd, GET_PROCESS_INFORMATION, information) != 0) return -1;
    if ((information->mask & wanted) == wanted) return 0;
    errno = ENODATA;
    return -1;
}

int bailey_pidfd_parent(int pidfd, int *process, int *parent) {
    struct process_information information;
    if (get_information(pidfd, PROCESS_INFORMATION_IDS, &information) != 0) return -1;
    *process = (int)information.thread_group;
    *parent = (int)information.parent;
    return 0;
}

int bailey_pidfd_exit_status(int pidfd, int *status) {
    struct process_information information;
    int result = get_information(pidfd, PROCESS_INFORMATION_EXIT, &information);
    // The process was waited for in the middle of the question: now the kernel knows.
    if (result != 0 && errno == ESRCH) result = get_information(pidfd, PROCESS_INFORMATION_EXIT, &information);
    if (result != 0) return -1;
    *status = information.exit_status;
    return 0;
}

int bailey_process_cpu(int process, uint64_t *nanoseconds) {
    // The kernel's encoding of "CPU clock of that process": linux/posix-timers_types.h.
    clockid_t clock = (clockid_t)((~(unsigned)process << 3) | 2u);
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return -1;
    *nanoseconds = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    return 0;
}

int bailey_process_inside(int pid_namespace, int process) {
    // NS_GET_TGID_IN_PIDNS of linux/nsfs.h.
    return ioctl(pid_namespace, _IOR(0xb7, 0x9, int), process);
}

int bailey_exits_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int bailey_exits_watch(int exits, int pidfd, int process) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.u32 = (uint32_t)process}};
    return epoll_ctl(exits, EPOLL_CTL_ADD, pidfd, &event);
}

int bailey_exits_next(int exits, struct bailey_process_end *events, int count) {
    struct epoll_event found[BAILEY_EXITS_MAX];
    int number = epoll_wait(exits, found, count < BAILEY_EXITS_MAX ? count : BAILEY_EXITS_MAX, 0);
    for (int i = 0; i < number; i++) {
        events[i].process = (int)found[i].data.u32;
        events[i].is_reaped = found[i].events & EPOLLHUP ? 1 : 0;
    }
    return number;
}
