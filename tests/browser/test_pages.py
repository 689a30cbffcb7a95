"""Every kind of report in a real browser: complete, quiet, readable, and reached by keyboard."""

from __future__ import annotations

import itertools

import pytest

from bayesmed.report.great import MANY_WORDS
from bayesmed.report.plain import plain
from tests.browser.conftest import NARROW, WIDE, Shown
from tests.browser.reports import KINDS, SCRIPT

pytestmark = pytest.mark.browser

# Text on what is behind it: ratios of relative luminance, as WCAG 2 defines them.
CONTRAST = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number);
                       return m.length > 3 ? m : [...m, 1]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const light = c => { const f = c.slice(0, 3).map(v => v / 255).map(
      v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const page = parse(getComputedStyle(document.body).backgroundColor);
  const behind = e => { const found = [];
    for (; e; e = e.parentElement) found.unshift(parse(getComputedStyle(e).backgroundColor));
    return found.reduce((under, c) => over(c, under), page); };
  const bad = []; let count = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, style = getComputedStyle(e);
    if (!walk.currentNode.data.trim() || !e.getClientRects().length) continue;
    if (e.closest('.skip, style')) continue;
    const drawn = e.namespaceURI.endsWith('svg');
    const ground = behind(e), ink = parse(drawn ? style.fill : style.color);
    if (drawn) ink[3] *= Number(style.opacity);
    const [a, b] = [light(over(ink, ground)), light(ground)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05); count += 1;
    if (ratio < 4.5) bad.push([ratio.toFixed(2), walk.currentNode.data.trim().slice(0, 40)]);
  }
  return {bad, count};
}"""


def test_a_page_asks_for_nothing_and_complains_of_nothing(shown: Shown) -> None:
    assert shown.messages == []
    assert shown.dialogs == []
    assert [url for url in shown.requests if not url.startswith("file:")] == []
    assert len(set(shown.requests)) == 1


@pytest.mark.parametrize("width", [320, NARROW, 768, WIDE])
def test_nothing_scrolls_sideways_but_boxes_made_for_it(shown: Shown, width: int) -> None:
    shown.page.set_viewport_size({"width": width, "height": 900})
    over = shown.ask(
        """() => [document.documentElement.scrollWidth - innerWidth,
        [...document.querySelectorAll('body *')].filter(e =>
          e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .skip'))
          .map(e => e.outerHTML.slice(0, 80))]"""
    )
    assert over == [0, []]


def test_every_picture_is_drawn_and_says_what_it_shows(shown: Shown) -> None:
    shown.page.set_viewport_size({"width": NARROW, "height": 900})
    drawn = shown.ask(
        """async () => Promise.all([...document.querySelectorAll('svg, img')].map(async e => {
        const box = e.getBoundingClientRect(), images = [...e.querySelectorAll('image')];
        const wide = await Promise.all(images.map(async i => {
          const one = new Image(); one.src = i.getAttribute('href');
          await one.decode(); return one.naturalWidth; }));
        return {width: box.width, height: box.height, pixels: wide,
                shapes: [...e.querySelectorAll('path, use, text')]
                  .filter(s => s.getBoundingClientRect().width > 0).length,
                role: e.getAttribute('role'),
                said: e.getAttribute('aria-label') || e.getAttribute('alt') || ''}; }))"""
    )
    assert len(drawn) == len(shown.content.pictures) > 0
    for picture in drawn:
        assert min(picture["width"], picture["height"]) > 80
        assert picture["shapes"] > 5
        assert all(width > 0 for width in picture["pixels"])
        assert picture["role"] == "img"
        assert len(picture["said"]) > 30


def test_headings_begin_with_one_title_and_skip_no_level(shown: Shown) -> None:
    levels = shown.ask(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => +e.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    titles = shown.ask("[...document.querySelectorAll('h2')].map(e => e.textContent)")
    assert [plain(s.title) for s in shown.content.sections] == titles[
        -len(shown.content.sections) :
    ]


def test_the_tab_key_reaches_everything_in_the_order_of_the_page(shown: Shown) -> None:
    shown.page.set_viewport_size({"width": WIDE, "height": 900})
    shown.page.reload()
    wanted = shown.ask(
        """() => { const all = [...document.querySelectorAll('a[href], button, [tabindex="0"]')];
        all.forEach((e, i) => { e.dataset.order = i; }); return all.length; }"""
    )
    assert wanted > 4
    reached = []
    for _ in range(wanted):
        shown.page.keyboard.press("Tab")
        reached.append(
            shown.ask(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                const r = e.getBoundingClientRect();
                return [Number(e.dataset.order), s.outlineStyle !== 'none' &&
                        parseFloat(s.outlineWidth) >= 2, r.right > 0 && r.bottom > 0]; }"""
            )
        )
    assert reached == [[i, True, True] for i in range(wanted)]


def test_the_first_link_skips_to_the_answer(shown: Shown) -> None:
    shown.page.reload()
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Enter")
    assert shown.ask("document.activeElement.id") == "main"


