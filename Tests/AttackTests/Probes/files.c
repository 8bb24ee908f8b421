// Attempts on files: reading, writing and planting outside the project, and what the kernel's own files give away.
#define _GNU_SOURCE
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int put(const char *path, int flags) {
    int file = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
    if (file < 0) return errno;
    int code = write(file, "planted\n", 8) == 8 ? 0 : errno;
    close(file);
    return code;
}

// What a successful write means: on the host if the host's own files stand beside it, else in the sandbox's copy.
static _Noreturn void judge_write(int code, const char *what) {
    if (code) refused(code, what);
    if (read_marker(canary("secret.txt")) == 0) through("%s", what);
    private_only("%s landed in the sandbox's own tree", what);
}

static void make_directories(const char *path) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(copy, 0755);
        *slash = '/';
    }
}

static _Noreturn void judge_read(int code, const char *what) {
    if (code) refused(code, what);
    through("%s", what);
}

static void read_outside(const char *id) {
    (void)id;
    judge_read(read_marker(canary("secret.txt")), "read the canary");
}

static void read_ssh_key(const char *id) {
    (void)id;
    char path[4096];
    snprintf(path, sizeof path, "%s/.ssh/id_stand_in", value("home"));
    judge_read(read_marker(path), "read a key in the home");
}

static void write_outside(const char *id) {
    (void)id;
    make_directories(canary("planted-f03"));
    judge_write(put(canary("planted-f03"), O_CREAT), "create beside the canary");
}

static void append_shell_start(const char *id) {
    (void)id;
    char path[4096];
    snprintf(path, sizeof path, "%s/.bashrc", value("home"));
    int code = put(path, O_APPEND);
    if (code == ENOENT && put(path, O_CREAT) == 0) private_only("no .bashrc here; made one of our own");
    if (code) refused(code, "append to .bashrc");
    through("appended to .bashrc");
}

static void write_dot_dot(const char *id) {
    (void)id;
    char path[8192];
    snprintf(path, sizeof path, "../../../../../../../../../../../..%s", canary("planted-f05"));
    judge_write(put(path, O_CREAT), "create through ..");
}

static void write_through_link(const char *id) {
    (void)id;
    unlink("link-f06");
    if (symlink(canary("victim-f06.txt"), "link-f06")) broken("symlink %s", error_name(errno));
    judge_write(put("link-f06", O_APPEND), "append through a symbolic link");
}

static void link_outside(const char *id) {
    (void)id;
    if (link(canary("secret.txt"), "hard-f07")) refused(errno, "hard-link the canary");
    judge_read(read_marker("hard-f07"), "hard-link the canary");
}

static void rename_outside(const char *id) {
    (void)id;
    int code = put("move-f08", O_CREAT);
    if (code) broken("make the file to move: %s", error_name(code));
    judge_write(rename("move-f08", canary("planted-f08")) ? errno : 0, "rename out of the project");
}

static int marker_through_root_of(const char *process) {
    char path[8192];
    snprintf(path, sizeof path, "/proc/%s/root%s", process, canary("secret.txt"));
    return read_marker(path);
}

static void read_first_root(const char *id) {
    (void)id;
    char name[16];
    snprintf(name, sizeof name, "%d", first_process());
    judge_read(marker_through_root_of(name), "read through the first process's root");
}

static void read_any_root(const char *id) {
    (void)id;
    DIR *processes = opendir("/proc");
    if (!processes) refused(errno, "open /proc");
    int code = ENOENT;
    for (struct dirent *entry; (entry = readdir(processes));)
        if (isdigit((unsigned char)entry->d_name[0]) && (code = marker_through_root_of(entry->d_name)) == 0)
            through("read through /proc/%s/root", entry->d_name);
    refused(code, "read through every visible process's root");
}

static void use_inherited_directory(const char *id) {
    (void)id;
    int code = EBADF;
    for (int descriptor = 3; descriptor < 256; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0) continue;
        code = read_marker_at(descriptor, canary("secret.txt") + 1);
        if (code == 0) through("descriptor %d leads to the host's root", descriptor);
    }
    refused(code, "find an inherited directory");
}

static void use_inherited_file(const char *id) {
    (void)id;
    for (int descriptor = 3; descriptor < 256; descriptor++) {
        struct stat status;
        int flags = fcntl(descriptor, F_GETFL);
        if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(descriptor, &status) || !S_ISREG(status.st_mode))
            continue;
        if (write(descriptor, "planted\n", 8) == 8) through("descriptor %d is a file of the host", descriptor);
    }
    refused(EBADF, "find an inherited file");
}

