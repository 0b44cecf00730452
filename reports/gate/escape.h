/* SPDX-License-Identifier: Apache-2.0 */
/* Text of others inside a format: labels and reasons may hold anything, and must not end what they stand in.
 */
#ifndef TARE_REPORTS_GATE_ESCAPE_H
#define TARE_REPORTS_GATE_ESCAPE_H

#include "base/buf.h"

/* XML 1.0 text and attributes; what XML cannot hold at all, and bytes that are no UTF-8, become "?". */
void tare_gate_add_xml(struct tare_buf *to, const char *text);
/* A cell of a Markdown table: one line, no bar, no HTML. */
void tare_gate_add_md(struct tare_buf *to, const char *text);
/* The message or a property of a workflow command of GitHub Actions. */
void tare_gate_add_github(struct tare_buf *to, const char *text, int is_property);
/* The value of a label of OpenMetrics, without its quotes. */
void tare_gate_add_label(struct tare_buf *to, const char *text);

#endif
