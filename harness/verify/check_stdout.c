/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output belongs to tare's results. What a backend writes there is caught and reaches nobody; that
 * it does is told. The last check: it looks back at all others. */
#include "verify/verify.h"

static int run(struct tare_verify *v, struct tare_err *err)
{
    (void)err;
    v->result.unit = "B";
    v->result.tolerance = 0;
    (void)tare_verify_require(v, v->session.printed_bytes == 0,
                              "it wrote %lld bytes to standard output, the first are \"%s\"",
                              (long long)v->session.printed_bytes, v->session.printed_first);
    tare_verify_compare(v, (double)v->session.printed_bytes, 0, "all answers to all checks");
    return 0;
}

const struct tare_verify_check tare_verify_check_stdout = {
    .name = "stdout", .proves = "it writes nothing to standard output", .run = run};
