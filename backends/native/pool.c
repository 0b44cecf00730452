/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that wait for work: a generation counter starts a run, and each thread says in a counter of its own
 * which run it has done.
 *
 * Waiting spins for some tens of microseconds and then sleeps in the kernel (futex), so that a machine shared
 * with others is not kept busy. The spinning must last clearly longer than it takes to wake a thread, or
 * caller and threads would take turns in oversleeping. Nobody spins on the processor that the other one runs
 * on, which happens where others use the rest of the machine: that would keep him from ever being done. Who
 * goes to sleep says so first and looks once more; who gives the signal looks for sleepers after it: in the
 * one order of all these operations (all sequentially consistent) one of the two sees the other, so no signal
 * is lost.
 */
#include "pool.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPIN_NS    60000 /* waking a thread takes 15 to 30 microseconds in a virtual machine */
#define SPINS      64    /* looks between two looks at the clock */
#define LINE_BYTES 64u

/* Written by one thread, read by the caller. */
struct server {
    _Alignas(LINE_BYTES) _Atomic uint32_t done; /* the generation that this thread has done */
    _Atomic int processor;                      /* that it was last seen on */
    uint32_t part;
    struct tare_pool *pool;
    pthread_t thread;
};

/* What starts a run lies in one cache line: it moves to another processor once. */
struct tare_pool {
    _Alignas(LINE_BYTES) _Atomic uint32_t generation; /* of the run that is on; changed by the caller only */
    _Atomic uint32_t asleep;                          /* threads in the kernel, waiting for a generation */
    _Atomic bool quit;
    _Atomic int processor; /* that the caller was last seen on */
    tare_pool_work *work;
    void *ctx;
    uint32_t n_threads;
    _Alignas(LINE_BYTES) _Atomic bool caller_asleep;
    uint32_t n_started;
    struct server *servers; /* n_threads - 1 */
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static void sleep_while(_Atomic uint32_t *word, uint32_t value)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Spins until the word is not `value` any more, for SPIN_NS or until the other one is on this processor too;
 * returns what it is. */
static uint32_t spin_while(_Atomic uint32_t *word, uint32_t value, _Atomic int *other)
{
    int64_t until = 0;
    while (sched_getcpu() != atomic_load_explicit(other, memory_order_relaxed)) {
        for (int i = 0; i < SPINS; i++) {
            uint32_t is = atomic_load_explicit(word, memory_order_acquire);
            if (is != value) {
                return is;
            }
            pause_briefly();
        }
        int64_t now = now_ns();
        until = until == 0 ? now + SPIN_NS : until;
        if (now >= until) {
            break;
        }
    }
    return value;
}

static uint32_t wait_for_change(struct server *server, uint32_t seen)
{
    struct tare_pool *pool = server->pool;
    atomic_store_explicit(&server->processor, sched_getcpu(), memory_order_relaxed);
    uint32_t now = spin_while(&pool->generation, seen, &pool->processor);
    if (now != seen) {
        return now;
    }
    atomic_fetch_add(&pool->asleep, 1);
    for (now = atomic_load(&pool->generation); now == seen; now = atomic_load(&pool->generation)) {
        sleep_while(&pool->generation, seen);
    }
    atomic_fetch_sub(&pool->asleep, 1);
    atomic_store_explicit(&server->processor, sched_getcpu(), memory_order_relaxed);
    return now;
}

static void *serve(void *arg)
{
    struct server *server = arg;
    struct tare_pool *pool = server->pool;
    uint32_t seen = 0;
    for (;;) {
        seen = wait_for_change(server, seen);
        if (atomic_load(&pool->quit)) {
            return NULL;
        }
        pool->work(pool->ctx, server->part, pool->n_threads);
        atomic_store(&server->done, seen);
        if (atomic_load(&pool->caller_asleep)) {
            wake_all(&server->done);
        }
    }
}

static int start_thread(struct tare_pool *pool, uint32_t part, struct tare_err *err)
{
    struct server *server = &pool->servers[part - 1];
    server->pool = pool;
    server->part = part;
    atomic_store(&server->processor, -1);
    int rc = pthread_create(&server->thread, NULL, serve, server);
    if (rc != 0) {
        return tare_err_set(err, TARE_E_NOMEM, "cannot start thread %u of %u: %s", part + 1, pool->n_threads,
                            strerror(rc));
    }
    pool->n_started++;
    return 0;
}

/* Zeroed, each on cache lines of its own. */
static void *room(size_t bytes)
{
    void *at = aligned_alloc(LINE_BYTES, bytes);
    return at ? memset(at, 0, bytes) : NULL;
}

int tare_pool_create(struct tare_pool **out, uint32_t threads, struct tare_err *err)
{
    struct tare_pool *pool = room(sizeof *pool);
    if (pool) {
        pool->servers = room(threads * sizeof *pool->servers);
    }
    if (!pool || !pool->servers) {
        free(pool);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for a pool of %u threads", threads);
    }
    pool->n_threads = threads;
    atomic_store(&pool->processor, -1);
    for (uint32_t part = 1; part < threads; part++) {
        int rc = start_thread(pool, part, err);
        if (rc < 0) {
            tare_pool_destroy(pool);
            return rc;
        }
    }
    *out = pool;
    return 0;
}

void tare_pool_destroy(struct tare_pool *pool)
{
    if (!pool) {
        return;
    }
    atomic_store(&pool->quit, true);
    atomic_fetch_add(&pool->generation, 1);
    wake_all(&pool->generation);
    for (uint32_t i = 0; i < pool->n_started; i++) {
        (void)pthread_join(pool->servers[i].thread, NULL);
    }
    free(pool->servers);
    free(pool);
}

uint32_t tare_pool_threads(const struct tare_pool *pool)
{
    return pool->n_threads;
}

/* A thread that is through with an earlier run only has the number of that one. */
static void wait_until_done(struct tare_pool *pool, struct server *server, uint32_t generation)
{
    uint32_t before = generation - 1;
    if (atomic_load(&server->done) == generation ||
        spin_while(&server->done, before, &server->processor) == generation) {
        return;
    }
    atomic_store(&pool->caller_asleep, true);
    while (atomic_load(&server->done) != generation) {
        sleep_while(&server->done, before);
    }
    atomic_store(&pool->caller_asleep, false);
}

void tare_pool_run(struct tare_pool *pool, tare_pool_work *work, void *ctx)
{
    if (pool->n_threads == 1) {
        work(ctx, 0, 1);
        return;
    }
    pool->work = work;
    pool->ctx = ctx;
    atomic_store_explicit(&pool->processor, sched_getcpu(), memory_order_relaxed);
    uint32_t generation = atomic_fetch_add(&pool->generation, 1) + 1;
    if (atomic_load(&pool->asleep) > 0) {
        wake_all(&pool->generation);
    }
    work(ctx, 0, pool->n_threads);
    for (uint32_t i = 0; i < pool->n_threads - 1; i++) {
        wait_until_done(pool, &pool->servers[i], generation);
    }
}

void tare_pool_share(uint32_t n, uint32_t grain, uint32_t part, uint32_t n_parts, uint32_t *from,
                     uint32_t *to)
{
    uint64_t grains = ((uint64_t)n + grain - 1) / grain;
    uint64_t low = grains * part / n_parts * grain;
    uint64_t high = grains * (part + 1) / n_parts * grain;
    *from = (uint32_t)(low < n ? low : n);
    *to = (uint32_t)(high < n ? high : n);
}
