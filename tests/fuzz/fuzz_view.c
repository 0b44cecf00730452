/* SPDX-License-Identifier: Apache-2.0 */
/* The view reader: what is accepted has names wherever one is needed, and a failure touches nothing. */
#include "fuzz.h"

#include "reports/view/view.h"

#include <string.h>

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("{\"tare\": 1, \"columns\": [\"acc@*\"]}"),
    FUZZ_TEXT(
        "{\"tare\": 1, \"name\": \"n\", \"title\": \"t\", \"about\": \"a\", \"kind\": \"table\", "
        "\"rank_within_groups\": true, \"groups\": [{\"label\": \"l\", \"prefix\": \"a.b\"}], \"columns\": "
        "[\"acc@*\", {\"figure\": \"x@t\", \"header\": \"h\", \"unit\": \"ms\", \"scale\": 1e3, "
        "\"decimals\": 2, "
        "\"better\": \"lower\", \"ratio\": \"speedup\"}], \"averages\": [{\"header\": \"Avg\", \"of\": "
        "\"acc\"}], "
        "\"plots\": [\"pareto\"], \"score\": \"dynascore\", \"filter\": {\"task\": \"*\", \"model\": "
        "\"m\"}}"),
};

static const char *const words[] = {"\"tare\": 1,", "\"columns\":",
                                    "\"groups\":",  "\"averages\":",
                                    "null",         "[]",
                                    "{}",           "-1",
                                    "1e300",        "\"filter\":",
                                    "\"scale\":",   "\"\"",
                                    "\"notes\":",   "\"group_by\":",
                                    "\"unit\":",    NULL};

static int read_view(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_view view, before;
    (void)rng;
    memset(&view, 0x5a, sizeof view);
    before = view;
    int r = tare_view_parse(data, n, "fuzz", &view, err);
    if (r < 0) {
        fuzz_check(memcmp(&view, &before, sizeof view) == 0, "a failure touched the view");
        return r;
    }
    for (size_t i = 0; i < view.n_columns; i++) {
        fuzz_check(view.columns[i].pattern && view.columns[i].decimals >= -1, "a column without a figure");
    }
    for (size_t i = 0; i < view.n_columns; i++) {
        fuzz_check(!view.columns[i].unit == !(view.columns[i].scale > 0), "a unit without a scale");
    }
    for (size_t i = 0; i < view.n_notes; i++) {
        fuzz_check(view.notes[i] != NULL, "a note without a text");
    }
    for (size_t i = 0; i < view.n_groups; i++) {
        fuzz_check(view.groups[i].label && view.groups[i].prefix, "a group without label or prefix");
    }
    tare_view_fini(&view);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"view", seeds, sizeof seeds / sizeof *seeds, words, 150000, read_view});
}
