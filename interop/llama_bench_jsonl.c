/* SPDX-License-Identifier: Apache-2.0 */
/* llama-bench -o jsonl: a row a line, between log lines. */
#include "llama_rows.h"

#include "values.h"

#include <string.h>

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    static const char row[] = "\n{\"build_commit\":";
    bool first = n >= sizeof row - 2 && memcmp(head, row + 1, sizeof row - 2) == 0;
    return tare_llama_looks(head, n) && (first || tare_interop_has(head, n, row)) ? 90 : 0;
}

static int read_lines(const struct tare_interop_in *in, struct tare_err *err)
{
    return tare_interop_read_lines(in, true, tare_llama_row, err);
}

static int give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    return tare_llama_give_back_json(stored, true, to, err);
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    struct tare_interop_stored stored = tare_llama_as_stored(run);
    return give_back(&stored, to, err);
}

const struct tare_interop_format tare_interop_llama_bench_jsonl = {
    .name = "llama-bench-jsonl",
    .summary = "llama-bench -o jsonl",
    .tool = TARE_LLAMA_TOOL,
    .family = TARE_LLAMA_FAMILY,
    .sniff = sniff,
    .read = read_lines,
    .give_back = give_back,
    .write = write_run,
};
