/* SPDX-License-Identifier: Apache-2.0 */
/* Threads live for one call. They wait at a gate until all are there, or until one could not be made; two
 * barriers stand around each repeat. */
#include "selftest/team.h"

#include "base/clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

struct team {
    pthread_barrier_t barrier;
    pthread_mutex_t gate; /* held while threads are being made */
    bool off;             /* one could not be made: nothing is done */
    tare_team_fn fn;
    void *ctx;
    unsigned n, repeats;
};

struct member {
    struct team *team;
    unsigned index;
    pthread_t thread;
};

unsigned tare_team_cpus(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (unsigned)n : 1;
}

/* Begins and ends every repeat with all others; times it if asked to. */
static void work(struct team *team, unsigned index, int64_t *out_ns)
{
    for (unsigned i = 0; i <= team->repeats; i++) {
        (void)pthread_barrier_wait(&team->barrier);
        int64_t begin_ns = tare_clock_ns();
        team->fn(team->ctx, index, team->n);
        (void)pthread_barrier_wait(&team->barrier);
        if (out_ns && i > 0) {
            out_ns[i - 1] = tare_clock_ns() - begin_ns;
        }
    }
}

static void *run_member(void *arg)
{
    const struct member *m = arg;
    (void)pthread_mutex_lock(&m->team->gate);
    bool off = m->team->off;
    (void)pthread_mutex_unlock(&m->team->gate);
    if (!off) {
        work(m->team, m->index, NULL);
    }
    return NULL;
}

/* Makes threads 1 .. n - 1 behind the gate; returns how many members there are, n if all. */
static unsigned start(struct team *team, struct member *members)
{
    unsigned started = 1;
    (void)pthread_mutex_lock(&team->gate);
    while (started < team->n) {
        members[started] = (struct member){.team = team, .index = started};
        if (pthread_create(&members[started].thread, NULL, run_member, &members[started]) != 0) {
            break;
        }
        started++;
    }
    team->off = started < team->n;
    (void)pthread_mutex_unlock(&team->gate);
    return started;
}

static int run_team(struct team *team, struct member *members, int64_t *out_ns, struct tare_err *err)
{
    unsigned started = start(team, members);
    if (!team->off) {
        work(team, 0, out_ns);
    }
    for (unsigned i = 1; i < started; i++) {
        (void)pthread_join(members[i].thread, NULL);
    }
    return team->off ? tare_err_set(err, TARE_E_ENVIRONMENT, "thread %u of %u could not be started",
                                    started + 1, team->n)
                     : 0;
}

int tare_team_run(unsigned n, tare_team_fn fn, void *ctx, unsigned repeats, int64_t *out_ns,
                  struct tare_err *err)
{
    struct team team = {.gate = PTHREAD_MUTEX_INITIALIZER, .fn = fn, .ctx = ctx, .n = n, .repeats = repeats};
    struct member *members = n > 0 ? calloc(n, sizeof *members) : NULL;
    if (!members || pthread_barrier_init(&team.barrier, NULL, n) != 0) {
        free(members);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %u threads", n);
    }
    int r = run_team(&team, members, out_ns, err);
    (void)pthread_barrier_destroy(&team.barrier);
    free(members);
    return r;
}
