#define _GNU_SOURCE
#include "include/clinux_relay.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

int bailey_queue_make(void) { return epoll_create1(EPOLL_CLOEXEC); }

int bailey_queue_watch(int queue, int socket, uint64_t key, int level) {
    struct epoll_event event = {
        .events = level ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.u64 = key,
    };
    return epoll_ctl(queue, EPOLL_CTL_ADD, socket, &event);
}

void bailey_queue_forget(int queue, int socket) {
    // One that is not watched is forgotten already.
    if (epoll_ctl(queue, EPOLL_CTL_DEL, socket, NULL) < 0) return;
}

int bailey_queue_wait(int queue, struct bailey_event *events, int timeout_milliseconds) {
    struct epoll_event found[BAILEY_EVENTS_MAX];
    int count = epoll_wait(queue, found, BAILEY_EVENTS_MAX, timeout_milliseconds);
    for (int index = 0; index < count; index++) {
        uint32_t raw = found[index].events;
        uint32_t what = 0;
        if (raw & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) what |= BAILEY_EVENT_HUNG_UP | BAILEY_EVENT_READABLE;
        if (raw & (EPOLLHUP | EPOLLERR)) what |= BAILEY_EVENT_WRITABLE;
        if (raw & EPOLLIN) what |= BAILEY_EVENT_READABLE;
        if (raw & EPOLLOUT) what |= BAILEY_EVENT_WRITABLE;
        events[index] = (struct bailey_event){.key = found[index].data.u64, .what = what};
    }
    return count;
}

int bailey_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int bailey_bell_make(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void bailey_bell_ring(int bell) {
    uint64_t one = 1;
    // Only an event that is set already can be full.
    if (write(bell, &one, sizeof one) < 0) return;
}

void bailey_bell_clear(int bell) {
    uint64_t count;
    if (read(bell, &count, sizeof count) < 0) return;
}