static void find_any_descriptor(const char *id) {
    (void)id;
    for (int descriptor = 3; descriptor < 1024; descriptor++)
        if (fcntl(descriptor, F_GETFD) >= 0) through("descriptor %d is open", descriptor);
    refused(EBADF, "find any inherited descriptor");
}

// The caller's standard input is a host file that was opened for reading: it must not be opened again for writing.
static void rewrite_input(const char *id) {
    (void)id;
    struct stat status;
    if (fstat(0, &status)) refused(errno, "look at the standard input");
    if (!S_ISREG(status.st_mode)) private_only("the standard input is not the file itself");
    int file = open("/proc/self/fd/0", O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0) refused(errno, "open the standard input for writing");
    if (write(file, "planted\n", 8) != 8) refused(errno, "write the standard input");
    through("wrote the caller's input file");
}

static void open_by_handle(const char *id) {
    (void)id;
    struct file_handle *handle = calloc(1, sizeof *handle + MAX_HANDLE_SZ);
    if (!handle) broken("memory");
    int mount_id, mount = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mount < 0) broken("open /usr: %s", error_name(errno));
    handle->handle_bytes = MAX_HANDLE_SZ;
    if (name_to_handle_at(AT_FDCWD, "/usr", handle, &mount_id, 0)) {
        // Guess what a container escape of 2014 guessed: inode 2, the root of an ext4 file system.
        handle->handle_bytes = 8;
        handle->handle_type = 1;
        memcpy(handle->f_handle, "\2\0\0\0\0\0\0\0", 8);
    }
    if (open_by_handle_at(mount, handle, O_RDONLY | O_CLOEXEC) < 0) refused(errno, "open_by_handle_at");
    through("opened a file by its handle");
}

static void make_device(const char *id) {
    (void)id;
    unlink("device-f14");
    if (mknod("device-f14", S_IFBLK | 0600, 7 << 8)) refused(errno, "mknod of a block device");
    unlink("device-f14");
    through("made a block device");
}

static void create_in(const char *id) {
    static const char *const cron[] = {"/etc/cron.d", "/etc/profile.d", "/etc", NULL};
    static const char *const programs[] = {"/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/bin", "/opt", NULL};
    int code = ENOENT;
    for (const char *const *directory = strcmp(id, "f16") ? programs : cron; *directory; directory++) {
        char path[256];
        snprintf(path, sizeof path, "%s/bailey-planted-%s", *directory, value("nonce"));
        int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (file < 0) {
            code = errno;
            continue;
        }
        unlink(path);
        through("created and removed %s", path);
    }
    refused(code, strcmp(id, "f16") ? "create in a program directory" : "create in a start-up directory");
}

static void share_memory_directory(const char *id) {
    const char *directory = strcmp(id, "f35") ? "/dev/shm" : "/tmp";
    char path[256];
    snprintf(path, sizeof path, "%s/bailey-planted-%s-%s", directory, value("nonce"), id);
    int code = put(path, O_CREAT);
    snprintf(path, sizeof path, "%s/bailey-host-%s", directory, value("nonce"));
    if (read_marker(path) == 0) through("read the host's file in %s", directory);
    if (code) refused(code, "create there");
    private_only("%s is the sandbox's own", directory);
}

// Files that change the machine, or show it: they are opened, never written.
static void open_one_of(const char *id) {
    static const struct {
        const char *id;
        int flags;
        const char *paths[10];
    } lists[] = {
        {"f37",
         O_WRONLY,
         {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/fs/binfmt_misc/register"}},
        {"f38", O_WRONLY, {"/proc/sysrq-trigger"}},
        {"f39",
         O_WRONLY,
         {"/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/uevent_helper", "/sys/power/state",
          "/sys/kernel/mm/ksm/run", "/sys/module/kernel/parameters/panic", "/sys/kernel/rcu_expedited"}},
        {"f41",
         O_RDONLY,
         {"/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/net/tun",
          "/dev/port"}},
        {"f44", O_RDONLY, {"/proc/kcore", "/sys/kernel/debug/sched/debug", "/proc/sched_debug", "/proc/vmallocinfo"}},
    };
    for (size_t list = 0; list < sizeof lists / sizeof *lists; list++) {
        if (strcmp(lists[list].id, id)) continue;
        int code = ENOENT;
        for (const char *const *path = lists[list].paths; *path; path++) {
            int file = open(*path, lists[list].flags | O_CLOEXEC | O_NONBLOCK);
            if (file >= 0) through("opened %s", *path);
            if (code == ENOENT) code = errno;
        }
        refused(code, "open any of them");
    }
}

static void make_cgroup(const char *id) {
    (void)id;
    static const char *const roots[] = {"/sys/fs/cgroup",        "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids",
                                        "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu",     NULL};
    int code = ENOENT;
    for (const char *const *root = roots; *root; root++) {
        char path[256];
        snprintf(path, sizeof path, "%s/bailey-planted-%s", *root, value("nonce"));
        if (mkdir(path, 0755) == 0) {
            rmdir(path);
            through("made and removed %s", path);
        }
        if (errno != ENOENT) code = errno;
    }
    refused(code, "make a control group");
}

static void set_capability(const char *id) {
    (void)id;
    int code = put("capable-f42", O_CREAT);
    if (code) broken("make the file: %s", error_name(code));
    struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, .data = {{.permitted = 1}}};
    if (setxattr("capable-f42", "security.capability", &data, XATTR_CAPS_SZ_2, 0))
        refused(errno, "set a file capability");
    through("set a file capability");
}

static void see_host_mounts(const char *id) {
    (void)id;
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts) refused(errno, "open mountinfo");
    char line[8192];
    int devices = 0;
    while (fgets(line, sizeof line, mounts)) {
        char root[4096], point[4096];
        int device = strstr(line, " - ") && strstr(strstr(line, " - "), " /dev/");
        if (sscanf(line, "%*d %*d %*s %4095s %4095s", root, point) != 2) continue;
        devices += device;
        if (device && !strcmp(root, "/") && !strcmp(point, "/")) through("the host's root disk is mounted at /");
    }
    if (devices) private_only("%d own mounts name a device", devices);
    refused(ENOENT, "find a device name in mountinfo");
}

