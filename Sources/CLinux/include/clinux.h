#ifndef BAILEY_CLINUX_H
#define BAILEY_CLINUX_H

#include <stddef.h>
#include <stdint.h>

#include "clinux_network.h"
#include "clinux_observe.h"
#include "clinux_relay.h"
#include "clinux_storage.h"

// No header of the system's types here: the importer would take them for this module's, and a release build would then
// refuse them to whoever imports Glibc alone. `long` stands for ssize_t.

// One function per kernel call that glibc does not wrap, or whose header clashes with the Swift importer.
// Every function returns the call's result, or -1 with errno set, and does nothing else.

// Resolution rules for bailey_openat2, from linux/openat2.h.
#define BAILEY_RESOLVE_NO_XDEV 0x01
#define BAILEY_RESOLVE_NO_MAGICLINKS 0x02
#define BAILEY_RESOLVE_NO_SYMLINKS 0x04
#define BAILEY_RESOLVE_BENEATH 0x08

// Not defined without _GNU_SOURCE, which clashes with the Swift importer.
#define BAILEY_O_PATH 010000000
#define BAILEY_O_NOATIME 01000000

int bailey_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int bailey_renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned flags);
int bailey_memfd_create(const char *name, unsigned flags);
// Seals a memfd against writing, growing, shrinking and further sealing.
int bailey_memfd_seal(int fd);
int bailey_close_range(unsigned first, unsigned last, unsigned flags);
int bailey_sync_file_range_start(int fd);
// Waits for the process behind a pidfd without reaping others: wait4 status in *status.
int bailey_waitid_pidfd(int pidfd, int *code, int *status, int flags);
int bailey_pidfd_send_signal(int pidfd, int signal);
int bailey_open(const char *path, int flags, unsigned mode);
int bailey_openat(int directory, const char *path, int flags, unsigned mode);

// The launcher's calls. None of them allocates.

// Namespaces for bailey_clone and bailey_unshare.
#define BAILEY_NEW_USER 0x10000000u
#define BAILEY_NEW_CGROUP 0x02000000u
// Everything that the init of a sandbox begins with: it leaves the control groups once it is in the one it belongs to.
#define BAILEY_NEW_SANDBOX 0x7C020000u