def test_a_box_that_scrolls_does_so_by_keyboard_and_has_a_name(shown: Shown) -> None:
    shown.page.set_viewport_size({"width": NARROW, "height": 900})
    unnamed = shown.ask(
        """() => [...document.querySelectorAll('*')].filter(e => {
          const s = getComputedStyle(e);
          return ['auto', 'scroll'].includes(s.overflowX) && e.scrollWidth > e.clientWidth + 1 &&
            !(e.tabIndex === 0 && e.getAttribute('aria-label') && e.getAttribute('role')); })
          .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(shown: Shown, scheme: str, width: int) -> None:
    shown.page.set_viewport_size({"width": width, "height": 900})
    shown.page.emulate_media(color_scheme=scheme, media="screen")
    found = shown.ask(CONTRAST)
    dark = shown.ask("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 28)"
    shown.page.emulate_media(color_scheme="light")
    assert dark == (scheme == "dark")
    assert found["count"] > 50
    assert found["bad"] == []


def test_faint_text_would_be_found(shown: Shown) -> None:
    shown.page.evaluate(
        """() => { const p = document.createElement('p'); p.id = 'faint'; p.style.color = '#999';
        p.textContent = 'faint'; document.body.append(p);
        const t = document.querySelector('svg text').cloneNode(true); t.id = 'drawn';
        t.textContent = 'drawn'; t.style.fill = '#bbb';
        document.querySelector('svg text').after(t); }"""
    )
    bad = [text for _, text in shown.ask(CONTRAST)["bad"]]
    shown.page.evaluate(
        "() => ['faint', 'drawn'].forEach(i => document.getElementById(i).remove())"
    )
    assert sorted(bad) == ["drawn", "faint"]


def test_print_shows_everything_in_dark_ink_on_white(shown: Shown) -> None:
    shown.page.set_viewport_size({"width": 700, "height": 900})
    shown.page.emulate_media(media="print", color_scheme="dark")
    found = shown.ask(CONTRAST)
    ground = shown.ask("getComputedStyle(document.body).backgroundColor")
    hidden = shown.ask(
        """() => [...document.querySelectorAll('section, table, td, th, svg, p, li, figcaption')]
        .filter(e => !e.closest('nav') && (!e.getClientRects().length ||
                e.getBoundingClientRect().height === 0)).map(e => e.outerHTML.slice(0, 80))"""
    )
    clipped = shown.ask(
        """() => [...document.querySelectorAll('.scroll')].filter(e =>
        getComputedStyle(e).overflowX !== 'visible').length"""
    )
    wide = shown.ask("document.documentElement.scrollWidth - innerWidth")
    pages = shown.page.pdf(format="A4")
    shown.page.emulate_media(media="screen", color_scheme="light")
    assert ground == "rgb(255, 255, 255)"
    assert (found["bad"], hidden, clipped) == ([], [], 0)
    assert wide <= 0
    assert pages.startswith(b"%PDF")


def test_hostile_names_are_text(shown: Shown) -> None:
    elements = shown.ask(
        """() => ({scripts: document.scripts.length,
        images: document.querySelectorAll('img, iframe, object, embed, form').length,
        bold: document.querySelectorAll('main b, main i, h1 b').length,
        handlers: [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())
          .filter(n => n.startsWith('on')),
        away: [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))
          .filter(h => !h.startsWith('#'))})"""
    )
    assert elements == {"scripts": 0, "images": 0, "bold": 0, "handlers": [], "away": []}
    text = shown.ask("document.body.textContent")
    title = shown.ask("document.querySelector('h1').textContent")
    assert title == plain(shown.content.title)
    if any(SCRIPT in cell for t in shown.content.tables for row in t.rows for cell in row):
        assert SCRIPT in text


def test_cells_are_named_by_row_and_column(shown: Shown) -> None:
    tables = shown.ask(
        """() => [...document.querySelectorAll('table')].map(t => ({
        caption: t.caption?.textContent ?? '',
        columns: t.tHead.querySelectorAll('th[scope="col"]').length,
        widths: [...new Set([...t.tBodies[0].rows].map(r => r.cells.length))],
        rows: [...t.tBodies[0].rows].every(r => r.cells[0].scope === 'row')}))"""
    )
    expected = [plain(t.caption) for t in shown.content.tables]
    assert [t["caption"] for t in tables][-len(expected) :] == expected
    for table in tables:
        assert table["rows"]
        assert table["widths"] == [table["columns"]]


def test_words_are_read_without_sideways_scrolling_on_a_phone(shown: Shown) -> None:
    shown.page.set_viewport_size({"width": NARROW, "height": 900})
    stacked = shown.ask(
        """() => [...document.querySelectorAll('table.stack')].map(t => [
        t.scrollWidth <= t.parentElement.clientWidth,
        [...t.querySelectorAll('td')].every(c =>
          getComputedStyle(c, '::before').content.length > 3)])"""
    )
    many = sum(len(t.texts) >= MANY_WORDS for t in shown.content.tables)
    assert stacked == [[True, True]] * many


def test_every_kind_of_report_is_here() -> None:
    assert len(KINDS) == 10
