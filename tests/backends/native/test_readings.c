/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend tells of its own doing: names, kinds, reasons, and figures that can be had otherwise. */
#include "session.h"

#include "readings.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

enum { kept_max = 64 };

struct kept {
    struct tare_readings sink;
    uint32_t n;
    struct {
        char name[64];
        char unit[16];
        enum tare_kind kind;
        bool absent;
        bool has_reason;
        double value;
    } of[kept_max];
};

static void keep(struct tare_readings *to, const struct tare_reading *reading)
{
    struct kept *k = (struct kept *)to;
    assert_true(k->n < kept_max);
    (void)snprintf(k->of[k->n].name, sizeof k->of[k->n].name, "%s", reading->name);
    (void)snprintf(k->of[k->n].unit, sizeof k->of[k->n].unit, "%s", reading->unit);
    k->of[k->n].kind = reading->kind;
    k->of[k->n].absent = reading->absent;
    k->of[k->n].has_reason = reading->why && reading->why[0];
    k->of[k->n].value = reading->value;
    assert_true(reading->scope[0] && reading->source[0]);
    k->n++;
}

static uint32_t find(const struct kept *k, const char *name)
{
    uint32_t at = 0;
    while (at < k->n && strcmp(k->of[at].name, name) != 0) {
        at++;
    }
    return at;
}

static double value_of(const struct kept *k, const char *name, const char *unit, enum tare_kind kind)
{
    uint32_t at = find(k, name);
    if (at == k->n || k->of[at].absent || strcmp(k->of[at].unit, unit) != 0 || k->of[at].kind != kind) {
        fail_msg("no reading %s in %s of kind %d", name, unit, (int)kind);
    }
    return k->of[at].value;
}

/* Pages of the test's own: an allocator may keep what is freed. */
static void touch(size_t bytes)
{
    void *pages =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(munmap(pages, bytes), 0);
}

/* Memory that is touched between begin and end shows; what was had and given back before hides it. */
static void test_growth(void **state)
{
    (void)state;
    const size_t bytes = (size_t)96 << 20;
    static const struct tare_model no_model;
    struct tare_applied applied;
    struct kept k = {.sink = {.add = keep}};
    tare_applied_begin(&applied);
    touch(bytes);
    tare_applied_end(&applied, 77);
    tare_readings_of_load(&k.sink, &applied, &no_model);
    double grown = value_of(&k, "apply_peak_bytes", "B", TARE_KIND_MEASURED);
    assert_true(grown > 0.95 * (double)bytes && grown < 1.35 * (double)bytes);
    assert_true(fabs(value_of(&k, "calibration_tok", "tok", TARE_KIND_COUNTED) - 77) < 1e-12);
    assert_true(value_of(&k, "apply_time", "s", TARE_KIND_MEASURED) > 0);
    tare_applied_begin(&applied);
    touch(bytes / 4);
    tare_applied_end(&applied, 0);
    k.n = 0;
    tare_readings_of_load(&k.sink, &applied, &no_model);
    uint32_t at = find(&k, "apply_peak_bytes");
    assert_true(at < k.n && k.of[at].absent && k.of[at].has_reason);
}

/* Without a technique nothing is said of applying one; a warm-up leaves no state behind. */
static void test_plain_model(void **state)
{
    (void)state;
    struct session s;
    struct kept k = {.sink = {.add = keep}};
    int32_t ids[40] = {0};
    session_start_zoo(&s, "llama-0.1m.safetensors");
    struct tare_request r = session_request(TARE_REQUEST_LOGITS, ids, 40);
    session_must(&s, &r);
    tare_plugin.readings(s.self, 0, &k.sink);
    assert_int_equal(find(&k, "apply_time"), k.n);
    assert_true(fabs(value_of(&k, "weights_stored_bytes", "B", TARE_KIND_COUNTED) -
                     (double)s.facts.stored_bytes) < 0.5);
    assert_true(value_of(&k, "weights_resident_bytes", "B", TARE_KIND_COUNTED) >=
                (double)s.facts.stored_bytes);
    r.n_tokens = 10;
    r.shared_prefix = 10;
    session_must(&s, &r);
    k.n = 0;
    tare_plugin.readings(s.self, 1, &k.sink);
    assert_true(fabs(value_of(&k, "state_bytes_max", "B", TARE_KIND_COUNTED) -
                     10.0 * (double)s.facts.kv_bytes_per_token) < 0.5);
    assert_true(value_of(&k, "weight_flops_per_tok", "FLOP", TARE_KIND_COUNTED) > 0);
    session_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_plain_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
