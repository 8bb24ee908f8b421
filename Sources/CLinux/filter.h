#ifndef BAILEY_FILTER_H
#define BAILEY_FILTER_H

// What seccomp filters that are written by hand are made of. Needs _GNU_SOURCE before it.

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filters are written for x86-64 and AArch64"
#endif

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define NUMBER LOAD(offsetof(struct seccomp_data, nr))
#define ARGUMENT(index) LOAD(offsetof(struct seccomp_data, args) + 8 * (index))
#define UPPER_HALF(index) LOAD(offsetof(struct seccomp_data, args) + 8 * (index) + 4)
#define JUMP_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define JUMP_SET(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define MISSING RETURN(SECCOMP_RET_ERRNO | ENOSYS)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define KILL RETURN(SECCOMP_RET_KILL_PROCESS)
#define STEPS(...) (sizeof((struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))
// Steps for one call alone; the last of them returns.
#define ON(call, ...) JUMP_EQUAL(__NR_##call, 0, STEPS(__VA_ARGS__)), __VA_ARGS__
#define ALLOWED(call) ON(call, ALLOW)
#define KILLED(call) ON(call, KILL)
// Of what was loaded: one value is allowed, everything else goes on.
#define ALLOWED_VALUE(value) JUMP_EQUAL(value, 0, 1), ALLOW
// Of what was loaded: any of these bits is allowed or refused, none goes on.
#define ALLOWED_BITS(bits) JUMP_SET(bits, 0, 1), ALLOW
#define REFUSED_BITS(bits) JUMP_SET(bits, 0, 1), REFUSE
// The beginning of every filter: calls of another architecture end the process, and the number of the call is loaded.
#define OF_ARCHITECTURE                                                                                                \
    LOAD(offsetof(struct seccomp_data, arch)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0), KILL, NUMBER
#ifdef __x86_64__
#define OWN_CALLS OF_ARCHITECTURE, BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1) /* calls of x32 */, KILL
#else
#define OWN_CALLS OF_ARCHITECTURE
#endif

#endif
