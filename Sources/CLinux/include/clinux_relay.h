#ifndef BAILEY_CLINUX_RELAY_H
#define BAILEY_CLINUX_RELAY_H

#include <stdint.h>

// Waiting for many sockets. Every function returns the call's result, or -1 with errno set, and does nothing else.

// What happened to a socket.
#define BAILEY_EVENT_READABLE 0x1u
#define BAILEY_EVENT_WRITABLE 0x2u
// The other end sends nothing more, or the connection is broken.
#define BAILEY_EVENT_HUNG_UP 0x4u

struct bailey_event {
    uint64_t key;
    uint32_t what;
};

#define BAILEY_EVENTS_MAX 256

int bailey_queue_make(void);
// Has every change of a socket reported once; with `level` non-zero, what there is to read for as long as it is there.
int bailey_queue_watch(int queue, int socket, uint64_t key, int level);
// The socket goes on to somebody else.
void bailey_queue_forget(int queue, int socket);
// Waits for at most BAILEY_EVENTS_MAX events, and for at most so many milliseconds; -1 waits for ever.
int bailey_queue_wait(int queue, struct bailey_event *events, int timeout_milliseconds);
// A connection that waits at a listening socket; it never blocks.
int bailey_accept(int listener);
// A counter that is readable while it is not zero; it never blocks.
int bailey_bell_make(void);
void bailey_bell_ring(int bell);
void bailey_bell_clear(int bell);

#endif
