#ifndef BAILEY_CLINUX_NETWORK_H
#define BAILEY_CLINUX_NETWORK_H

#include <stddef.h>
#include <stdint.h>

// A sandbox's own network, and the confinement of the process that serves it. Every function returns the call's result,
// or -1 with errno set, and does nothing else. None of them allocates.

// Families of addresses, as the kernel numbers them.
#define BAILEY_FAMILY_V4 2
#define BAILEY_FAMILY_V6 10

// Makes a block of addresses this network namespace's own: whoever is there and connects to one of them reaches the
// sockets that are there. `address` has 4 or 16 bytes in network order.
int bailey_route_local(int family, const uint8_t *address, unsigned prefix_bits);
// A socket bound to an address and port; a stream socket listens. The IPv6 wildcard takes IPv4 as well.
int bailey_listen(int family, const uint8_t *address, unsigned port, int is_datagram);
// A stream socket that connects to 127.0.0.1 or ::1 of the caller's network; whether it came to that is seen later.
int bailey_connect_loopback(int family, unsigned port);
// A stream socket that listens on 127.0.0.1 or ::1 of the caller's network, also right after another one did.
int bailey_listen_loopback(int family, unsigned port);
// The network namespace of a socket, as a descriptor, and the user namespace that owns a namespace.
int bailey_socket_namespace(int socket);
int bailey_owner_namespace(int name_space);
// Joins the namespace behind a descriptor, of a kind that the caller knows.
#define BAILEY_JOIN_USER 0x10000000
#define BAILEY_JOIN_NETWORK 0x40000000
int bailey_join(int name_space, int kind);

// The broker's confinement. Ids for the whole process; the groups go. For root alone.
int bailey_become(unsigned user, unsigned group);
// An empty root in a mount namespace of the caller's own, and namespaces of its own for the rest that it has no use
// for; the network stays the host's. Needs a caller with one thread.
int bailey_isolate(void);
// Landlock without any file right and, where the kernel knows that and the caller wants it, without binding TCP ports.
int bailey_landlock_close(int may_bind);
// The system calls of a server that has its sockets and threads and nothing else. Everything else is EPERM; calls that
// only somebody who broke in makes end the process.
int bailey_broker_filter(void);

// The system calls of a process that makes listening sockets and hands them over. Everything else ends it.
int bailey_maker_filter(void);

// Questions of the broker's self-test, as those of the launcher: 0 if refused, 1 if it got through.
int bailey_probe_socket(int family, int is_raw);
// A socket of a protocol by its number.
int bailey_probe_protocol(int protocol);
int bailey_probe_bind(void);
int bailey_probe_code(void);
// The root and the working directory are one empty directory with nothing above it.
int bailey_probe_root(void);
// No capability is left, nothing can give one, and nobody may read the memory.
int bailey_probe_capabilities(void);
// Calls that end the process. It returns only where one did not.
#define BAILEY_DEADLY_COUNT 9
int bailey_probe_deadly(int which);

#endif
