/* SPDX-License-Identifier: Apache-2.0 */
/* Text and cells of the LaTeX format. Internal to it; how a table is cut into pages is latex_layout.h's. */
#ifndef TARE_REPORTS_LATEX_TEXT_H
#define TARE_REPORTS_LATEX_TEXT_H

#include "text.h"

extern const struct tare_text_style tare_latex_style;
/* The text as ASCII that LaTeX prints and does not obey. Needs \TareChar{hexadecimal number}. */
void tare_latex_put(FILE *to, const char *text);

#endif
