#ifndef BAILEY_CLINUX_OBSERVE_H
#define BAILEY_CLINUX_OBSERVE_H

#include <stddef.h>
#include <stdint.h>

// Observation through seccomp's user notification. Every function returns the call's result, or -1 with errno set, and
// does nothing else.

// The launcher's call: loads a filter that lets everything through and reports the calls below to whoever holds the
// returned listener. It allocates nothing.
int bailey_listener_install(void);

#define BAILEY_CALL_EXECVE 1
#define BAILEY_CALL_EXECVEAT 2
#define BAILEY_CALL_CONNECT 3
#define BAILEY_CALL_BIND 4
// With an address, or where it connects while it sends.
#define BAILEY_CALL_SENDTO 5
// Where it connects while it sends.
#define BAILEY_CALL_SENDMSG 6
#define BAILEY_CALL_SENDMMSG 7
// sendto and its kind connect first.
#define BAILEY_MSG_FASTOPEN 0x20000000u

// A call that waits. `process` is the thread's id as this process sees it; `call` is one of the above, or 0.
struct bailey_notification {
    uint64_t id;
    int process;
    int call;
    uint64_t arguments[6];
};

// Wakes whoever answers on the processor of the caller, which sleeps meanwhile anyway, and the caller on that of who
// answers (Linux 6.6): no other processor has to be interrupted for either.
int bailey_listener_stay(int listener);

// Blocks unless `poll` says that something waits; fails if its caller was killed meanwhile.
int bailey_notification_receive(int listener, struct bailey_notification *notification);
// Lets the call go on as if nothing had been there. Success proves that it had waited until now: whatever was read of
// its process id and memory was its own. ENOENT: it had not, and what was read may be anybody's.
int bailey_notification_continue(int listener, uint64_t id);

// Reads up to `bytes` of another process's memory; the number that could be read from the start on.
long bailey_read_memory(int process, uint64_t address, void *buffer, size_t bytes);
// The same for two places, one after the other into the buffer, at once. The second is read only if the first is whole.
long bailey_read_two(int process, const uint64_t addresses[2], const size_t bytes[2], void *buffer);

int bailey_pidfd_open(int process);
// The process behind a pidfd and its parent, as this process sees them (Linux 6.13).
int bailey_pidfd_parent(int pidfd, int *process, int *parent);
// The wait status of a process that its parent has waited for (Linux 6.15).
int bailey_pidfd_exit_status(int pidfd, int *status);
// CPU time of all threads of a process, also of one that is dead and not waited for.
int bailey_process_cpu(int process, uint64_t *nanoseconds);
// The id of a process inside a pid namespace (Linux 6.11).
int bailey_process_inside(int pid_namespace, int process);

struct bailey_process_end {
    int process;
    // Its parent has waited for it: the exit status can be had.
    int is_reaped;
};

int bailey_exits_open(void);
// The end of a process is reported once.
int bailey_exits_watch(int exits, int pidfd, int process);
// Never waits; the number of events.
#define BAILEY_EXITS_MAX 64
int bailey_exits_next(int exits, struct bailey_process_end *events, int count);

#endif
