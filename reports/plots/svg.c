/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gnuplot writes as SVG, made fit for pages: a title and a description of the plot, ids that meet no
 * other picture's, and for a page the page's own text colour on no background. No scripts, nothing from
 * elsewhere. Also the whole way from a plot to a file in memory.
 */
#include "reports/plots/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const tare_plot_format_names[] = {"svg", "pdf", "png", "tikz", "script", NULL};

/* FNV-1a: equal plots get equal ids, and others others. */
static uint64_t hash(const char *data, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

static bool begins(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

struct finish {
    const struct tare_plot *plot;
    struct tare_buf *to;
    char prefix[24];
    enum tare_plot_form form;
};

/* What stands behind `from` is replaced; `skip_to`: everything up to the end of that goes too. */
struct swap {
    const char *from, *to, *skip_to;
    bool inlined_only;
};

static void put_head(const struct finish *f, const char *svg, const char *end)
{
    const char *box = memmem(svg, (size_t)(end - svg), "viewBox=\"", 9);
    int n = box ? (int)strcspn(box + 9, "\"") : 0;
    double width = 0, height = 0;
    if (box && sscanf(box + 9, "%*f %*f %lf %lf", &width, &height) != 2) {
        width = height = 0;
    }
    tare_buf_printf(
        f->to, "%s<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" ",
        f->form ? "" : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    tare_buf_printf(f->to, "width=\"%.0f\" height=\"%.0f\" viewBox=\"%.*s\"", width, height, n,
                    box ? box + 9 : "");
    if (f->form == TARE_FORM_BARE) {
        tare_buf_add_str(f->to, ">\n");
        return;
    }
    tare_buf_printf(f->to, " role=\"img\" aria-labelledby=\"%st %sd\">\n<title id=\"%st\">", f->prefix,
                    f->prefix, f->prefix);
    tare_plot_xml(f->to, f->plot->title);
    tare_buf_printf(f->to, "</title>\n<desc id=\"%sd\">", f->prefix);
    tare_plot_xml(f->to, f->plot->text ? f->plot->text : f->plot->caption ? f->plot->caption : "");
    tare_buf_add_str(f->to, "</desc>\n");
}

/* One of the swaps, or NULL. Only inside of tags: text has no '<' and its quotes are entities or plain. */
static const struct swap *swap_at(const struct finish *f, const char *p, const char *end)
{
    static const struct swap swaps[] = {
        {"id=\"gnuplot_canvas\"", "", NULL, false},
        {"color=\"black\"", "", NULL, true},
        {"color=\"gray\"", "", NULL, true},
        {"stroke='black'", "", NULL, true},
        {"stroke=\"black\"", "stroke=\"currentColor\"", NULL, true},
        {"stroke='rgb(  0,   0,   0)'", "stroke='currentColor'", NULL, true},
        {"stroke=\"rgb(  0,   0,   0)\"", "stroke=\"currentColor\"", NULL, true},
        {"fill=\"black\"", "fill=\"currentColor\"", NULL, true},
        {"fill=\"rgb(0,0,0)\"", "fill=\"currentColor\"", NULL, true},
        {"fill=\"rgb(106,106,106)\"", "fill=\"currentColor\" fill-opacity=\"0.75\"", NULL, true},
        {"fill = 'black'", "fill='currentColor'", NULL, true},
        {"<filter", "", "</filter>", false},
        {"<rect x=\"0\" y=\"0\"", "", "/>", true},
    };
    for (size_t i = 0; i < sizeof swaps / sizeof *swaps; i++) {
        if (begins(p, end, swaps[i].from) && (f->form || !swaps[i].inlined_only)) {
            return &swaps[i];
        }
    }
    return NULL;
}

static const char *after(const char *p, const char *end, const char *word)
{
    const char *found = memmem(p, (size_t)(end - p), word, strlen(word));
    return found ? found + strlen(word) : end;
}

/* An id or a reference to one: its name begins here. */
static bool names_id(const char *p, const char *end)
{
    return begins(p, end, "id='") || begins(p, end, "id=\"") || begins(p, end, "href='#") ||
           begins(p, end, "url(#");
}

/* Tabs, and lines that are empty, are for nobody. */
static bool is_idle(const char *p, const char *end)
{
    return *p == '\t' || (*p == '\n' && p + 1 < end && p[1] == '\n');
}

/* Up to its name, which the prefix begins. Returns the name. */
static const char *put_id(const struct finish *f, const char *p, const char *end)
{
    size_t n = strcspn(p, "'\"#") + (begins(p, end, "href='#") ? 2 : 1);
    tare_buf_add(f->to, p, n);
    tare_buf_add_str(f->to, f->prefix);
    return p + n;
}

static void put_body(const struct finish *f, const char *p, const char *end)
{
    bool in_tag = false;
    while (p < end) {
        const struct swap *swap = *p == '<' || in_tag ? swap_at(f, p, end) : NULL;
        bool is_text = *p == '>' && !in_tag; /* gnuplot leaves it as it is, and "]]>" must not be */
        in_tag = *p == '<' || (in_tag && *p != '>');
        if (swap) {
            tare_buf_add_str(f->to, swap->to);
            in_tag = in_tag && !swap->skip_to;
            p = swap->skip_to ? after(p, end, swap->skip_to) : p + strlen(swap->from);
        } else if (in_tag && names_id(p, end)) {
            p = put_id(f, p, end);
        } else {
            tare_buf_add(f->to, is_text ? "&gt;" : p, is_text ? 4 : is_idle(p, end) ? 0 : 1);
            p++;
        }
    }
}

int tare_svg_finish(const struct tare_plot *plot, const char *svg, size_t n, enum tare_plot_form form,
                    struct tare_buf *to, struct tare_err *err)
{
    const char *end = svg + n;
    const char *head = memmem(svg, n, "<svg", 4), *body = memmem(svg, n, "</desc>", 7);
    if (!head || !body) {
        return tare_err_set(err, TARE_E_FORMAT, "gnuplot wrote an SVG of an unknown form");
    }
    struct finish f = {.plot = plot, .to = to, .form = form};
    (void)snprintf(f.prefix, sizeof f.prefix, "p%" PRIx64 "-", hash(svg, n));
    put_head(&f, head, body);
    put_body(&f, body + 7, end);
    return tare_buf_check(to, "plot", err);
}

/* The picture, with its caption as a macro; without the date, so that equal plots are equal files. */
static void finish_tikz(const struct tare_plot *plot, const char *tikz, struct tare_buf *to)
{
    tare_buf_add_str(to,
                     "% Needs \\usepackage{gnuplot-lua-tikz}, which comes with gnuplot. After \\input, use\n"
                     "% \\caption{\\tareplotcaption}: it says what bars and bands are.\n"
                     "\\providecommand\\tareplotcaption{}\\renewcommand\\tareplotcaption{");
    tare_plot_tex(to, plot->caption ? plot->caption : "");
    tare_buf_add_str(to, "}%\n");
    while (*tikz) {
        size_t n = strcspn(tikz, "\n");
        if (strncmp(tikz, "%%", 2) != 0) {
            tare_buf_add(to, tikz, n);
            tare_buf_add_str(to, "\n");
        }
        tikz += n + (tikz[n] == '\n');
    }
}

static int finish(const struct tare_plot *plot, enum tare_plot_format format, enum tare_plot_form form,
                  char *made, size_t n_made, char **out, size_t *out_n, struct tare_err *err)
{
    struct tare_buf to;
    if (format == TARE_PLOT_PDF || format == TARE_PLOT_PNG) {
        *out = made;
        *out_n = n_made;
        return 0;
    }
    tare_buf_init(&to, 1 << 28);
    int r = 0;
    if (format == TARE_PLOT_TIKZ) {
        finish_tikz(plot, made, &to);
    } else {
        r = tare_svg_finish(plot, made, n_made, form, &to, err);
    }
    r = r == 0 ? tare_buf_check(&to, "plot", err) : r;
    if (r == 0) {
        *out_n = to.used;
        *out = tare_buf_take(&to);
    }
    tare_buf_fini(&to);
    free(made);
    return r;
}

static int render(const struct tare_plot *plot, enum tare_plot_format format, enum tare_plot_form form,
                  char **out, size_t *out_n, struct tare_err *err)
{
    struct tare_buf script;
    char *made = NULL;
    size_t n_made = 0;
    tare_buf_init(&script, 1 << 28);
    int r = tare_plot_script(plot, format, form, &script, err);
    if (r == 0 && format == TARE_PLOT_SCRIPT) {
        *out_n = script.used;
        *out = tare_buf_take(&script);
    } else if (r == 0) {
        r = tare_gnuplot_run(tare_buf_str(&script), script.used, format, &made, &n_made, err);
        r = r == 0 ? finish(plot, format, form, made, n_made, out, out_n, err) : r;
    }
    tare_buf_fini(&script);
    return r;
}

int tare_plot_render(const struct tare_plot *plot, enum tare_plot_format format, char **out, size_t *out_n,
                     struct tare_err *err)
{
    return render(plot, format, TARE_FORM_FILE, out, out_n, err);
}

int tare_plot_svg(const struct tare_plot *plot, char **svg, struct tare_err *err)
{
    size_t n = 0;
    return render(plot, TARE_PLOT_SVG, TARE_FORM_PAGE, svg, &n, err);
}

int tare_plot_picture(const struct tare_report_input *in, const char *what, struct tare_table_picture *out,
                      struct tare_err *err)
{
    struct tare_plot plot;
    char *svg = NULL;
    size_t n = 0;
    int r = tare_plot_build(in, what, &plot, err);
    r = r == 0 ? render(&plot, TARE_PLOT_SVG, TARE_FORM_BARE, &svg, &n, err) : r;
    char *title = r == 0 ? strdup(plot.title) : NULL;
    char *text = r == 0 ? strdup(plot.text ? plot.text : plot.caption) : NULL;
    if (r == 0 && (!title || !text)) {
        r = tare_err_set(err, TARE_E_NOMEM, "plot: out of memory");
    }
    if (r == 0) {
        *out = (struct tare_table_picture){title, text, svg};
    } else {
        free(title);
        free(text);
        free(svg);
    }
    tare_plot_fini(&plot);
    return r;
}

/* They are ours, whatever the table may do with them. */
static void release(const char *text)
{
    free((char *)(uintptr_t)text);
}

void tare_plot_picture_fini(struct tare_table_picture *picture)
{
    release(picture->title);
    release(picture->text);
    release(picture->svg);
    memset(picture, 0, sizeof *picture);
}
