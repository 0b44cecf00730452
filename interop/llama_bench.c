/* SPDX-License-Identifier: Apache-2.0 */
/* llama-bench -o json: one array of rows, behind whatever was logged before it. */
#include "llama_rows.h"

#include "values.h"

#include <string.h>

/* The array begins with the first line that is "[" alone, or with the file. */
static const char *find_array(const char *text, size_t n)
{
    const char *end = text + n;
    if (tare_interop_first(text, n) == '[' && !tare_interop_has(text, n, "\n[\n")) {
        return text;
    }
    for (const char *at = text; at && at < end;
         at = memchr(at, '\n', (size_t)(end - at)), at = at ? at + 1 : at) {
        size_t left = (size_t)(end - at);
        if (left >= 2 && at[0] == '[' && (at[1] == '\n' || at[1] == '\r')) {
            return at;
        }
    }
    return NULL;
}

/* Behind the array; log lines may stand there. */
static size_t find_end(const char *text, size_t n)
{
    const char *last = memmem(text, n, "\n]", 2);
    for (const char *more = last; more; more = memmem(more + 1, n - (size_t)(more + 1 - text), "\n]", 2)) {
        last = more;
    }
    return last ? (size_t)(last - text) + 2 : n;
}

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return find_array(head, n) && tare_llama_looks(head, n) && tare_interop_has(head, n, "\"n_prompt\":") ? 90
                                                                                                          : 0;
}

static int read_json(const struct tare_interop_in *in, struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0;
    struct tare_json *json = NULL;
    int r = tare_interop_all(in->reader, &text, &n, err);
    const char *array = r == 0 ? find_array(text, n) : NULL;
    if (r == 0 && !array) {
        return tare_interop_fault(in, err, "there is no array of rows in it");
    }
    if (r == 0) {
        size_t left = n - (size_t)(array - text), end = find_end(array, left);
        r = tare_interop_json(in, array, left, &json, err);
        r = r < 0 && end < left ? tare_interop_json(in, array, end, &json, err) : r;
    }
    r = r == 0 ? tare_interop_read_list(in, json, NULL, tare_llama_row, err) : r;
    tare_json_destroy(json);
    return r;
}

static int give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    return tare_llama_give_back_json(stored, false, to, err);
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    struct tare_interop_stored stored = tare_llama_as_stored(run);
    return give_back(&stored, to, err);
}

const struct tare_interop_format tare_interop_llama_bench = {
    .name = "llama-bench",
    .summary = "llama-bench -o json",
    .tool = TARE_LLAMA_TOOL,
    .family = TARE_LLAMA_FAMILY,
    .sniff = sniff,
    .read = read_json,
    .give_back = give_back,
    .write = write_run,
};