// clone3: returns the child's id in the parent and 0 in the child; *pidfd is set in the parent.
int bailey_clone(uint64_t flags, int *pidfd);
int bailey_fork(void);
int bailey_unshare(unsigned flags);
// Zeroed pages straight from the kernel, or NULL with errno set.
void *bailey_pages(size_t bytes);
// A detached copy of the mount tree at an open path, not yet visible anywhere.
int bailey_tree_clone(int fd, int recursive);
// Attributes for bailey_tree_attributes.
#define BAILEY_TREE_READONLY 0x1
#define BAILEY_TREE_NOSUID 0x2
#define BAILEY_TREE_NODEV 0x4
#define BAILEY_TREE_NOEXEC 0x8
// Sets attributes on a detached tree; `identity` is a user namespace for an id-mapped mount, or -1.
int bailey_tree_attributes(int tree, unsigned attributes, int identity, int recursive);
// Attaches a detached tree on top of `target`.
int bailey_tree_attach(int tree, int target);
// A detached tmpfs. Sizes as text, because that is what the kernel reads.
int bailey_tmpfs(const char *size, const char *inodes, const char *mode, unsigned attributes);
int bailey_proc(void);
int bailey_devpts(void);
// A detached overlay; `lower` is "path" or "path:path". Without an upper directory it is read-only.
// On failure *option names the option that was refused.
int bailey_overlay(const char *lower, const char *upper, const char *work, const char **option);
int bailey_private_propagation(void);
// Makes `root` the root of this mount namespace and drops the old one.
int bailey_enter_root(int root);
int bailey_detach(const char *path);
int bailey_mount_readonly(int directory);
int bailey_set_ids(unsigned user, unsigned group, int drop_groups);
int bailey_loopback_up(void);
int bailey_set_hostname(const char *name, size_t length);
int bailey_not_dumpable(void);
int bailey_die_with_parent(void);
int bailey_no_new_privileges(void);
int bailey_join_session_keyring(void);
// Removes every capability from all sets, the bounding set included.
int bailey_drop_capabilities(void);
// Gives up all capabilities but the one to listen on ports below 1024 in the caller's own namespaces.
int bailey_keep_low_ports(void);
int bailey_set_rlimit(int resource, uint64_t soft, uint64_t hard);
int bailey_landlock_abi(void);
// Handles every file right that this kernel's version knows, and scopes signals and abstract sockets where it can.
int bailey_landlock_create(int abi);
#define BAILEY_LANDLOCK_READ 1u
#define BAILEY_LANDLOCK_WRITE 2u
#define BAILEY_LANDLOCK_DEVICE 4u
int bailey_landlock_allow(int ruleset, int abi, int directory, unsigned access, int is_directory);
int bailey_landlock_restrict(int ruleset);
int bailey_seccomp_filter(const void *program, size_t bytes);
int bailey_open_pty(int *slave);
int bailey_take_terminal(int slave);
// Closes, and returns -1 with the error that was there before.
int bailey_abandon(int fd);
// A message and, unless it is -1, a descriptor. The second does not wait: EAGAIN where the other side is behind.
int bailey_send(int socket, const void *message, size_t bytes, int descriptor);
int bailey_send_now(int socket, const void *message, size_t bytes, int descriptor);
// A message and the one descriptor that came with it, or -1. What is longer than the buffer, or brings more than one
// descriptor, is EMSGSIZE, and nothing of it is kept. Does not wait if told so (EAGAIN).
long bailey_receive(int socket, void *message, size_t bytes, int *descriptor, int waits);
// True (1) for a connected sequenced-packet socket of the local family.
int bailey_is_packet_link(int fd);
// wait4 with what the child used: user and system time in microseconds, peak memory in KiB.
int bailey_wait(int pid, int *status, uint64_t *cpu_microseconds, uint64_t *peak_kib);
int bailey_wait_readable(int first, int second);
int bailey_poll_hangup(int fd);
int bailey_execve(const char *path, char *const *arguments, char *const *environment);
void bailey_reset_signals(void);
_Noreturn void bailey_exit(int code);
int bailey_memfd_is_sealed(int fd);

// The supervisor's calls.

// Starts a program with descriptors[i] as its descriptor i, no other descriptor, a session of its own and the given
// environment. Returns the process id, or -1 with errno set.
int bailey_spawn(const char *path, char *const *arguments, char *const *environment, const int *descriptors, int count);
// Blocks the signals and returns a descriptor that reads them, one number for each bailey_next_signal.
int bailey_signals_open(const int *signals, int count);
int bailey_next_signal(int fd);
// Takes the block away again.
void bailey_signals_release(const int *signals, int count);
// Writes 0 or more bytes without SIGPIPE.
long bailey_write_quietly(int fd, const void *bytes, size_t count);
int bailey_socketpair_packets(int *pair);
int bailey_pipe(int *pair);
int bailey_copy_window_size(int from, int to);
int bailey_copy_terminal_modes(int from, int to);
// Puts a terminal into raw mode and keeps its old modes in *saved (bailey_terminal_modes_size bytes).
size_t bailey_terminal_modes_size(void);
int bailey_terminal_raw(int fd, void *saved);
int bailey_terminal_restore(int fd, const void *saved);
int bailey_set_nonblocking(int fd);
int bailey_free_space(int fd, uint64_t *bytes, uint64_t *files);

// Questions of the launcher's self-test: each does something forbidden and returns 0 if it was refused as it must be,
// 1 if it got through.
int bailey_probe_open(const char *path);
int bailey_probe_create(const char *path);
int bailey_probe_connect(void);
int bailey_probe_mount(void);
int bailey_probe_privileges(unsigned user);

#endif
