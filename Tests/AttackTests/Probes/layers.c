// Attempts on what becomes of a working copy: markers and attributes that a later step might believe or carry on.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WHITEOUT (1 << 2)

// A whiteout made by the kernel itself, where a file of the project stood.
static void leave_whiteout(const char *id) {
    (void)id;
    if (syscall(SYS_renameat2, AT_FDCWD, "notes.txt", AT_FDCWD, "source/moved.txt", WHITEOUT))
        refused(errno, "rename and leave a whiteout");
    private_only("left a whiteout");
}

// A file without a name gets its bits first and a name afterwards.
static void name_set_uid_file(const char *id) {
    (void)id;
    char path[64];
    int file = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) refused(errno, "make a file without a name");
    if (write(file, "#!/bin/sh\n", 10) != 10 || fchmod(file, 04755)) refused(errno, "give it the set-uid bit");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (linkat(AT_FDCWD, path, AT_FDCWD, "source/late.sh", AT_SYMLINK_FOLLOW)) refused(errno, "give it a name");
    private_only("a set-uid file came by linkat");
}

// An access list that lets somebody else write, and one for whatever comes later.
static void loosen_access(const char *id) {
    (void)id;
    struct {
        uint32_t version;
        struct {
            uint16_t tag, permission;
            uint32_t number;
        } entries[5];
    } list = {2, {{1, 6, ~0U}, {2, 7, 4321}, {4, 4, ~0U}, {16, 7, ~0U}, {32, 4, ~0U}}};
    int set = setxattr("notes.txt", "system.posix_acl_access", &list, sizeof list, 0) == 0;
    set += setxattr("source", "system.posix_acl_default", &list, sizeof list, 0) == 0;
    // A change of the content, so that the file is among what is brought in.
    int file = open("notes.txt", O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0 || write(file, "more\n", 5) != 5) broken("change the file: %s", error_name(errno));
    if (!set) refused(errno, "set any attribute");
    private_only("%d attributes were set", set);
}

static void nest_deeply(const char *id) {
    (void)id;
    for (int level = 0; level < 1000; level++)
        if ((mkdir("d", 0755) && errno != EEXIST) || chdir("d")) refused(errno, "go deeper");
    int file = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) refused(errno, "make a file at the bottom");
    private_only("1,000 levels");
}

const struct probe layer_probes[] = {
    {"a03b", nest_deeply},      {"a08", loosen_access},   {"b18", leave_whiteout},
    {"b19", name_set_uid_file}, {NULL, NULL},
};
