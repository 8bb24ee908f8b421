// One program that makes every attempt of the abuse suite, so that the same bytes run behind the wall and outside.
//
//   probe all KEY=VALUE...        every attempt of the batch, each in a process of its own with a deadline
//   probe ID KEY=VALUE...         one attempt
//   probe host KEY=VALUE...       the host's side: sockets, shared memory and a process to attack; ends with its input
//   probe with-key NAME CMD...    runs CMD with a key in its session keyring
//   probe with-tty CMD...         runs CMD with a controlling terminal
//   probe screen CMD...           runs CMD at a terminal that answers, and says what it left there
//   probe without CALL:ERROR CMD  runs CMD on a kernel that lacks system calls
//
// An attempt prints one line: ID through|refused|private|error DETAIL.
#ifndef BAILEY_PROBE_H
#define BAILEY_PROBE_H

#include <stddef.h>

struct probe {
    const char *id;
    void (*attempt)(const char *id);
};

// Tables end with an entry without an id. Those from `lone_probes` on are made only when asked for by name.
extern const struct probe file_probes[];
extern const struct probe process_probes[];
extern const struct probe kernel_probes[];
extern const struct probe socket_probes[];
extern const struct probe terminal_probes[];
extern const struct probe lineage_probes[];
extern const struct probe place_probes[];
extern const struct probe limit_probes[];
extern const struct probe lone_probes[];
extern const struct probe lone_lineage_probes[];
extern const struct probe quota_probes[];
extern const struct probe layer_probes[];
extern const struct probe handover_probes[];

// The value of a KEY=VALUE argument, or "".
const char *value(const char *key);
// True outside the wall, where the attempt must get through or at least reach the kernel.
int is_control(void);

// Each verdict prints the attempt's line and ends its process.
_Noreturn void through(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void private_only(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void refused(int code, const char *what);
_Noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

const char *error_name(int code);
// A path below the host's canary directory, in one of a few static buffers.
const char *canary(const char *name);
// 0 if the file can be read and holds the marker, ENODATA if it can be read and does not, else the error.
int read_marker(const char *path);
int read_marker_at(int directory, const char *path);
// True if this process has no new privileges, a filter and no capability: what it reaches is the sandbox's own.
int is_confined(void);
// The process that stands for pid 1: inside it is pid 1, outside the host helper.
int first_process(void);

int host_main(void);
int with_key_main(char **arguments);
int with_tty_main(char **arguments);
int screen_main(char **arguments);
int without_main(char **arguments);

#endif
