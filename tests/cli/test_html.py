# SPDX-License-Identifier: Apache-2.0
"""The HTML format in a browser: it complains of nothing, sorts, filters, explains, obeys the keyboard, and has no
accessibility violation that axe-core can find, in light and in dark."""
import os
import re
import shutil
import subprocess

from browser import Browser, axe_source
from clilib import Skip, contains, equal, is_sanitized, main, null, tare, true, wait_until, write_plan

HOSTILE = "<img src=x onerror=alert(1)> & \"quotes\" 'too' </script> \u6de1"
ENTER, ESCAPE, TAB, SPACE, DOWN = "\ue007", "\ue00c", "\ue004", " ", "\ue015"

# The texts of a column, as they stand; hidden rows left out.
COLUMN = """const i = [...document.querySelectorAll('thead tr:last-child th')].findIndex(
  th => th.dataset.name.startsWith(arguments[0]));
return [...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).map(r => r.cells[i].textContent);"""
HEAD = """return [...document.querySelectorAll('thead tr:last-child th')].find(
  th => th.dataset.name.startsWith(arguments[0]))"""
VISIBLE = "return [...document.querySelectorAll('tbody tr')].filter(r => r.checkVisibility()).length"
COUNT = "return document.getElementById('count').textContent"


def golden(name):
    return os.path.join(os.environ["TARE_SOURCE_ROOT"], "tests", "golden", name)


def make_run(db):
    plan = write_plan("plan.json", [null(HOSTILE)], [{"task": "tokens", "options": {"items": 2}}], name=HOSTILE,
                      repeats=2)
    tare("run", plan, "--db", db, "--format", "csv")


def sort_by(browser, name):
    browser.run(HEAD + ".querySelector('button').click()", name)
    return browser.run(COLUMN, name), browser.run(HEAD + ".getAttribute('aria-sort')", name)


def in_browser():
    if is_sanitized():
        raise Skip("the page is the same in every build, and the sanitizers see it made in cli_cli")
    return Browser()


def check_sorting(browser):
    """Numbers by their value, whatever their scale; what is absent last in both directions."""
    plain = browser.run(COLUMN, "TTFT")
    up, state = sort_by(browser, "TTFT")
    equal(state, "ascending", "aria-sort")
    first = [re.match(r"[0-9.e+]*", text).group() for text in up]
    equal(first[:5], ["9.88", "11.11", "12.35", "100.50", "1.0e+294"], "upwards")
    contains(browser.run(COUNT), "sorted by TTFT p50", "what is announced")
    down, state = sort_by(browser, "TTFT")
    equal(state, "descending", "aria-sort")
    equal(down[:5], up[4::-1], "downwards")
    equal(down[5:], up[5:], "what has no value")
    true(all(not text[:1].isdigit() for text in up[5:]), f"values among the absent: {up}")
    again, state = sort_by(browser, "TTFT")
    equal((again, state), (plain, "none"), "the third press")
    weights = [(text.split() or [""])[0] for text in sort_by(browser, "Weights")[0]]
    equal(weights[:4], ["0.0", "9.5e-07", "13.0", "26.0best"], "another column, upwards")
    texts = sort_by(browser, "Bits")[0]
    equal(texts[:4], ["4", "8", "16", "16"], "numbers in texts")
    browser.run(HEAD + ".querySelector('button').click()", "Bits")
    browser.run(HEAD + ".querySelector('button').click()", "Bits")


def check_groups(browser):
    """Texts that span rows are in each row once rows may move."""
    equal(browser.run(COLUMN, "Group")[:5], ["", "Compression", "Compression", "Compression", "S_q & | <c>"], "groups")
    equal(browser.run("return document.querySelectorAll('[rowspan]').length"), 0, "cells that span rows")


def check_filters(browser):
    """Search, choices, outcome and range hide rows and say how many are left."""
    equal(browser.run(COUNT), "10 of 10 rows shown", "the count at first")
    browser.type("#search", "gptq")
    wait_until(lambda: browser.run(VISIBLE) == 1, "a search")
    equal(browser.run(COUNT), "1 of 10 rows shown", "the count of a search")
    equal(browser.run("return document.getElementById('count').getAttribute('aria-live')"), "polite", "aria-live")
    browser.click("#filters button[type=reset]")
    wait_until(lambda: browser.run(VISIBLE) == 10, "cleared filters")
    choose = """const label = [...document.querySelectorAll('#filters label')].find(l => l.firstChild.data === arguments[0]);
                const control = label.querySelector('select, input'); control.value = arguments[1];
                control.dispatchEvent(new Event('input', {bubbles: true}));"""
    for label, value, rows in (("Group", "=Compression", 3), ("Outcome in any cell", "CRASH", 1),
                               ("Outcome in any cell", "INVALID", 1), ("Bits", "=16", 5)):
        browser.run(choose, label, value)
        equal(browser.run(VISIBLE), rows, f"rows with {label} {value}")
        browser.run(choose, label, "*")
    column = browser.run("return [...document.querySelectorAll('#filters option')].find("
                         "o => o.textContent.startsWith('TTFT')).value")
    browser.run(choose, "Range of", column)
    browser.run(choose, "from", "10")
    browser.run(choose, "to", "12.4")
    equal(browser.run(COLUMN, "Method"), ["dense", "Mamba-\u6de1 \u00e9"], "rows from 10 to 12.4 ms")
    browser.click("#filters button[type=reset]")
    wait_until(lambda: browser.run(VISIBLE) == 10, "cleared filters")


