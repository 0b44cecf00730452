/* SPDX-License-Identifier: Apache-2.0 */
/* Copies that outlive the original, and every way to break the contract of a reading. */
#include "base/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct tare_reading good = {.name = "energy_x",
                                         .unit = "J",
                                         .scope = "device",
                                         .source = "there",
                                         .kind = TARE_KIND_MEASURED,
                                         .value = 2};

static void test_copy(void **state)
{
    char name[] = "energy_x", flags[] = "WRAPPED";
    struct tare_reading r = good;
    struct tare_doubt doubt = {.u = 0.5, .gain = 0.05, .flags = flags};
    struct tare_reading_record copy;
    (void)state;
    r.name = name;
    struct tare_reading_record record = tare_reading_record_of("measure", "powercap", &r, &doubt);
    assert_int_equal(tare_reading_copy(&record, &copy, NULL), 0);
    memset(name, 'z', sizeof name - 1);
    memset(flags, 'z', sizeof flags - 1);
    assert_string_equal(copy.phase, "measure");
    assert_string_equal(copy.meter, "powercap");
    assert_string_equal(copy.name, "energy_x");
    assert_string_equal(copy.kind, "measured");
    assert_string_equal(copy.flags, "WRAPPED");
    assert_true(copy.value == 2 && copy.u == 0.5 && copy.gain == 0.05);
    assert_null(copy.absent);
    tare_reading_free(&copy);
    assert_null(copy.phase);
}

static void test_absent(void **state)
{
    struct tare_reading r = good;
    (void)state;
    r.absent = true;
    r.why = "gone";
    struct tare_reading_record record = tare_reading_record_of("load", "m", &r, NULL);
    assert_true(isnan(record.value)); /* never the number that lay there */
    assert_string_equal(record.absent, "gone");
    assert_true(isnan(record.u) && isnan(record.gain));
    assert_string_equal(record.flags, "");
}

static void test_faults(void **state)
{
    static const struct {
        struct tare_reading r;
        const char *fault; /* begin of it; NULL: none */
    } cases[] = {
        {{"energy_x", "J", "device", "there", TARE_KIND_MEASURED, false, 0, NULL}, NULL},
        {{NULL, "J", "device", "there", TARE_KIND_MEASURED, false, 0, NULL}, "a name"},
        {{"", "J", "device", "there", TARE_KIND_MEASURED, false, 0, NULL}, "a name"},
        {{"Energy", "J", "device", "there", TARE_KIND_MEASURED, false, 0, NULL}, "a name"},
        {{"a b", "J", "device", "there", TARE_KIND_MEASURED, false, 0, NULL}, "a name"},
        {{"x", NULL, "device", "there", TARE_KIND_MEASURED, false, 0, NULL}, "no unit"},
        {{"x", "J", "", "there", TARE_KIND_MEASURED, false, 0, NULL}, "no scope"},
        {{"x", "J", "device", NULL, TARE_KIND_MEASURED, false, 0, NULL}, "no source"},
        {{"x", "J", "device", "there", (enum tare_kind)0, false, 0, NULL}, "no kind"},
        {{"x", "J", "device", "there", (enum tare_kind)6, false, 0, NULL}, "no kind"},
        {{"x", "J", "device", "there", TARE_KIND_MEASURED, true, 0, NULL}, "no reason"},
        {{"x", "J", "device", "there", TARE_KIND_MEASURED, true, 0, ""}, "no reason"},
        {{"x", "J", "device", "there", TARE_KIND_MEASURED, true, 0, "gone"}, NULL},
        {{"x", "J", "device", "there", TARE_KIND_MEASURED, false, (double)NAN, NULL}, "a value"},
        {{"x", "J", "device", "there", TARE_KIND_MEASURED, false, (double)INFINITY, NULL}, "a value"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *fault = tare_reading_fault(&cases[i].r);
        bool as_meant =
            cases[i].fault ? fault && strncmp(fault, cases[i].fault, strlen(cases[i].fault)) == 0 : !fault;
        if (!as_meant) {
            fail_msg("case %zu: %s", i, fault ? fault : "no fault");
        }
    }
    char name[70];
    memset(name, 'a', sizeof name);
    name[60] = '\0';
    assert_true(tare_reading_is_name(name));
    name[60] = 'a';
    name[61] = '\0';
    assert_false(tare_reading_is_name(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_copy), cmocka_unit_test(test_absent),
                                       cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
