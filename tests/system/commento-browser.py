"""Comments as a reader meets them: a real browser, a blog on another domain over HTTPS, and the pages of a bad moment."""

import contextlib
import io
import re

import pytest
from PIL import Image

from machine import Site, started_site
from machine.blog import blog
from machine.browser import Browser

BLOG = "blog.example.test"
PAGES = "/usr/share/commento-stack/pages"
STATIC = "/var/lib/commento-stack/static"
ENOUGH = 4.5  # WCAG 2.1, 1.4.3


@pytest.fixture(scope="module")
def front():
    """One site for all tests of this file, with a blog and its first comment."""
    with started_site() as site:
        site.comments().register(BLOG)
        site.comments().post_comment("the first comment", BLOG)
        yield site


@contextlib.contextmanager
def reader(site: Site, place):
    """A browser for whom the comment server and a blog that embeds it are there, as `commentoctl embed` says."""
    snippet = site.machine.run(["commentoctl", "embed"]).stdout
    with blog(site.machine, BLOG, snippet, place) as (address, certificate):
        names = {f"{BLOG}:443": address, f"{site.domain}:443": f"{site.machine.address}:443"}
        with Browser(site.machine.network, names, [site.pebble.root(), certificate]) as browser:
            yield browser


def visitor(site: Site) -> Browser:
    """A browser for whom only the comment server is there."""
    return Browser(site.machine.network, {f"{site.domain}:443": f"{site.machine.address}:443"}, [site.pebble.root()])


def shows(browser: Browser, text: str) -> None:
    browser.wait_for(f"(document.getElementById('commento')?.innerText ?? '').includes('{text}')")


def post(browser: Browser, text: str) -> None:
    browser.wait_for("document.getElementById('commento-textarea-root') !== null")
    browser.value("document.getElementById('commento-textarea-root').focus()")
    browser.value(f"document.getElementById('commento-textarea-root').value = '{text}'")
    browser.value("document.getElementById('commento-anonymous-checkbox-root').checked = true")
    browser.value("document.getElementById('commento-submit-button-root').click()")


def test_a_reader_posts_on_a_page_of_another_domain_and_sees_it_again_without_a_complaint_of_the_browser(front, tmp_path):
    with reader(front, tmp_path) as browser:
        browser.show(f"https://{BLOG}/first-post")
        shows(browser, "the first comment")
        browser.wait_for("getComputedStyle(document.getElementById('commento')).length > 0 && document.styleSheets.length > 0")
        post(browser, "posted by a real browser")
        shows(browser, "posted by a real browser")

        browser.show(f"https://{BLOG}/first-post")
        shows(browser, "posted by a real browser")

    assert browser.complaints == []
    assert set(browser.sockets) <= {101}
    assert {address.split("/")[0] for address in browser.requests} <= {"https:", "data:"}  # of inline pictures
    assert any("posted by a real browser" in html for html in front.comments().list_comments(BLOG))


def test_while_the_application_is_away_the_widget_says_so_and_works_again_afterwards(front, tmp_path):
    with reader(front, tmp_path) as browser:
        front.machine.run(["systemctl", "stop", "commento.service"])
        browser.show(f"https://{BLOG}/first-post")
        browser.wait_for("(document.getElementById('commento-error')?.innerText ?? '').includes('restarted')")
        post(browser, "written in a bad moment")
        browser.wait_for("document.getElementById('commento-textarea-root').value === 'written in a bad moment'")
        assert [complaint for complaint in browser.complaints if complaint.startswith(("exception", "mixed"))] == []

        front.machine.run(["systemctl", "start", "commento.service"])
        browser.value("document.getElementById('commento-submit-button-root').click()")
        shows(browser, "written in a bad moment")
        browser.complaints.clear()
        browser.show(f"https://{BLOG}/first-post")
        shows(browser, "written in a bad moment")

    assert browser.complaints == []


def test_without_the_script_a_page_that_embeds_comments_is_as_it_is(front, tmp_path):
    front.machine.run(["systemctl", "stop", "commento.service"])
    front.machine.run(["rm", "-rf", f"{STATIC}/live"])
    with reader(front, tmp_path) as browser:
        browser.show(f"https://{BLOG}/first-post")
        browser.wait_for("document.readyState === 'complete'")
        assert browser.value("document.querySelector('h1').innerText") == "A post"
        assert [complaint for complaint in browser.complaints if complaint.startswith(("exception", "mixed"))] == []

        front.machine.run(["systemctl", "start", "commento.service"])
        browser.show(f"https://{BLOG}/first-post")
        shows(browser, "the first comment")


def test_the_dashboard_loads_without_a_complaint_of_the_browser_and_not_in_a_frame(front):
    with visitor(front) as browser:
        for page in ("/login", "/signup", "/forgot"):
            browser.show(f"https://{front.domain}{page}")
            browser.wait_for("document.readyState === 'complete'")

        assert browser.complaints == []
        browser.value(f"document.body.append(Object.assign(document.createElement('iframe'), {{src: 'https://{front.domain}/login'}}))")
        front.machine.wait_until("the refusal of the frame", lambda: browser.value("true") and any(
            "ERR_BLOCKED_BY_RESPONSE" in complaint for complaint in browser.complaints))


