/* SPDX-License-Identifier: Apache-2.0 */
/* In place of transfer.c where tare was built without libcurl's headers. */
#include "fetch/transfer.h"

int tare_transfer_run(const struct tare_transfer *transfer, enum tare_transfer_left *out_left,
                      struct tare_err *err)
{
    (void)transfer;
    (void)out_left;
    return tare_err_set(err, TARE_E_UNSUPPORTED,
                        "this tare was built without libcurl, so nothing can be downloaded; --from takes "
                        "files from a folder");
}
