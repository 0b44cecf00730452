/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is refused at the k-th call while a model is loaded, a technique applied and a session opened:
 * a failure with a code and a line, nothing lost, and the next load is as good as ever.
 *
 * Every architecture with each technique in the list, on small models. The k are those of TARE_FAULT_STRIDE
 * and its multiples, shifted by the case, so that different cases try different ones; 1 tries all.
 */
#include "allocations.h"
#include "session.h"
#include "technique.h"

#include <stdio.h>
#include <string.h>

static const char *const archs[] = {"llama", "rwkv4", "h3", "hyena", "retnet", "mamba"};
static char folder[256];
static char model[300];
static char tokenizer[300];
static char calibration[300];

static int64_t stride(void)
{
    const char *text = getenv("TARE_FAULT_STRIDE");
    long n = text ? strtol(text, NULL, 10) : 0;
    return n > 0 ? n : 151;
}

static void write_files(const char *arch)
{
    struct blob text = {.bytes = malloc(2000), .n = 2000};
    assert_non_null(text.bytes);
    for (size_t i = 0; i < text.n; i++) {
        text.bytes[i] = (unsigned char)(i % 100 == 99 ? 0 : 'a' + i * i % 26);
    }
    (void)snprintf(model, sizeof model, "%s/m.safetensors", folder);
    (void)snprintf(tokenizer, sizeof tokenizer, "%s/tokenizer.json", folder);
    (void)snprintf(calibration, sizeof calibration, "%s/calibration.bin", folder);
    fixture_write(model, fixture_model_of(arch, NULL));
    fixture_write(tokenizer, fixture_tokenizer("5aa11"));
    fixture_write(calibration, text);
}

static int load_once(const char *technique, struct tare_err *err)
{
    struct tare_load load = {.size = sizeof load, .path = model, .technique = technique};
    void *self = session_new_self();
    *(int64_t *)session_option(self, "threads") = 2;
    *err = (struct tare_err){0};
    int rc = tare_plugin.load(self, &load, err);
    tare_plugin.unload(self);
    tare_plugin.close(self);
    free(self);
    return rc;
}

/* The allocation of `self` by the test is the first call; it is let through. */
static int load_refused(const char *technique, int64_t k, struct tare_err *err)
{
    struct tare_load load = {.size = sizeof load, .path = model, .technique = technique};
    void *self = session_new_self();
    *(int64_t *)session_option(self, "threads") = 2;
    *err = (struct tare_err){0};
    allocations_refuse(k);
    int rc = tare_plugin.load(self, &load, err);
    bool met = allocations_refused();
    allocations_refuse(0);
    tare_plugin.unload(self);
    tare_plugin.close(self);
    free(self);
    return met ? rc : 1;
}

static void check(const char *arch, const char *technique, int64_t first)
{
    struct tare_err usual;
    struct tare_err err;
    int good = load_once(technique, &usual);
    (void)load_once(technique, &usual); /* what BLAS and FFTW keep, they have by now */
    for (int64_t k = first;; k += stride()) {
        int64_t held = allocations_held();
        int rc = load_refused(technique, k, &err);
        if (allocations_held() != held) {
            fail_msg("%s %s: %lld blocks lost when call %lld got no memory", arch, technique ? technique : "",
                     (long long)(allocations_held() - held), (long long)k);
        }
        if (rc == 1) {
            break;
        }
        if (rc == 0 || rc != err.code || !err.msg[0] || strchr(err.msg, '\n')) {
            fail_msg("%s %s: %d, %d '%s' when call %lld got no memory", arch, technique ? technique : "", rc,
                     err.code, err.msg, (long long)k);
        }
    }
    assert_int_equal(load_once(technique, &err), good);
    if (strcmp(err.msg, usual.msg) != 0) {
        fail_msg("%s %s: '%s' after the faults, '%s' before", arch, technique ? technique : "", err.msg,
                 usual.msg);
    }
}

static void skip_where_nothing_counts(void)
{
    if (!allocations_work()) {
        print_message("skipped: a sanitizer has taken the place of malloc\n");
        skip();
    }
}

static void test_faults(void **state)
{
    (void)state;
    skip_where_nothing_counts();
    fixture_folder(folder, sizeof folder);
    int64_t first = 0;
    for (size_t a = 0; a < sizeof archs / sizeof archs[0]; a++) {
        write_files(archs[a]);
        check(archs[a], NULL, 1 + first++ % stride());
        for (size_t i = 0; tare_techniques[i]; i++) {
            const struct tare_technique *t = tare_techniques[i];
            char text[256];
            (void)snprintf(text, sizeof text, "%s{method=%s%s}", t->tag, t->method,
                           strcmp(t->method, "speculative") == 0 ? ",draft=m.safetensors" : "");
            check(archs[a], text, 1 + first++ % stride());
        }
    }
    (void)remove(model);
    (void)remove(tokenizer);
    (void)remove(calibration);
    (void)remove(folder);
}

static void test_refusing(void **state)
{
    (void)state;
    skip_where_nothing_counts();
    int64_t held = allocations_held();
    void *volatile p = malloc(10);
    assert_non_null(p);
    assert_int_equal(allocations_held(), held + 1);
    allocations_refuse(2);
    void *volatile first = malloc(10);
    void *volatile second = malloc(10);
    allocations_refuse(0);
    assert_non_null(first);
    assert_null(second);
    free(first);
    free(p);
    assert_int_equal(allocations_held(), held);
}

int main(void)
{
    allocations_open();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusing),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
