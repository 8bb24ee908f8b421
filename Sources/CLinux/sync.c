#define _GNU_SOURCE
#include "include/clinux_storage.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

// A thread does nothing but wait for the disk.
#define STACK_BYTES (64 << 10)
#define THREADS_MAX 32

struct batch {
    const int *files;
    int count;
    atomic_int next;
    atomic_int error;
};

static void *synchronize(void *argument) {
    struct batch *batch = argument;
    for (;;) {
        int index = atomic_fetch_add(&batch->next, 1);
        if (index >= batch->count) return NULL;
        if (fsync(batch->files[index]) != 0) atomic_store(&batch->error, errno);
    }
}

int bailey_fsync_all(const int *files, int count, int threads) {
    struct batch batch = {.files = files, .count = count};
    pthread_t others[THREADS_MAX];
    int started = 0;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    if (threads > count) threads = count;
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        // With fewer threads it takes longer, and this one does what is left.
        while (started < threads - 1 && pthread_create(&others[started], &attributes, synchronize, &batch) == 0) {
            started++;
        }
        pthread_attr_destroy(&attributes);
    }
    synchronize(&batch);
    for (int index = 0; index < started; index++) pthread_join(others[index], NULL);
    errno = atomic_load(&batch.error);
    return errno == 0 ? 0 : -1;
}
