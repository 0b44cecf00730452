/* SPDX-License-Identifier: Apache-2.0 */
/* The spec reader: what it accepts can be made to begin at another item, and only that changes. */
#include "fuzz.h"

#include "core/spec.h"

#include <stdlib.h>
#include <string.h>

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("{\"backend\": \"/b.so\", \"model\": \"/m\", \"technique\": \"t\", \"task\": \"recall\", "
              "\"data_dir\": "
              "\"/d\", \"seed\": 3, \"warmup\": 2, \"window_tok\": 64, \"memory_limit_bytes\": 4096, "
              "\"first_item\": 9, "
              "\"options\": {\"a\": 1}, \"task_options\": {\"items\": [4]}}"),
    FUZZ_TEXT("{\"backend\":\"b\",\"task\":\"t\",\"data_dir\":\"d\"}"),
};

static const char *const words[] = {
    "\"first_item\":", "\"options\":", "{}",   "[]",          "null",      "-1",
    "1e300",           "\"4GiB\"",     "\"\"", "\"task\":1,", "\"seed\":", NULL};

static int read_spec(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_spec spec, before;
    memset(&spec, 0x5a, sizeof spec);
    before = spec;
    int r = tare_spec_parse(data, n, &spec, err);
    if (r < 0) {
        fuzz_check(memcmp(&spec, &before, sizeof spec) == 0, "a failure touched the spec");
        return r;
    }
    fuzz_check(spec.backend && spec.task && spec.data_dir, "a spec without what it needs");
    fuzz_check(spec.first_item >= 0 && spec.warmup >= 0 && spec.memory_limit_bytes >= 0,
               "a limit was missed");
    struct tare_spec moved;
    struct tare_err fault = {0};
    int64_t first = (int64_t)tare_rng_below(rng, 1000000);
    char *text = NULL, *exact = fuzz_text(data, n);
    fuzz_check(exact && tare_spec_from(exact, first, &text, &fault) == 0, fault.msg);
    fuzz_check(tare_spec_parse(text, strlen(text), &moved, &fault) == 0, fault.msg);
    fuzz_check(moved.first_item == first && strcmp(moved.task, spec.task) == 0 && moved.seed == spec.seed,
               "beginning at another item changed the spec");
    free(exact);
    free(text);
    tare_spec_fini(&moved);
    tare_spec_fini(&spec);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"spec", seeds, sizeof seeds / sizeof *seeds, words, 400000, read_spec});
}
