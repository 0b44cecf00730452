/* SPDX-License-Identifier: Apache-2.0 */
/* What plans can name: every tag has one default method, and no method is there twice. */
#include "treated.h"

#include <string.h>

static size_t count(const char *tag, const char *method, bool of_defaults)
{
    size_t n = 0;
    for (size_t i = 0; tare_techniques[i]; i++) {
        const struct tare_technique *t = tare_techniques[i];
        n += strcmp(t->tag, tag) == 0 && (!method || strcmp(t->method, method) == 0) &&
             (!of_defaults || t->is_default);
    }
    return n;
}

static void test_defaults(void **state)
{
    (void)state;
    size_t n = 0;
    for (; tare_techniques[n]; n++) {
        const struct tare_technique *t = tare_techniques[n];
        if (count(t->tag, NULL, true) != 1 || count(t->tag, t->method, false) != 1) {
            fail_msg("%s{method=%s}: %zu defaults of the tag, %zu of that method", t->tag, t->method,
                     count(t->tag, NULL, true), count(t->tag, t->method, false));
        }
    }
    assert_true(n >= 15);
}

static void test_unknown(void **state)
{
    (void)state;
    treated_refuses("infer.compress.quant.weight{method=guess}", TARE_E_UNSUPPORTED, "rtn");
    treated_refuses("infer.compress.low-rank{method=qr}", TARE_E_UNSUPPORTED, "svd-llm");
    treated_refuses("infer.compress.quant.weight{rank=3}", TARE_E_USAGE, "rank");
    treated_refuses("infer.compress.quant.weight{bits=8", TARE_E_USAGE, "without");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
