/* SPDX-License-Identifier: Apache-2.0 */
/* The meter papi on a PAPI that is made up here: what it asks of it in which order, and what it does when it
 * is refused. Machines without counters can test no more; whether the real PAPI behaves so is test_papi.c's
 * question. */
#include "papi_work.h"
#include "sink.h"

#include <papi.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_papi;

enum { max_sets = 32, n_known = 5, first_code = 100 };

static const char *const known[n_known] = {"PAPI_TOT_INS", "PAPI_TOT_CYC", "PAPI_BR_INS", "PAPI_DP_OPS",
                                           "PAPI_SP_OPS"};

struct fake_set {
    bool live, running, inherits, multiplexed;
    unsigned long tid;
    int n, code[16];
    long long reads;
};

/* What the next PAPI does. */
static struct {
    struct fake_set sets[max_sets];
    int n_made;
    double factor[n_known]; /* what an event reads of the truth */
    int add[n_known];       /* what adding it returns */
    int attach, start, disabled, domain;
    PAPI_component_info_t info;
} fake;

static void reset(void)
{
    memset(&fake, 0, sizeof fake);
    for (int i = 0; i < n_known; i++) {
        fake.factor[i] = 1;
    }
    (void)strcpy(fake.info.short_name, "cpu");
    (void)strcpy(fake.info.disabled_reason, "it is asleep");
}

static int n_live(void)
{
    int n = 0;
    for (int i = 0; i < fake.n_made; i++) {
        n += fake.sets[i].live;
    }
    return n;
}

static struct fake_set *of(int set)
{
    return set >= 0 && set < fake.n_made && fake.sets[set].live ? &fake.sets[set] : NULL;
}

int PAPI_is_initialized(void)
{
    return 0;
}

int PAPI_library_init(int version)
{
    return version;
}

const PAPI_component_info_t *PAPI_get_component_info(int cidx)
{
    assert_int_equal(cidx, 0);
    fake.info.disabled = fake.disabled;
    return &fake.info;
}

int PAPI_set_cmp_domain(int domain, int cidx)
{
    assert_int_equal(cidx, 0);
    fake.domain = domain;
    return PAPI_OK;
}

int PAPI_multiplex_init(void)
{
    return PAPI_OK;
}

int PAPI_create_eventset(int *set)
{
    assert_true(fake.n_made < max_sets);
    fake.sets[fake.n_made].live = true;
    *set = fake.n_made++;
    return PAPI_OK;
}

int PAPI_assign_eventset_component(int set, int cidx)
{
    return of(set) && cidx == 0 ? PAPI_OK : PAPI_ENOEVST;
}

int PAPI_set_opt(int option, PAPI_option_t *ptr)
{
    assert_int_equal(option, PAPI_INHERIT);
    struct fake_set *s = of(ptr->inherit.eventset);
    assert_true(s && s->n == 0); /* before events are added */
    s->inherits = ptr->inherit.inherit == PAPI_INHERIT_ALL;
    return PAPI_OK;
}

int PAPI_set_multiplex(int set)
{
    of(set)->multiplexed = true;
    return PAPI_OK;
}

int PAPI_attach(int set, unsigned long tid)
{
    of(set)->tid = tid;
    return fake.attach;
}

int PAPI_event_name_to_code(const char *name, int *code)
{
    for (int i = 0; i < n_known; i++) {
        if (strcmp(name, known[i]) == 0) {
            *code = first_code + i;
            return PAPI_OK;
        }
    }
    return PAPI_ENOEVNT;
}

int PAPI_add_event(int set, int code)
{
    struct fake_set *s = of(set);
    int r = fake.add[code - first_code];
    if (r == PAPI_OK) {
        s->code[s->n++] = code;
    }
    return r;
}

int PAPI_start(int set)
{
    of(set)->running = fake.start == PAPI_OK;
    return fake.start;
}

