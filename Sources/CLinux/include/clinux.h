#ifndef BAILEY_CLINUX_H
#define BAILEY_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clinux_storage.h"

// One function per kernel call that glibc does not wrap, or whose header clashes with the Swift importer.
// Every function returns the call's result, or -1 with errno set, and does nothing else.

// Resolution rules for bailey_openat2, from linux/openat2.h.
#define BAILEY_RESOLVE_NO_XDEV 0x01
#define BAILEY_RESOLVE_NO_MAGICLINKS 0x02
#define BAILEY_RESOLVE_NO_SYMLINKS 0x04
#define BAILEY_RESOLVE_BENEATH 0x08

// Not defined without _GNU_SOURCE, which clashes with the Swift importer.
#define BAILEY_O_PATH 010000000

#define BAILEY_RENAME_NOREPLACE 1
#define BAILEY_RENAME_EXCHANGE 2

int bailey_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int bailey_renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned flags);
int bailey_memfd_create(const char *name, unsigned flags);
// Seals a memfd against writing, growing, shrinking and further sealing.
int bailey_memfd_seal(int fd);
int bailey_close_range(unsigned first, unsigned last, unsigned flags);
int bailey_syncfs(int fd);
int bailey_sync_file_range_start(int fd);
// Waits for the process behind a pidfd without reaping others: wait4 status in *status.
int bailey_waitid_pidfd(int pidfd, int *code, int *status, int flags);
int bailey_pidfd_open(int pid);
int bailey_pidfd_send_signal(int pidfd, int signal);
int bailey_open(const char *path, int flags, unsigned mode);
int bailey_openat(int directory, const char *path, int flags, unsigned mode);
int bailey_ioctl_value(int fd, unsigned long request, int value);

#endif
