/* SPDX-License-Identifier: Apache-2.0 */
/* The plan reader: a plan that is accepted has cells, and each of them is a spec that a worker takes. */
#include "fuzz.h"

#include "core/plan.h"
#include "core/spec.h"

#include <string.h>

/* Any file will do for a backend here: it is not loaded. */
#define SO "/proc/self/exe"

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("{\"tare\": 1, \"models\": [{\"backend\": \"" SO "\"}], \"tasks\": [{\"task\": \"recall\"}]}"),
    FUZZ_TEXT(
        "{\"tare\": 1, \"name\": \"n\", \"seed\": 7, \"repeats\": 3, \"time_limit\": \"20ms\", "
        "\"memory_limit\": \"4GiB\", \"baseline\": \"a\", \"models\": [{\"backend\": \"" SO
        "\", \"name\": \"a\", \"path\": \"zoo:x\", \"options\": {\"x\": 1}}, {\"backend\": \"" SO
        "\", \"name\": \"b\", \"technique\": \"infer.compress.quant\"}], \"techniques\": [{\"technique\": "
        "\"none\"}, {\"technique\": [\"a{b=1}\", \"c{draft=zoo:d}\"]}, {\"technique\": \"e\", "
        "\"params\": {\"bits\": 4, \"calib\": \"zoo:c\"}}], \"tasks\": [{\"task\": \"text\", \"options\": "
        "{\"items\": 2}}, {\"task\": \"copy\"}], "
        "\"scenarios\": [{\"scenario\": \"single\", \"warmup\": 0, \"window_tok\": 16}], \"include\": "
        "[{\"model\": \"*\"}], \"exclude\": [{\"model\": \"b\", \"task\": \"te?t\"}]}"),
};

static const char *const words[] = {"\"tare\": 1,",
                                    "\"models\":",
                                    "\"tasks\":",
                                    "[{\"task\":\"recall\"}]",
                                    "\"repeats\": 1e9,",
                                    "\"include\":[{}],",
                                    "\"*a*a*a*\"",
                                    "null",
                                    "[]",
                                    "{}",
                                    "-1",
                                    "1e300",
                                    "\"name\":\"a\",",
                                    "\"options\":",
                                    "\"exclude\":",
                                    "\"time_limit\":\"1s\",",
                                    "zoo:../",
                                    "\"window_tok\":",
                                    "\"technique\":",
                                    "\"a.b{c=1,d=zoo:x}\"",
                                    "\"a{draft=zoo:x}+b\"",
                                    "\"params\":{\"bits\":4,\"calib\":\"x\"},",
                                    "\"techniques\":[\"*\"],",
                                    "\"repeats\":1,",
                                    NULL};

static int read_plan(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    static struct tare_paths paths = {"/exe", "/data", "/zoo", "/backends"};
    struct tare_plan plan, before;
    (void)rng;
    memset(&plan, 0x5a, sizeof plan);
    before = plan;
    int r = tare_plan_parse(data, n, "fuzz", NULL, &paths, &plan, err);
    if (r < 0) {
        fuzz_check(memcmp(&plan, &before, sizeof plan) == 0, "a failure touched the plan");
        return r;
    }
    fuzz_check(plan.n_cells > 0, "a plan without cells was accepted");
    for (size_t i = 0; i < plan.n_cells; i++) {
        struct tare_spec spec;
        struct tare_err fault = {0};
        fuzz_check(tare_spec_parse(plan.cells[i].spec, strlen(plan.cells[i].spec), &spec, &fault) == 0,
                   fault.msg);
        tare_spec_fini(&spec);
    }
    tare_plan_fini(&plan);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"plan", seeds, sizeof seeds / sizeof *seeds, words, 150000, read_plan});
}