/* Of one round of all loops. */
static double truth(int which)
{
    struct tare_papi_work one;
    if (!tare_papi_work(1, &one)) {
        skip();
    }
    const double truths[n_known] = {one.instructions, 12345, one.branches, one.flops_dp, one.flops_sp};
    return truths[which];
}

/* The check's set reads what known work of 1.5 million rounds is; the others 1000 more at each read, for each
 * event. */
int PAPI_read(int set, long long *values)
{
    struct fake_set *s = of(set);
    assert_true(s && s->running);
    s->reads++;
    for (int i = 0; i < s->n; i++) {
        int which = s->code[i] - first_code;
        values[i] =
            set == 0 ? (long long)(1.5e6 * truth(which) * fake.factor[which]) : 1000 * s->reads * (which + 1);
    }
    return PAPI_OK;
}

int PAPI_stop(int set, long long *values)
{
    (void)values;
    if (of(set)) {
        of(set)->running = false;
    }
    return PAPI_OK;
}

int PAPI_cleanup_eventset(int set)
{
    if (of(set)) {
        of(set)->n = 0;
    }
    return PAPI_OK;
}

int PAPI_destroy_eventset(int *set)
{
    if (of(*set)) {
        of(*set)->live = false;
    }
    *set = PAPI_NULL;
    return PAPI_OK;
}

char *PAPI_strerror(int code)
{
    (void)code;
    static char text[] = "fake trouble";
    return text;
}

/* Without the probe: it asks the kernel, which is not made up. */
static int open_it(struct bench *b, const char *const *options, struct tare_err *err)
{
    *b = (struct bench){.ops = &tare_meter_papi, .self = calloc(1, tare_meter_papi.priv_size)};
    assert_non_null(b->self);
    assert_int_equal(tare_opts_init(tare_meter_papi.options, b->self, err), 0);
    for (size_t i = 0; options && options[i]; i += 2) {
        assert_int_equal(
            tare_opts_set(tare_meter_papi.options, b->self, options[i], options[i + 1], "papi", err), 0);
    }
    int r = tare_meter_papi.open(b->self, err);
    if (r < 0) { /* a meter that does not open has released what it took */
        assert_int_equal(n_live(), 0);
        tare_opts_fini(tare_meter_papi.options, b->self);
        free(b->self);
        b->self = NULL;
    }
    return r;
}

static void close_it(struct bench *b)
{
    bench_close(b);
    assert_int_equal(n_live(), 0);
}

static pthread_barrier_t barrier;

static void *wait_twice(void *arg)
{
    (void)pthread_barrier_wait(&barrier);
    (void)pthread_barrier_wait(&barrier);
    return arg;
}

static void test_all_threads(void **state)
{
    struct bench b;
    struct sink s;
    struct tare_err err = {0};
    pthread_t thread;
    (void)state;
    reset();
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_twice, NULL), 0);
    (void)pthread_barrier_wait(&barrier);
    int r = open_it(&b, NULL, &err);
    (void)pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&barrier), 0);
    assert_int_equal(r, 0);
    assert_int_equal(n_live(), 2); /* the check's own is gone */
    assert_false(fake.sets[0].live);
    assert_true(fake.sets[1].tid != 0 && fake.sets[2].tid != 0 && fake.sets[1].tid != fake.sets[2].tid);
    for (int i = 1; i <= 2; i++) {
        assert_true(fake.sets[i].inherits && fake.sets[i].running && fake.sets[i].n == 5);
        assert_false(fake.sets[i].multiplexed);
    }
    assert_int_equal(fake.domain, PAPI_DOM_USER);
    bench_read(&b, &s);
    assert_true(sink_get(&s, "papi_tot_ins")->value == 2000); /* 1000 of each thread */
    assert_true(sink_get(&s, "papi_sp_ops")->value == 10000);
    assert_true(sink_get(&s, "papi_flops")->value == 18000);
    assert_true(sink_get(&s, "papi_ipc")->value == 0.5);
    assert_string_equal(sink_get(&s, "papi_tot_ins")->scope, "process");
    close_it(&b);
}

