#define _GNU_SOURCE
#include "include/clinux_storage.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

ssize_t bailey_fgetxattr(int fd, const char *name, void *value, size_t size) {
    return fgetxattr(fd, name, value, size);
}

ssize_t bailey_flistxattr(int fd, char *list, size_t size) { return flistxattr(fd, list, size); }

int bailey_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return fsetxattr(fd, name, value, size, 0);
}

int bailey_fremovexattr(int fd, const char *name) { return fremovexattr(fd, name); }

int bailey_ficlone(int to, int from) { return ioctl(to, FICLONE, from); }

ssize_t bailey_copy_file_range(int from, int to, size_t length) {
    return copy_file_range(from, NULL, to, NULL, length, 0);
}

int bailey_fstatfs_type(int fd, int64_t *type) {
    struct statfs information;
    int result = fstatfs(fd, &information);
    if (result == 0) {
        *type = (int64_t)information.f_type;
    }
    return result;
}

long bailey_getdents(int directory, void *entries, size_t size) {
    return syscall(SYS_getdents64, directory, entries, size);
}

int bailey_linkat(int old_directory, const char *old_path, int new_directory, const char *new_path) {
    return linkat(old_directory, old_path, new_directory, new_path, 0);
}

int bailey_set_modified(int directory, const char *name, int64_t seconds, int64_t nanoseconds) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}
