/* SPDX-License-Identifier: Apache-2.0 */
/* mlperf_log_accuracy.json of MLPerf LoadGen: an array of responses as hexadecimal bytes. Scoring them is
 * the task's business, so there is a count and no accuracy. */
#include "loadgen.h"
#include "records.h"
#include "values.h"

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_first(head, n) == '[' && tare_interop_has(head, n, "\"seq_id\"") &&
                   tare_interop_has(head, n, "\"qsl_idx\"")
               ? 95
               : 0;
}

static int read_response(const struct tare_interop_in *in, const struct tare_json *response,
                         struct tare_err *err)
{
    return tare_json_get(response, "data") ? 0 : tare_interop_fault(in, err, "a response has no data");
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    static const struct tare_interop_field count = {"seq_id", "responses", "1", "system", 1};
    const struct tare_interop_cell cell = {
        .model = in->reader->name, .task = "AccuracyOnly", .scenario = "scenario not stated"};
    struct tare_json *list = NULL;
    int r = in->sink->tool(in->sink->ctx, TARE_LOADGEN_TOOL, NULL, err);
    r = r == 0 ? tare_interop_json_all(in, &list, err) : r;
    r = r == 0 ? tare_interop_read_list(in, list, NULL, read_response, err) : r;
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    r = r == 0 ? tare_interop_put(in, &count, (double)tare_json_size(list), TARE_ABSENT, "", err) : r;
    tare_json_destroy(list);
    return r;
}

const struct tare_interop_format tare_interop_loadgen_accuracy = {
    .name = "loadgen-accuracy",
    .summary = "mlperf_log_accuracy.json of MLPerf LoadGen",
    .tool = TARE_LOADGEN_TOOL,
    .sniff = sniff,
    .read = read_file,
    .give_back = tare_interop_give_back,
};
