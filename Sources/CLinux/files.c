#define _GNU_SOURCE
#include "include/clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int bailey_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int bailey_renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path,
                     unsigned flags) {
    return (int)syscall(SYS_renameat2, old_directory, old_path, new_directory, new_path, flags);
}

int bailey_memfd_create(const char *name, unsigned flags) {
    return (int)syscall(SYS_memfd_create, name, flags | MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int bailey_memfd_seal(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

int bailey_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}

int bailey_sync_file_range_start(int fd) { return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }

int bailey_waitid_pidfd(int pidfd, int *code, int *status, int flags) {
    siginfo_t information = {0};
    int result = waitid(P_PIDFD, (id_t)pidfd, &information, WEXITED | flags);
    if (result == 0) {
        *code = information.si_pid == 0 ? 0 : information.si_code;
        *status = information.si_status;
    }
    return result;
}

int bailey_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int bailey_open(const char *path, int flags, unsigned mode) { return open(path, flags | O_CLOEXEC, mode); }

int bailey_openat(int directory, const char *path, int flags, unsigned mode) {
    return openat(directory, path, flags | O_CLOEXEC, mode);
}
