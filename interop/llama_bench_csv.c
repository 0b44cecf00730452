/* SPDX-License-Identifier: Apache-2.0 */
/* llama-bench -o csv: every cell in quotes, no samples. */
#include "csv.h"
#include "llama_rows.h"

#include "values.h"

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    bool csv = tare_interop_has(head, n, "build_commit,build_number,");
    return csv && tare_llama_looks(head, n) && !tare_interop_has(head, n, "INSERT INTO") ? 90 : 0;
}

static int read_csv(const struct tare_interop_in *in, struct tare_err *err)
{
    return tare_csv_read(in, tare_llama_row, err);
}

static int give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    return tare_csv_give_back(stored, true, to, err);
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    struct tare_interop_stored stored = tare_llama_as_stored(run);
    return give_back(&stored, to, err);
}

const struct tare_interop_format tare_interop_llama_bench_csv = {
    .name = "llama-bench-csv",
    .summary = "llama-bench -o csv",
    .tool = TARE_LLAMA_TOOL,
    .family = TARE_LLAMA_FAMILY,
    .sniff = sniff,
    .read = read_csv,
    .give_back = give_back,
    .write = write_run,
};
