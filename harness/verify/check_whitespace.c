/* SPDX-License-Identifier: Apache-2.0 */
/* Blanks at the edges, several of them, tabs and line feeds: every byte belongs to a token, and the same text
 * gives the same tokens. */
#include "verify/verify.h"

#include <string.h>

static int run(struct tare_verify *v, struct tare_err *err)
{
    static const char *const texts[] = {" a", "a ",     "  a  b  ", "a\n",       "\n\na",       "\ta\t",
                                        " ",  "a\r\nb", "a\n\n\n",  "The end. ", "x\xc2\xa0y ", "  \n "};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tare_wire_tokens once, again;
        size_t n = strlen(texts[i]);
        int r = tare_verify_tokenize(v, texts[i], n, &once, err);
        r = r == 0 ? tare_verify_tokenize(v, texts[i], n, &again, err) : r;
        if (r != 0) {
            return r;
        }
        (void)tare_verify_require(
            v, once.n == again.n && memcmp(once.ids, again.ids, once.n * sizeof *once.ids) == 0,
            "text %zu of the list has other tokens the second time", i + 1);
    }
    return 0;
}

const struct tare_verify_check tare_verify_check_whitespace = {
    .name = "whitespace",
    .proves = "blanks and line feeds at the edges of texts are kept, as tokens of their own or of others",
    .needs = TARE_CAP_TOKENIZE,
    .run = run};
