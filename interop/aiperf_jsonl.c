/* SPDX-License-Identifier: Apache-2.0 */
/* profile_export.jsonl of AIPerf: a line a request. They are kept; what is counted is how they ended. */
#include "aiperf_metrics.h"
#include "records.h"
#include "values.h"

struct state {
    int64_t completed, failed;
};

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, "\"benchmark_phase\"") && tare_interop_has(head, n, "\"metrics\"") ? 90
                                                                                                        : 0;
}

static int read_request(const struct tare_interop_in *in, const struct tare_json *request,
                        struct tare_err *err)
{
    struct state *s = in->state;
    if (tare_json_type(tare_json_get(request, "metadata")) != TARE_JSON_OBJECT) {
        return tare_interop_fault(in, err, "a request has no metadata");
    }
    bool failed = tare_json_type(tare_json_get(request, "error")) == TARE_JSON_OBJECT;
    s->failed += failed;
    s->completed += !failed;
    return 0;
}

static int read_file(const struct tare_interop_in *given, struct tare_err *err)
{
    static const struct tare_interop_field completed = {"requests without error", "completed_requests", "1",
                                                        "client", 1},
                                           failed = {"requests with error", "failed_requests", "1", "client",
                                                     1};
    struct state state = {0};
    struct tare_interop_in in = *given;
    const struct tare_interop_cell cell = {
        .model = in.reader->name, .task = "requests", .scenario = "as reported"};
    in.state = &state;
    int r = in.sink->tool(in.sink->ctx, TARE_AIPERF_TOOL, NULL, err);
    r = r == 0 ? tare_interop_read_lines(&in, false, read_request, err) : r;
    r = r == 0 ? in.sink->cell(in.sink->ctx, &cell, err) : r;
    r = r == 0 ? tare_interop_put(&in, &completed, (double)state.completed, TARE_ABSENT, "", err) : r;
    return r == 0 ? tare_interop_put(&in, &failed, (double)state.failed, TARE_ABSENT, "", err) : r;
}

const struct tare_interop_format tare_interop_aiperf_jsonl = {
    .name = "aiperf-jsonl",
    .summary = "profile_export.jsonl of AIPerf",
    .tool = TARE_AIPERF_TOOL,
    .sniff = sniff,
    .read = read_file,
};
