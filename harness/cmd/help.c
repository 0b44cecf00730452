/* SPDX-License-Identifier: Apache-2.0 */
/* --help and the manual page, both out of the command tables. */
#include "cmd/cmd.h"

#include "cmd/plans.h"
#include "config.h"

#include <ctype.h>
#include <string.h>

static const char common_options[] = "  --json                     print JSON and nothing else\n"
                                     "  --quiet                    only warnings and errors\n"
                                     "  --verbose                  say more on standard error\n"
                                     "  --help                     this text\n";

static const char exit_text[] = "0 ok; 1 a gate failed; 2 wrong usage or plan; 3 a cell failed, a backend or "
                                "model cannot be used, or the "
                                "run was interrupted; 4 a measurement is invalid; 5 the machine, a file or "
                                "the database does not allow it.";

void tare_help_command(const struct tare_command *c, struct tare_buf *to)
{
    tare_buf_printf(to, "tare %s %s\n  %s\n\n%s\n\nOptions:\n", c->name, c->arguments, c->summary, c->text);
    tare_opts_help(c->options, "--", to);
    tare_buf_add_str(to, common_options);
    tare_buf_printf(to, "\nExit status: %s\n", exit_text);
}

void tare_help_all(struct tare_buf *to)
{
    tare_buf_printf(to, "tare %s: weighs what a language model costs, at the quality it delivers.\n\n",
                    TARE_VERSION);
    tare_buf_add_str(to, "usage: tare COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; tare_commands[i]; i++) {
        if (!tare_commands[i]->hidden) {
            tare_buf_printf(to, "  %-10s %s\n", tare_commands[i]->name, tare_commands[i]->summary);
        }
    }
    struct tare_json *plans = tare_json_new_array();
    if (tare_plans_list(plans, NULL) == 0) {
        tare_buf_add_str(to, "\nBuilt-in plans for 'tare run':");
    }
    for (const struct tare_json *v = tare_json_first(plans); v; v = tare_json_next(v)) {
        tare_buf_printf(to, "%s %s", v == tare_json_first(plans) ? "" : ",",
                        tare_json_str(tare_json_get(v, "name")));
    }
    tare_json_destroy(plans);
    tare_buf_add_str(to, "; 'tare list plans' says what they are.");
    tare_buf_add_str(to, "\n'tare run' without arguments runs the first of them.\n"
                         "'tare COMMAND --help' explains a command; 'tare --version' prints the version.\n");
}

/* Roff wants backslashes and hyphens escaped, and no line that begins with a dot or an apostrophe. */
static void add_roff(struct tare_buf *to, const char *text)
{
    bool fresh = true;
    for (; *text; text++) {
        if (fresh && (*text == '.' || *text == '\'')) {
            tare_buf_add_str(to, "\\&");
        }
        if (*text == '\\') {
            tare_buf_add_str(to, "\\e");
        } else if (*text == '-') {
            tare_buf_add_str(to, "\\-");
        } else {
            tare_buf_add(to, text, 1);
        }
        fresh = *text == '\n';
    }
}

static void add_paragraphs(struct tare_buf *to, const char *text)
{
    while (*text) {
        const char *gap = strstr(text, "\n\n");
        size_t n = gap ? (size_t)(gap - text) : strlen(text);
        struct tare_buf part;
        tare_buf_init(&part, 1 << 16);
        tare_buf_add(&part, text, n);
        tare_buf_add_str(to, ".PP\n");
        add_roff(to, tare_buf_str(&part));
        tare_buf_add_str(to, "\n");
        tare_buf_fini(&part);
        text += n + strspn(text + n, "\n");
    }
}

static void add_option(struct tare_buf *to, const struct tare_opt *opt)
{
    tare_buf_add_str(to, ".TP\n.B \\-\\-");
    for (const char *c = opt->name; *c; c++) {
        tare_buf_printf(to, "%s", *c == '_' ? "\\-" : (char[]){*c, '\0'});
    }
    if (opt->type != TARE_OPT_BOOL) {
        tare_buf_printf(to, " \\fI%s\\fR", tare_opt_type_name(opt->type));
    }
    tare_buf_add_str(to, "\n");
    add_roff(to, opt->help);
    if (opt->def) {
        tare_buf_add_str(to, " (default ");
        add_roff(to, opt->def);
        tare_buf_add_str(to, ")");
    }
    tare_buf_add_str(to, "\n");
}

static void add_command(struct tare_buf *to, const struct tare_command *c)
{
    tare_buf_printf(to, ".SS tare %s ", c->name);
    add_roff(to, c->arguments);
    tare_buf_add_str(to, "\n");
    add_roff(to, c->summary);
    tare_buf_add_str(to, "\n");
    add_paragraphs(to, c->text);
    for (const struct tare_opt *opt = c->options; opt && opt->name; opt++) {
        add_option(to, opt);
    }
}

void tare_help_manual(struct tare_buf *to)
{
    tare_buf_printf(to,
                    ".\\\" Made by tare from its command tables.\n.TH TARE 1 \"\" \"tare %s\" \"tare\"\n"
                    ".SH NAME\ntare \\- weigh what a language model costs at the quality it delivers\n"
                    ".SH SYNOPSIS\n.B tare\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n",
                    TARE_VERSION);
    for (size_t i = 0; tare_commands[i]; i++) {
        if (!tare_commands[i]->hidden) {
            add_command(to, tare_commands[i]);
        }
    }
    tare_buf_add_str(to, ".SH COMMON OPTIONS\n.nf\n");
    add_roff(to, common_options);
    tare_buf_add_str(
        to, ".fi\n.SH ENVIRONMENT\n.TP\n.B TARE_BACKEND_PATH\nFolders, separated by colons, searched "
            "for backends before tare's own.\n.TP\n.B TARE_DATA, TARE_ZOO\nFolders of the shipped data "
            "and models, instead of the installed ones.\n.TP\n.B TARE_DATASETS\nFolder of the data "
            "that 'tare fetch' takes.\n.SH EXIT STATUS\n");
    add_roff(to, exit_text);
    tare_buf_add_str(to,
                     "\n.SH FILES\n.TP\n.B tare.db\nThe results, a SQLite database in the current folder.\n");
}
