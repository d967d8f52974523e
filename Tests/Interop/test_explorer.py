"""The pages at / in Debian's chromium: each view, hostile content, accessibility, weight, what is a click away. See docs: Explorer."""

import json
import pathlib
import random
import urllib.error
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe

import pages
from conftest import DONE
from pages import CONTRASTS, MOST_BYTES, NARROW, TOKEN, WIDE, Visit

HOSTILE = [
    (
        ["<script>alert(1)</script>", '" onmouseover="alert(2)', "'><img src=x onerror=alert(3)>", "</title><script>alert(4)</script>"],
        {
            "<b onclick=alert(5)>name</b>": "<script>alert(6)</script>",
            "quotes": "\"'`",
            "rtl": "abc\u202egnp.exe",
            "nul": "a\0b",
            "nested": {"list": [1, 2.5, None, True, {"x": "</textarea></style></script><script>alert(7)</script>"}]},
            "url": "javascript:alert(8)",
        },
    ),
    (
        ["\u202ertl", "a\0b", "\u2066isolate", "tab\tnew\nline", "zero\u200bwidth", "שלום", "&lt;", "%3Cscript%3E", "javascript:alert(9)"],
        {"html": "<svg onload=alert(10)><iframe srcdoc='<script>alert(11)</script>'>"},
    ),
    (["x" * 65_535], {"long": "y" * 100_000}),
    (["x" * 65_534 + "<"], {"long": "<" * 5_000}),
    ([{"$bin": "deadbeef00ff"}, {"$bin": "80"}], {"bytes": {"$bin": "00ff3c73"}}),
    *(([f"{kind}-{number}"], {"n": number, "kind": kind}) for kind in ("host", "user") for number in range(200)),
]


def networks(seed):
    """Blocks of five countries, as (network, country); those of 93.0.0.0/8 among them."""
    rng = random.Random(seed)
    blocks = {f"{first}.{second}.{third}.0/24" for first in range(80, 96) for second in range(12) for third in rng.sample(range(256), 8)}
    blocks |= {f"2001:{group:x}::/32" for group in range(0x100, 0x180)}
    return {block: rng.choice(["DE", "FR", "JP", "BR", "US"]) for block in sorted(blocks)} | {"93.184.216.0/24": "DE", "93.10.0.0/16": "DE"}


def by_country(mapping):
    found = {}
    for block, country in mapping.items():
        found.setdefault(country, []).append(block)
    return [(blocks, {"country": country, "source": {"registry": "test"}}) for country, blocks in found.items()]