def check_keyboard(browser):
    """Without a mouse: sort, read where a value comes from, come back."""
    browser.run(HEAD + ".querySelector('button').focus()", "MQAR")
    browser.press(ENTER)
    equal(browser.run(HEAD + ".getAttribute('aria-sort')", "MQAR"), "ascending", "after Enter")
    browser.press(SPACE)
    equal(browser.run(HEAD + ".getAttribute('aria-sort')", "MQAR"), "descending", "after Space")
    browser.press(SPACE)
    browser.run("document.querySelector('td a[href^=\"#o\"] b').parentNode.focus()")
    browser.press(ENTER)
    true(browser.run("return document.getElementById('details').open"), "Enter on a value opens its details")
    told = browser.run("return document.querySelector('#details dl').textContent")
    for part in ("measured", "score requests", "512 items", "Method", "percentile bootstrap over items", "1.21 to 1.259",
                 "1.2345 bit/B", "95 %", "best", "not judged"):
        contains(told, part, "the details")
    browser.press(ESCAPE)
    true(not browser.run("return document.getElementById('details').open"), "Escape closes them")
    true(browser.run("return document.activeElement.hash.startsWith('#o')"), "the focus is back on the value")
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    equal(outline, "solid", "the focus is seen")


def check_colours(browser):
    """The system's wish at first, then the reader's."""
    paper = "return getComputedStyle(document.body).backgroundColor"
    pressed = "return document.getElementById('theme').getAttribute('aria-pressed')"
    browser.prefer("light")
    light = browser.run(paper)
    browser.prefer("dark")
    dark = browser.run(paper)
    true(light != dark, f"one colour for both: {light}")
    equal(browser.run(pressed), "true", "the button in the dark")
    browser.click("#theme")
    equal((browser.run(paper), browser.run(pressed)), (light, "false"), "after the button")
    browser.click("#theme")
    equal((browser.run(paper), browser.run(pressed)), (dark, "true"), "after the button again")
    browser.run("delete document.documentElement.dataset.theme; localStorage.clear()")


def test_page_behaves():
    with in_browser() as browser:
        browser.open(golden("table.html"))
        check_groups(browser)
        check_sorting(browser)
        check_filters(browser)
        check_keyboard(browser)
        check_colours(browser)
        equal(browser.run("return document.querySelector('figure svg title').textContent"), "Loss & latency",
              "the title of a picture")
        equal(browser.run("return document.querySelectorAll('script').length"), 1, "scripts of the page")
        equal(browser.console(), [], "what the browser complains of")


def test_paper_has_all_columns():
    """What scrolls on a screen is not cut off on paper; what cannot be pressed there is left out."""
    if not shutil.which("pdftotext"):
        raise Skip("no pdftotext here")
    with in_browser() as browser:
        browser.open(golden("table.html"))
        browser.paper("page.pdf")
    done = subprocess.run(["pdftotext", "-layout", "page.pdf", "-"], capture_output=True, check=True, timeout=60)
    text = done.stdout.decode()
    for part in ("Method", "Remark", "pipe and", "9.88", "INVALID", "killed at 2 GiB in load"):
        contains(text, part, "the paper")
    for part in ("Search", "Clear filters", "Dark colours"):
        true(part not in text, f"{part} on paper")


def test_page_without_script():
    """A plain table with footnotes and links that lead somewhere."""
    with in_browser() as browser:
        browser.script(False)
        browser.open(golden("table.html"))
        text = browser.on("GET", f"/element/{browser.find('main')}/text")
        for part in ("RTN int8", "9.88", "OOM", "killed at 2 GiB in load", "Where the values come from"):
            contains(text, part, "the page")
        true("Search" not in text, "controls that do nothing")
        with open(golden("table.html"), encoding="utf-8") as file:
            source = file.read()
        true("http://" not in source.replace("http://www.w3.org/2000/svg", "") and "https://" not in source,
             "the page names the network")


def test_run_is_accessible():
    """Both views of a run with a hostile name, and the fixed table: nothing that axe-core or the console tells."""
    axe = axe_source()
    make_run("h.db")
    pages = [golden("table.html")]
    for view in ("survey", "full"):
        tare("report", "h.db", "--view", view, "-f", "html", "-o", view + ".html")
        pages.append(view + ".html")
    with in_browser() as browser:
        for page in pages:
            browser.open(page)
            if page == "full.html":  # some of its rows: all are alike
                browser.type("#search", "cpu")
                wait_until(lambda: 5 < browser.run(VISIBLE) < 60, "a part of the rows")
            for scheme, rules in (("light", None), ("dark", ["color-contrast", "link-in-text-block"])):
                browser.prefer(scheme)
                equal(browser.violations(axe, rules), [], f"{os.path.basename(page)}, {scheme}")
            equal(browser.console(), [], f"{page}: what the browser complains of")
            equal(browser.run("return document.images.length"), 0, "images")
        contains(browser.run("return document.title"), "<img src=x", "the title")


def test_a_hundred_cells_are_small():
    """All figures of a hundred cells in less than 2 MB, and as a plain table all of them."""
    if is_sanitized():
        raise Skip("a page is as large in every build; the fast one looks at it")
    tasks = [{"task": name, "options": {"items": 1}} for name in ("tokens", "copy", "sort", "add")]
    plan = write_plan("plan.json", [null(f"model-number-{i}") for i in range(25)], tasks, name="hundred", repeats=1)
    tare("run", plan, "--db", "c.db", "--format", "csv")
    tare("report", "c.db", "--view", "full", "-f", "html", "-o", "full.html")
    rows = len(tare("report", "c.db", "--view", "full", "-f", "csv").out.splitlines()) - 1
    with open("full.html", encoding="utf-8") as file:
        page = file.read()
    equal(page.count("\n<tr>"), rows + 1, "rows of the page")  # and the headers
    true(rows > 10000, f"{rows} figures of a hundred cells")
    size = os.path.getsize("full.html")
    true(size < 2000000, f"{size} bytes for {rows} figures")


main(globals())