static void test_refused_events(void **state)
{
    struct bench b;
    struct sink s;
    struct tare_err err = {0};
    (void)state;
    reset();
    fake.factor[4] = 0.5;       /* multiply-adds counted once */
    fake.add[2] = PAPI_ECNFLCT; /* no room */
    static const char *const options[] = {
        "events", "PAPI_TOT_INS,PAPI_NOT,PAPI_BR_INS,PAPI_SP_OPS,PAPI_DP_OPS", "user_only", "false", NULL};
    assert_int_equal(open_it(&b, options, &err), 0);
    assert_int_equal(fake.domain, PAPI_DOM_USER | PAPI_DOM_KERNEL);
    assert_int_equal(fake.sets[1].n, 2); /* instructions and double precision */
    bench_read(&b, &s);
    assert_true(sink_get(&s, "papi_tot_ins")->value == 1000);
    assert_true(sink_get(&s, "papi_dp_ops")->value ==
                4000); /* its own value, although others before it are gone */
    assert_non_null(strstr(sink_get(&s, "papi_sp_ops")->why, "-50.0 %"));
    assert_non_null(strstr(sink_get(&s, "papi_br_ins")->why, "no counter is left"));
    assert_non_null(strstr(sink_get(&s, "papi_not")->why, "fake trouble"));
    assert_true(sink_get(&s, "papi_flops")->absent);
    close_it(&b);
}

static void test_main_thread_only(void **state)
{
    struct bench b;
    struct sink s;
    struct tare_err err = {0};
    (void)state;
    reset();
    fake.attach = PAPI_EPERM;
    assert_int_equal(open_it(&b, NULL, &err), 0);
    assert_int_equal(n_live(), 1);
    bench_read(&b, &s);
    assert_string_equal(sink_get(&s, "papi_tot_ins")->scope, "main thread");
    assert_true(sink_get(&s, "papi_tot_ins")->value == 1000);
    close_it(&b);
}

/* PAPI's descriptors tell the share of time; where they are not found, nothing is believed. */
static void test_multiplex_without_descriptors(void **state)
{
    static const char *const options[] = {"multiplex", "true", NULL};
    struct bench b;
    struct sink s;
    struct tare_err err = {0};
    (void)state;
    reset();
    assert_int_equal(open_it(&b, options, &err), 0);
    assert_true(fake.sets[0].multiplexed && fake.sets[1].multiplexed);
    bench_read(&b, &s);
    assert_non_null(strstr(sink_get(&s, "papi_tot_ins")->why, "multiplexed"));
    assert_true(sink_get(&s, "papi_flops")->absent && sink_get(&s, "papi_running_ratio")->absent);
    close_it(&b);
}

static void test_cannot_open(void **state)
{
    static const char *const none[] = {"events", "", NULL};
    struct bench b;
    struct tare_err err = {0};
    (void)state;
    reset();
    fake.disabled = 1;
    assert_int_equal(open_it(&b, NULL, &err), TARE_E_ENVIRONMENT);
    assert_string_equal(err.msg, "PAPI cpu: it is asleep");
    reset();
    fake.start = PAPI_EPERM;
    assert_int_equal(open_it(&b, NULL, &err), TARE_E_ENVIRONMENT);
    assert_non_null(strstr(err.msg, "could not start its counters: fake trouble"));
    reset();
    for (int i = 0; i < n_known; i++) {
        fake.factor[i] = 0;
    }
    assert_int_equal(open_it(&b, NULL, &err), TARE_E_ENVIRONMENT);
    assert_non_null(strstr(err.msg, "PAPI_TOT_INS: self-check: it was started, but read 0"));
    reset();
    assert_int_equal(open_it(&b, none, &err), TARE_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_threads),      cmocka_unit_test(test_refused_events),
        cmocka_unit_test(test_main_thread_only), cmocka_unit_test(test_multiplex_without_descriptors),
        cmocka_unit_test(test_cannot_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