@pytest.fixture(scope="module")
def files(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer")
    new = networks(1)
    old = {block: "FR" if number % 97 == 0 else country for number, (block, country) in enumerate(new.items()) if number % 50}

    def build(name, pairs, *options):
        path = folder / f"{name}.fsdb"
        command("build", "-o", path, "-", "-q", *options, stdin=pages.records(pairs), code=DONE)
        return path

    return {
        "geo": build("geo", by_country(new), "--meta", "built=2026-11-01T00:00:00Z", "--meta", "source=<b>registry</b>"),
        "older": build("older", by_country(old)),
        "hostile": build("hostile", HOSTILE, "--reverse-index"),
        "empty": build("empty", [], "--allow-empty"),
    }


@pytest.fixture(scope="module")
def base(command, files):
    with pages.serving(command, files) as address:
        yield address


@pytest.fixture(scope="module")
def program():
    with pages.browser() as program:
        yield program


VIEWS = {
    "files": "/",
    "overview": "/geo/",
    "find": "/geo/find?q=93.184.216.34",
    "help": "/geo/find",
    "tree": "/geo/tree",
    "block": "/geo/tree?in=93.0.0.0/8&field=country&value=DE",
    "shape": "/geo/shape",
    "change": "/geo/change?from=older",
    "verify": "/geo/verify",
    "absent": "/geo/find?key=absent",
    "empty": "/empty/",
    "hostile-find": "/hostile/find?q=%3Cscript%3Ealert(1)%3C/script%3E",
    "hostile-tree": "/hostile/tree",
    "hostile-binary": "/hostile/find?q=%DE%AD%BE%EF%00%FF",
    "hostile-shape": "/hostile/shape",
    "hostile-change": "/hostile/change?from=empty",
}


@pytest.fixture(scope="module")
def narrow(program, base):
    with Visit(program, base, NARROW, "dark") as visit:
        yield visit


@pytest.fixture(scope="module")
def wide(program, base):
    with Visit(program, base, WIDE, "light") as visit:
        yield visit


@pytest.fixture(scope="module")
def demo(command, tmp_path_factory):
    """The files of `make demo`, as it builds them of Debian's registries, and one of the day before; the address at which they are served."""
    folder = tmp_path_factory.mktemp("demo")
    share = pages.ROOT / "build" / "data" / "usr" / "share"
    ieee, tor = (share / name if (share / name).exists() else pathlib.Path("/usr/share") / name for name in ("ieee-data", "tor"))
    lines = (tor / "geoip").read_bytes().splitlines(keepends=True)
    (folder / "yesterday").write_bytes(b"".join(line.replace(b",DE", b",FR") for number, line in enumerate(lines) if number % 50))
    paths = {name: folder / f"{name}.fsdb" for name in ("oui", "geo", "yesterday")}
    tables = [ieee / f"{name}.csv" for name in ("oui", "mam", "oui36", "iab")]
    command(
        "build", "-q", paths["oui"], *tables, "--normalise", "mac", "--key-lengths", "--key", "Assignment", "--keep", "Organization Name", code=DONE
    )
    ranges = ("--format", "csv", "--skip-comments", "#", "--columns", "first,last,country", "--range", "first,last")
    command("build", "-q", paths["geo"], *ranges, tor / "geoip", tor / "geoip6", code=DONE)
    command("build", "-q", paths["yesterday"], *ranges, folder / "yesterday", tor / "geoip6", code=DONE)
    with pages.serving(command, paths) as address:
        yield address


DEMO_VIEWS = {
    "overview": "/geo/",
    "address": "/geo/find?q=8.8.8.8",
    "tree": "/geo/tree",
    "block": "/geo/tree?in=5.0.0.0/8&field=country&value=DE",
    "shape": "/geo/shape",
    "change": "/geo/change?from=yesterday",
    "cards": "/oui/",
    "card": "/oui/find?q=70B3D5F2F",
    "prefixes": "/oui/tree?at=70B3D5",
    "makers": "/oui/shape",
}


@pytest.mark.parametrize("name", DEMO_VIEWS)
def test_each_view_of_the_files_of_the_demo(program, demo, name):
    with Visit(program, demo, WIDE, "light") as visit:
        visit.open(DEMO_VIEWS[name])
        visit.check()
        assert visit.byte_count < MOST_BYTES
        visit.picture(f"demo-{name}-{WIDE}")
        text = visit.page.locator("main").inner_text()
        expected = {"address": "country\nUS", "card": "Organization Name", "block": "5.", "change": "Fields that changed most"}
        assert expected.get(name, "") in text


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_is_quiet_light_and_fits(narrow, wide, name):
    for visit, width in ((narrow, NARROW), (wide, WIDE)):
        visit.open(VIEWS[name])
        # That nothing is there is said in the console.
        visit.errors = [text for text in visit.errors if name != "absent" or "404" not in text]
        visit.check()
        assert 1000 < visit.byte_count < MOST_BYTES
        visit.picture(f"{name}-{width}")


@pytest.mark.parametrize("name", VIEWS)
def test_all_texts_stand_out_in_light_and_dark(narrow, wide, name):
    for visit in (narrow, wide):
        visit.open(VIEWS[name])
        found = visit.page.evaluate(CONTRASTS)
        assert len(found) > 10
        assert [one for one in found if one["ratio"] < 4.5] == []


@pytest.mark.parametrize("name", VIEWS)
def test_axe_finds_nothing(narrow, name):
    narrow.open(VIEWS[name])
    found = Axe().run(narrow.page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found] == []


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_has_a_twin_and_its_headers(base, name):
    path = VIEWS[name] + ("&" if "?" in VIEWS[name] else "?") + "format=json"
    try:
        answer = urllib.request.urlopen(base + path)
    except urllib.error.HTTPError as error:
        assert name == "absent" and error.code == 404
        answer = error
    with answer:
        assert answer.headers["Content-Type"] == "application/json"
        assert isinstance(json.load(answer), dict)
        assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers


def test_what_people_want_is_three_steps_away(program, files, command):
    with pages.serving(command, {name: files[name] for name in ("geo", "older")}) as base, Visit(program, base) as visit:
        page = visit.page
        # The country of an address: one entry.
        visit.open("/")
        page.get_by_role("searchbox", name="in geo").fill("93.184.216.34")
        page.keyboard.press("Enter")
        visit.settle()
        assert page.get_by_role("heading", name="93.184.216.0/24").count() == 1
        assert page.locator(".answer .value").get_by_text("DE", exact=True).first.is_visible()
        # All networks of that country in a /8: one click from there.
        page.get_by_role("link", name="all with this in 93.0.0.0/8 where country is DE").click()
        visit.settle()
        wanted = {block for block, country in networks(1).items() if country == "DE" and block.startswith("93.")}
        found = set()
        while True:
            found |= set(page.locator("tbody th a").all_text_contents())
            more = page.get_by_role("link", name="Go on from here")
            if more.count() == 0:
                break
            more.click()
            visit.settle()
        assert found == wanted
        # What changed against an older file: three clicks.
        visit.open("/")
        page.get_by_role("link", name="geo", exact=True).click()
        page.get_by_role("link", name="Change", exact=True).click()
        page.get_by_role("link", name="older", exact=True).click()
        visit.settle()
        figures = dict(zip(page.locator(".figure dt").all_text_contents(), page.locator(".figure strong").all_text_contents(), strict=True))
        counts = model_of_changes(command, files)
        assert {name: int(text.replace(",", "")) for name, text in figures.items()} == counts
        visit.check()


def model_of_changes(command, files):
    old, new = command.mapping(files["older"]), command.mapping(files["geo"])
    both = old.keys() & new.keys()
    changed = sum(old[key] != new[key] for key in both)
    return {"Added": len(new) - len(both), "Removed": len(old) - len(both), "Changed": changed, "Equal": len(both) - changed}


def test_all_of_it_works_without_javascript(program, base):
    with Visit(program, base, java_script_enabled=False) as visit:
        page = visit.page
        page.goto(base + "/")
        page.get_by_role("searchbox", name="in hostile").fill("host-7")
        page.get_by_role("button", name="Find").nth(2).click()
        assert page.get_by_role("heading", name="host-7", exact=True).count() == 1
        page.get_by_role("link", name="Keys", exact=True).click()
        page.get_by_role("link", name="host-").click()
        assert page.get_by_text("200 keys that begin with").count() == 1
        page.get_by_role("link", name="Overview", exact=True).click()
        page.get_by_role("button", name="Verify").click()
        page.wait_for_url("**/hostile/verify")
        page.wait_for_selector("text=Sound")
        assert visit.dialogs == [] and visit.errors == []


def test_hostile_content_is_text(program, base):
    places = [
        "/hostile/", "/hostile/tree", "/hostile/shape", "/hostile/find?q=x", "/hostile/tree?at=%3C", "/hostile/change?from=geo",
        "/hostile/find?q=%E2%80%AEr", "/hostile/tree?at=&field=%3Cb%20onclick%3Dalert(5)%3Ename%3C/b%3E&value=%3Cscript%3Ealert(6)%3C/script%3E",
        "/geo/find?q=%22%3E%3Cscript%3Ealert(12)%3C/script%3E", "/hostile/tree?in=%3Cscript%3E",
    ]
    with Visit(program, base) as visit:
        page = visit.page
        seen = set()
        while places:
            path = places.pop()
            page.goto(base + path)
            page.wait_for_selector("#live:not([data-live])")
            # Links lead to keys; each is inert in what it leads to.
            links = page.evaluate("[...document.querySelectorAll('.keys a, tbody a, .tiles a')].slice(0, 15).map((a) => a.getAttribute('href'))")
            places += [link for link in links if link not in seen and len(seen) < 30]
            seen |= set(links)
            foreign = "iframe, object, embed, img, base, audio, video, template, [onclick], [onmouseover], [onerror], [onload], [style], [srcdoc]"
            assert page.locator(foreign).count() == 0
            assert page.locator("script").count() == 1
            assert page.evaluate("[...document.links].filter((a) => !a.getAttribute('href').startsWith('/')).length") == 0
            shown = page.locator("body").text_content()
            assert not any(mark in shown for mark in "\u202e\u2066\u200b\0")
        assert len(seen) > 30
        assert visit.dialogs == []
        assert [text for text in visit.errors if "400" not in text] == []


def test_a_key_of_65535_bytes_is_cut_and_shown_whole(program, base):
    with Visit(program, base) as visit:
        visit.open("/hostile/find?q=x")
        visit.page.locator(".answer, section").get_by_role("link", name="xxxx").nth(1).click()
        assert visit.page.locator("h2").first.text_content().endswith("… 65,535 bytes show all")
        visit.page.locator("h2").get_by_role("link", name="show all").click()
        assert visit.page.locator("h2 code").text_content() in ("x" * 65_535, "x" * 65_534 + "<")


def test_the_keyboard_suffices(program, base):
    with Visit(program, base) as visit:
        page = visit.page
        visit.open("/geo/")
        page.keyboard.press("Tab")
        assert page.locator(":focus").text_content() == "Skip to the content"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.localName") == "main"
        page.keyboard.press("/")
        page.keyboard.type("2001:101::1")
        page.keyboard.press("Enter")
        visit.settle()
        assert page.get_by_role("heading", name="2001:101::/32").count() == 1
        # Each control is reached, in the order of the page, and shows it.
        visit.open("/geo/")
        count = page.locator("a, button, input, [tabindex='0']").count()
        seen = []
        for _ in range(count):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            seen.append(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert seen == sorted(set(seen)) and len(seen) == count


def test_verification_tells_how_far_it_is_and_stays_on_the_page(program, base):
    with Visit(program, base) as visit:
        page = visit.page
        visit.open("/older/")
        page.get_by_role("button", name="Verify the file").click()
        page.wait_for_selector("text=Sound")
        assert page.url == base + "/older/"
        visit.check()


def test_going_back_needs_the_token(program, command, files, tmp_path):
    path = tmp_path / "served.fsdb"
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN + "\n")
    path.write_bytes(files["older"].read_bytes())
    with pages.serving(command, {"served": path}, "--token-file", tokens) as base:
        with Visit(program, base, http_credentials={"username": "any", "password": TOKEN}) as visit:
            new = tmp_path / "new.fsdb"
            new.write_bytes(files["geo"].read_bytes())
            new.rename(path)
            page = visit.page
            page.goto(base + "/served/change")
            for _ in range(100):
                if page.get_by_role("button", name="Go back").count():
                    break
                page.wait_for_timeout(100)
                page.reload()
            page.get_by_role("link", name="the file before").click()
            visit.settle()
            assert page.get_by_text("Keys that changed").count() == 1
            page.get_by_role("button", name="Go back").click()
            page.wait_for_selector("text=No file that was served before is kept")
            assert page.evaluate("fetch('/served/?format=json').then((answer) => answer.json())")["generation"] == 3


def test_another_origin_begins_nothing(base):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere.example"}, {"Origin": "null"}):
        request = urllib.request.Request(base + "/geo/verify", data=b"", headers=headers, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        with refused.value as answer:
            assert answer.code == 403 and json.load(answer)["code"] == "origin"


@pytest.mark.parametrize("path, status, code", [("/geo/tree?in=8.8", 400, "invalidValue"), ("/geo/change?from=none", 404, "notFound"), ("/geo/nothing", 404, "absent")])
def test_errors_for_programs_are_problem_documents(base, path, status, code):  # [HS14]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(base + path + ("&" if "?" in path else "?") + "format=json")
    with refused.value as answer:
        problem = json.load(answer)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.code, problem["status"], problem["code"]) == (status, status, code)
        assert problem["detail"] and problem["title"] and problem["type"] == "about:blank"
