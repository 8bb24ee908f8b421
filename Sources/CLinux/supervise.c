#define _GNU_SOURCE
#include "include/clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <termios.h>
#include <unistd.h>

#define SPAWN_DESCRIPTORS_MAX 8

int bailey_spawn(const char *path, char *const *arguments, char *const *environment, const int *descriptors,
                 int count) {
    if (count < 0 || count > SPAWN_DESCRIPTORS_MAX) {
        errno = EINVAL;
        return -1;
    }
    // Out of the way of the numbers that they will get.
    int moved[SPAWN_DESCRIPTORS_MAX];
    int error = 0;
    for (int i = 0; i < count; i++) {
        moved[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, SPAWN_DESCRIPTORS_MAX + 1);
        if (moved[i] < 0 && error == 0) error = errno;
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t process = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int i = 0; i < count && error == 0; i++) error = posix_spawn_file_actions_adddup2(&actions, moved[i], i);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, count);
    if (error == 0) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    if (error == 0) error = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    for (int i = 0; i < count; i++)
        if (moved[i] >= 0) close(moved[i]);
    errno = error;
    return error == 0 ? process : -1;
}

int bailey_signals_open(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void bailey_signals_release(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int bailey_next_signal(int fd) {
    struct signalfd_siginfo information;
    ssize_t count = read(fd, &information, sizeof information);
    return count == sizeof information ? (int)information.ssi_signo : 0;
}

ssize_t bailey_write_quietly(int fd, const void *bytes, size_t count) {
    // SIGPIPE is ignored once for the process; the command gets its defaults back before it starts.
    static int ignored;
    if (!ignored) {
        signal(SIGPIPE, SIG_IGN);
        ignored = 1;
    }
    return write(fd, bytes, count);
}

int bailey_socketpair_packets(int *pair) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair); }

int bailey_pipe(int *pair) { return pipe2(pair, O_CLOEXEC); }

int bailey_copy_window_size(int from, int to) {
    struct winsize size;
    if (ioctl(from, TIOCGWINSZ, &size) != 0) return -1;
    return ioctl(to, TIOCSWINSZ, &size);
}

int bailey_copy_terminal_modes(int from, int to) {
    struct termios modes;
    if (tcgetattr(from, &modes) != 0) return -1;
    return tcsetattr(to, TCSANOW, &modes);
}

size_t bailey_terminal_modes_size(void) { return sizeof(struct termios); }

int bailey_terminal_raw(int fd, void *saved) {
    struct termios modes;
    if (tcgetattr(fd, &modes) != 0) return -1;
    memcpy(saved, &modes, sizeof modes);
    cfmakeraw(&modes);
    return tcsetattr(fd, TCSANOW, &modes);
}

int bailey_terminal_restore(int fd, const void *saved) {
    struct termios modes;
    memcpy(&modes, saved, sizeof modes);
    // What is waiting to be read now was not typed for whoever reads next.
    return tcsetattr(fd, TCSAFLUSH, &modes);
}

int bailey_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int bailey_free_space(int fd, uint64_t *bytes, uint64_t *files) {
    struct statvfs status;
    if (fstatvfs(fd, &status) != 0) return -1;
    *bytes = (uint64_t)status.f_bavail * status.f_frsize;
    *files = (uint64_t)status.f_favail;
    return 0;
}
