// Runs a command on a kernel that lacks some system calls: a filter answers them with the error that it would.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 16

static const struct {
    const char *name;
    int number;
} calls[] = {
    {"landlock_create_ruleset", SYS_landlock_create_ruleset},
    {"landlock_restrict_self", SYS_landlock_restrict_self},
    {"clone3", SYS_clone3},
    {"unshare", SYS_unshare},
    {"seccomp", SYS_seccomp},
    {"memfd_create", SYS_memfd_create},
    {"openat2", SYS_openat2},
    {"open_tree", SYS_open_tree},
    {"move_mount", SYS_move_mount},
    {"fsopen", SYS_fsopen},
    {"mount_setattr", SYS_mount_setattr},
    {"pivot_root", SYS_pivot_root},
    {"keyctl", SYS_keyctl},
    {"setrlimit", SYS_setrlimit},
    {"capset", SYS_capset},
    {"inotify_init1", SYS_inotify_init1},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"fdatasync", SYS_fdatasync},
};

static int number_of(const char *name, size_t length) {
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++)
        if (strlen(calls[index].name) == length && !memcmp(calls[index].name, name, length))
            return calls[index].number;
    return -1;
}

// arguments: NAME:ERROR[,NAME:ERROR...] COMMAND...
int without_main(char **arguments) {
    struct sock_filter program[4 + 2 * CALLS_MAX];
    unsigned short length = 0;
    if (!arguments[0] || !arguments[1]) return 2;
    program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (char *word = strtok(strdup(arguments[0]), ","); word; word = strtok(NULL, ",")) {
        char *colon = strchr(word, ':');
        int number = colon ? number_of(word, colon - word) : -1, code = colon ? atoi(colon + 1) : 0;
        if (number < 0 || code <= 0 || length > 2 * CALLS_MAX) return fprintf(stderr, "without: %s?\n", word), 2;
        program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
        program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code);
    }
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {.len = length, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
        return perror("without: install the filter"), 2;
    execvp(arguments[1], arguments + 1);
    return perror(arguments[1]), 127;
}
