#define _GNU_SOURCE
#include "include/clinux_storage.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

// A thread does nothing but wait for the disk.
#define STACK_BYTES (64 << 10)
#define THREADS_MAX 32

// Threads that begin to write: that is work for a processor, not waiting.
#define WRITERS 2

struct batch {
    const int *files;
    int count;
    atomic_int next;
    atomic_int error;
};

// A hint: a file system that has no such thing is no error.
static void *start_writing(void *argument) {
    struct batch *batch = argument;
    for (;;) {
        int index = atomic_fetch_add(&batch->next, 1);
        if (index >= batch->count) return NULL;
        sync_file_range(batch->files[index], 0, 0, SYNC_FILE_RANGE_WRITE);
    }
}

static void *synchronize(void *argument) {
    struct batch *batch = argument;
    for (;;) {
        int index = atomic_fetch_add(&batch->next, 1);
        if (index >= batch->count) return NULL;
        if (fsync(batch->files[index]) != 0) atomic_store(&batch->error, errno);
    }
}

// Has `work` done by so many threads, this one included.
static void share(struct batch *batch, int threads, void *(*work)(void *)) {
    pthread_t others[THREADS_MAX];
    int started = 0;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    if (threads > batch->count) threads = batch->count;
    atomic_store(&batch->next, 0);
    pthread_attr_t attributes;
    if (threads > 1 && pthread_attr_init(&attributes) == 0) {
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        // With fewer threads it takes longer, and this one does what is left.
        while (started < threads - 1 && pthread_create(&others[started], &attributes, work, batch) == 0) started++;
        pthread_attr_destroy(&attributes);
    }
    work(batch);
    for (int index = 0; index < started; index++) pthread_join(others[index], NULL);
}

int bailey_fsync_all(const int *files, int count, int threads) {
    struct batch batch = {.files = files, .count = count};
    // All that has to be written is on its way before the first waits: the file system then ends with one commit.
    share(&batch, WRITERS, start_writing);
    share(&batch, threads, synchronize);
    errno = atomic_load(&batch.error);
    return errno == 0 ? 0 : -1;
}