# What a page asks for, fifty times a second, and what becomes of it. Of nginx' former workers, one may take the connection
# that a browser opens because another has just closed his, and close it, too: then the browser gives up, and the page asks
# again.
ASK = """
asked = {number: 0, answered: 0, again: 0, failed: []};
ask = async (number) => {
  const kind = ['list', 'count', 'new', 'list', 'count'][number % 5], path = kind === 'new' ? '/h2-' + number % 50 : '/first-post';
  const body = JSON.stringify({domain: 'BLOG', path, paths: [path], commenterToken: 'anonymous', anonName: '',
                               parentHex: 'root', markdown: 'comment ' + number});
  const post = () => fetch('/api/comment/' + kind, {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
  try {
    const answer = await post().catch(() => { asked.again += 1; return post(); });
    if (answer.status !== 200 || !(await answer.json()).success)
      throw answer.status;
    asked.answered += 1;
  } catch (fault) {
    asked.failed.push(kind + ': ' + fault);
  }
};
setInterval(() => ask(asked.number++), 20);
""".replace("BLOG", BLOG)
PROTOCOLS = """[...new Set(performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/api/comment/')
  && entry.nextHopProtocol).map((entry) => entry.nextHopProtocol))]"""


def test_over_http_2_a_page_gets_its_answers_while_the_application_is_changed_over(front):
    front.restart(RATE_LIMITS="false")
    with visitor(front) as browser:
        browser.show(f"https://{front.domain}/login")
        browser.wait_for("document.readyState === 'complete'")
        browser.value(ASK)
        browser.wait_for("asked.answered > 100")

        front.machine.run(["commentoctl", "restart"], timeout=120)

        browser.wait_for(f"asked.answered > {browser.value('asked.answered') + 100}")
        assert browser.value("asked.failed") == []
        assert browser.value(PROTOCOLS) == ["h2"]


# --- how the page of a bad moment looks ---

# Of each text on the page: its colour, the colour behind it, and whether all of it is to be seen.
TEXTS = """(() => {
  const solid = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('h1, p, a')].map((element) => {
    const box = element.getBoundingClientRect();
    return {text: element.innerText, ink: getComputedStyle(element).color, paper: solid(element),
            size: parseFloat(getComputedStyle(element).fontSize),
            whole: box.left >= 0 && box.right <= innerWidth && element.scrollWidth <= element.clientWidth + 1
                   || getComputedStyle(element).display === 'inline' && box.left >= 0 && box.right <= innerWidth};
  });
})()"""


def brightness(colour: tuple[int, ...]) -> float:
    """Relative luminance (WCAG 2.1), from 0 to 1."""
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    high, low = sorted((brightness(one), brightness(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def colour_of(css: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", css)[:3])


@contextlib.contextmanager
def application_away(site: Site):
    site.machine.run(["systemctl", "stop", "commento.service"])
    site.machine.run(["rm", "-rf", f"{STATIC}/live"])
    try:
        yield
    finally:
        site.machine.run(["systemctl", "restart", "commento.target"], timeout=120)


def check_looks(browser: Browser, picture: Image.Image, width: int, dark: bool) -> None:
    assert browser.value("document.documentElement.scrollWidth") <= width
    texts = browser.value(TEXTS)
    assert len(texts) >= 2 and all(text["text"] and text["whole"] and text["size"] >= 16 for text in texts), texts
    for text in texts:
        assert contrast(colour_of(text["ink"]), colour_of(text["paper"])) >= ENOUGH, text

    paper = picture.getpixel((2, 2))
    assert (brightness(paper) < 0.05) == dark and (brightness(paper) > 0.8) == (not dark), paper
    # What is drawn and not only meant: the strongest ink of the picture stands out from its paper.
    inks = [colour for _, colour in picture.getcolors(1 << 24)]
    assert max(contrast(ink, paper) for ink in inks) >= 12


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_of_a_bad_moment_is_readable_on_phones_and_desks_in_light_and_dark(front, tmp_path, dark):
    with application_away(front), visitor(front) as browser:
        for width, height in ((320, 568), (390, 844), (1280, 800)):
            browser.look(width, height, dark=dark)
            browser.requests.clear()
            browser.show(f"https://{front.domain}/login")
            browser.wait_for("document.readyState === 'complete' && document.querySelector('h1') !== null")
            assert browser.value("document.querySelector('h1').innerText") == "Back in a moment"
            content = browser.picture()
            (tmp_path / f"503-{width}.png").write_bytes(content)
            check_looks(browser, Image.open(io.BytesIO(content)).convert("RGB"), width, dark)
            elsewhere = {address for address in browser.requests if not address.startswith("data:")}
            assert elsewhere == {f"https://{front.domain}/login"}

        assert [complaint for complaint in browser.complaints if "status of 503" not in complaint] == []


def test_the_page_of_a_bad_moment_leads_back_by_itself(front):
    with visitor(front) as browser:
        with application_away(front):
            browser.show(f"https://{front.domain}/login?came=back")
            browser.wait_for("document.querySelector('h1')?.innerText === 'Back in a moment'")

        browser.wait_for("location.protocol === 'https:' && document.readyState === 'complete'"
                         " && document.querySelector('h1')?.innerText !== 'Back in a moment'")
        assert browser.value("location.pathname + location.search") == "/login?came=back"


@pytest.mark.parametrize("status", [404, 429])
def test_the_other_pages_look_alike(front, tmp_path, status):
    page = front.machine.read(f"{PAGES}/{status}.html")
    place = tmp_path / f"{status}.html"
    place.write_text(page)
    with Browser(front.machine.network, {}, []) as browser:
        for dark in (False, True):
            browser.look(320, 568, dark=dark)
            browser.show(place.as_uri())
            browser.wait_for("document.readyState === 'complete'")
            content = browser.picture()
            check_looks(browser, Image.open(io.BytesIO(content)).convert("RGB"), 320, dark)
        assert browser.complaints == []
