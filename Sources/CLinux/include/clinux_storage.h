#ifndef BAILEY_CLINUX_STORAGE_H
#define BAILEY_CLINUX_STORAGE_H

#include <stddef.h>
#include <stdint.h>

// Calls on stored files that the Swift importer does not see without _GNU_SOURCE.
// Every function returns the call's result, or -1 with errno set, and does nothing else.

long bailey_fgetxattr(int fd, const char *name, void *value, size_t size);
long bailey_flistxattr(int fd, char *list, size_t size);
int bailey_fsetxattr(int fd, const char *name, const void *value, size_t size);
int bailey_fremovexattr(int fd, const char *name);
// Makes the whole of `from` the content of `to` by sharing its blocks.
int bailey_ficlone(int to, int from);
long bailey_copy_file_range(int from, int to, size_t length);
// The file system's magic number.
int bailey_fstatfs_type(int fd, int64_t *type);
// The next entries of an open directory, as struct linux_dirent64 one after the other; 0 at the end.
long bailey_getdents(int directory, void *entries, size_t size);
int bailey_linkat(int old_directory, const char *old_path, int new_directory, const char *new_path);
// Sets the modification time only, on the entry itself even if it is a symbolic link.
int bailey_set_modified(int directory, const char *name, int64_t seconds, int64_t nanoseconds);

// fsync of many files by so many threads, the caller's included, after the writing of all was begun: the file system
// answers those that wait together with one commit. -1 with the errno of one that failed; every file was tried.
int bailey_fsync_all(const int *files, int count, int threads);

#endif