// The attempts of the report's second list.
static void replace_project(const char *id) {
    (void)id;
    char path[4096], moved[4200];
    if (!getcwd(path, sizeof path)) broken("getcwd: %s", error_name(errno));
    if (is_control()) {
        // Outside, the swap is shown on a directory of the same kind, so that the project stays.
        snprintf(path, sizeof path, "%s", canary("root-a02"));
        mkdir(path, 0755);
    }
    snprintf(moved, sizeof moved, "%s.moved", path);
    if (rename(path, moved)) refused(errno, "rename the project's root");
    if (symlink(value("canary"), path)) refused(errno, "put a link in the root's place");
    through("the root is a link now");
}

static void edit_own_records(const char *id) {
    (void)id;
    DIR *records = opendir(is_control() ? value("canary") : ".bailey");
    if (records) through("listed Bailey's own directory");
    int code = errno;
    DIR *state = opendir(is_control() ? value("canary") : value("state"));
    if (state) through("listed Bailey's state directory");
    refused(code, "see Bailey's own directories");
}

static void change_first_process(const char *id) {
    (void)id;
    static const char *const files[] = {"oom_score_adj", "clear_refs", "coredump_filter", "timerslack_ns", NULL};
    int code = ENOENT;
    for (const char *const *name = files; *name; name++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/%s", first_process(), *name);
        int file = open(path, O_WRONLY | O_CLOEXEC);
        if (file >= 0 && write(file, "1", 1) == 1) through("changed the first process's %s", *name);
        code = errno;
    }
    refused(code, "change the first process's settings");
}

static void open_launcher_image(const char *id) {
    (void)id;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", first_process());
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) file = open(path, O_RDONLY | O_CLOEXEC);
    int code = errno;
    if (file >= 0) through("opened the first process's image");
    snprintf(path, sizeof path, "/proc/%d/fd", first_process());
    if (opendir(path)) through("listed the first process's descriptors");
    refused(code, "open the first process's image");
}

static void open_foreign_repository(const char *id) {
    (void)id;
    judge_read(read_marker(canary("repository/.git/config")), "read another repository");
}

const struct probe file_probes[] = {
    {"f01", read_outside},
    {"f02", read_ssh_key},
    {"f03", write_outside},
    {"f04", append_shell_start},
    {"f05", write_dot_dot},
    {"f06", write_through_link},
    {"f07", link_outside},
    {"f08", rename_outside},
    {"f09", read_first_root},
    {"f10", read_any_root},
    {"f11", use_inherited_directory},
    {"f12", use_inherited_file},
    {"f13", open_by_handle},
    {"f14", make_device},
    {"f16", create_in},
    {"f17", create_in},
    {"f35", share_memory_directory},
    {"f36", share_memory_directory},
    {"f37", open_one_of},
    {"f38", open_one_of},
    {"f39", open_one_of},
    {"f40", make_cgroup},
    {"f41", open_one_of},
    {"f42", set_capability},
    {"f44", open_one_of},
    {"f45", see_host_mounts},
    {"a02", replace_project},
    {"a10", open_foreign_repository},
    {"a16", edit_own_records},
    {"a22", find_any_descriptor},
    {"a71", rewrite_input},
    {"a20", change_first_process},
    {"a21", open_launcher_image},
    {NULL, NULL},
};
