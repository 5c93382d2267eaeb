"""The HTML pages of the site. All links are relative, and all pages are in one folder."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from regviz import __version__
from regviz.lessons.article import Recorded, article
from regviz.lessons.lesson import Lesson
from regviz.lessons.markdown import inline
from regviz.resources import resource
from regviz.scenes.link import link
from regviz.scenes.offline import board_html, document, import_map
from regviz.scenes.scene import Scene
from regviz.scenes.view import view_of
from regviz.site.gallery import Entry

ADDRESS = "http://localhost:8501/"  # of a server that `make run` starts
START, COURSE, GALLERY, HOW_TO = "index.html", "course.html", "gallery.html", "start.html"
MISSING = "404.html"  # the name that hosts look for
DOCS = "docs"  # folder of the documentation
SCRIPT, STYLES, LOGO = "regviz.js", "regviz.css", "logo.svg"
HOW_TO_LINK = f'<a href="{HOW_TO}">Start RegViz yourself</a>'
ABOUT = (
    "No regularization, L1, L2, elastic net, dropout and max-norm train side by side, from the same"
    " initial weights, on the same points. They differ in nothing but the regularization."
)


def policy() -> str:
    """Return the Content Security Policy of all pages.

    It allows files of the site, and as scripts also the board's modules, which are ``data:`` URLs,
    and their import map. Chromium takes ``'self'`` for no file at all on a page opened from disk.
    """
    digest = base64.b64encode(hashlib.sha256(import_map().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' file: data: 'sha256-{digest}';"
        " style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data: blob:;"
        " base-uri 'none'; form-action 'none'"
    )


class Pages:
    """The pages of a site.

    Parameters
    ----------
    lessons : sequence of Lesson
    entries : sequence of Entry
        The scenes of the gallery.
    documentation : bool
        Whether the site has the documentation.
    base : str
        Address of the site's folder on its host, such as ``"/regviz/"``, for the page that the host
        shows at any address that does not exist. Empty if it is not known.
    """

    def __init__(
        self, lessons: Sequence[Lesson], entries: Sequence[Entry], documentation: bool, base: str
    ) -> None:
        self.lessons, self.entries = lessons, entries
        self.documentation, self.base = documentation, base
        self.policy = policy()

    def start(self, recorded: Recorded) -> str:
        """Return the start page with the recording of the opening scene."""
        minutes = sum(lesson.minutes for lesson in self.lessons)
        links = [
            (
                COURSE,
                "Course",
                f"{len(self.lessons)} lessons, {minutes} minutes: predict, see, try.",
            ),
            (GALLERY, "Gallery", f"{len(self.entries)} scenes, each shows another effect."),
            (HOW_TO, "Start one yourself", "Two commands: your own data, network and training."),
        ]
        if self.documentation:
            about = "How to, reference of the Python library, explanation."
            links.insert(2, (f"{DOCS}/index.html", "Documentation", about))
        cards = "".join(
            f'<li><a href="{href}">{name}</a><span>{text}</span></li>' for href, name, text in links
        )
        main = f"""<h1>See what regularization does to a neural network</h1>
<p class="about">{ABOUT} Drag a strength, or the epoch.</p>
{_board(Scene(), recorded)}
{_note()}
<h2>Go on</h2>
<ul class="links">{cards}</ul>"""
        return self._page("RegViz", ABOUT, main, START, recorded.files[:1])

    def course(self) -> str:
        """Return the list of lessons."""
        cards = "".join(
            f'<li><a href="{lesson_file(lesson)}">{i}. {escape(lesson.title)}</a>'
            f"<span>{inline(lesson.idea)}</span>"
            f'<small><span data-progress="{lesson.key}"></span>{lesson.minutes} minutes</small>'
            "</li>"
            for i, lesson in enumerate(self.lessons, 1)
        )
        about = (
            "In each lesson you first say what you expect, then see it, then find out why, and then"
            " do it yourself. Each fact was checked with twenty seeds."
        )
        main = f"""<h1>Learn regularization</h1>
<p class="about">{about}</p>
<ul class="links lessons">{cards}</ul>"""
        return self._page("Course", about, main, COURSE)

    def lesson(self, i: int, recorded: dict[str, Recorded]) -> str:
        """Return the page of lesson ``i`` with its recordings."""
        lesson = self.lessons[i]
        place = f"Lesson {i + 1} of {len(self.lessons)} · {lesson.minutes} minutes"
        steps = [(lesson_file(each), each.title) for each in self.lessons]
        main = article(lesson, recorded, place, HOW_TO_LINK)
        own = f"{ADDRESS}learn?lesson={lesson.key}"
        more = f"{_note(own)}\n{_steps(steps, i, 'lesson')}"
        return self._page(lesson.title, lesson.idea, f"{main}\n{more}", COURSE)

    def gallery(self) -> str:
        """Return the page with all scenes of the gallery."""
        cards = "".join(
            f'<li><img src="{still_file(entry)}" alt="" width="416" height="226" loading="lazy">'
            f'<a href="{scene_file(entry)}">{escape(entry.title)}</a>'
            f"<span>{escape(entry.sentence)}</span></li>"
            for entry in self.entries
        )
        about = "Each picture opens a board to play, drag and compare."
        main = f"""<h1>Gallery</h1>
<p class="about">{about}</p>
<ul class="links stills">{cards}</ul>"""
        return self._page("Gallery", about, main, GALLERY)

    def scene(self, i: int, recorded: Recorded) -> str:
        """Return the page of scene ``i`` of the gallery with its recording."""
        entry = self.entries[i]
        steps = [(scene_file(each), each.title) for each in self.entries]
        main = f"""<h1>{escape(entry.title)}</h1>
<p class="about">{escape(entry.sentence)}</p>
{_board(entry.scene, recorded)}
{_note(scene_address(entry.scene))}
{_steps(steps, i, "scene")}"""
        return self._page(entry.title, entry.sentence, main, GALLERY, recorded.files[:1])

    def how_to(self) -> str:
        """Return the page on how to start RegViz."""
        about = "RegViz starts with two commands, on your machine."
        main = resource("assets/site/start.html").read_text("utf-8")
        return self._page("Start RegViz", about, main, HOW_TO)

    def missing(self) -> str:
        """Return the page that hosts show in place of one that does not exist."""
        main = "<h1>There is no such page here</h1>\n<p>The links above lead to those that are.</p>"
        return self._page("No such page", "There is no such page here.", main, "", base=self.base)

    def _page(
        self,
        title: str,
        about: str,
        main: str,
        current: str,
        first: Sequence[str] = (),
        base: str = "",
    ) -> str:
        """Return a page with the links to all parts of the site.

        Parameters
        ----------
        title, about : str
            Title and description, as text.
        main : str
            HTML.
        current : str
            The part of the site that the page belongs to.
        first : sequence of str
            Scripts to load beside the board's, before it asks for them.
        base : str
            Address of the site's folder; empty for relative links.
        """
        parts = [(COURSE, "Course"), (GALLERY, "Gallery")]
        parts += [(f"{DOCS}/index.html", "Documentation")] * self.documentation
        parts.append((HOW_TO, "Start one yourself"))
        links = "".join(
            f'<a href="{base}{href}"{_current(href == current)}>{name}</a>' for href, name in parts
        )
        scripts = "\n".join(f'<script src="{file}" async></script>' for file in first)
        full = title if title == "RegViz" else f"{title} · RegViz"
        head = f"""<meta name="description" content="{escape(about)}">
<link rel="icon" type="image/svg+xml" href="{base}{LOGO}">
<link rel="stylesheet" href="{base}{STYLES}">
{scripts}
<script src="{base}{SCRIPT}" defer></script>
<noscript><style>.lesson .rest {{ display: block !important; }}</style></noscript>"""
        body = f"""<header class="site">
<a class="home" href="{base}{START}"{_current(current == START)}>\
<img src="{base}{LOGO}" alt="" width="24" height="24"> RegViz</a>
<nav aria-label="Site">{links}</nav></header>
<main>
{main}
</main>
<footer class="site">RegViz {__version__}, MIT License.</footer>"""
        return document(full, head, body, self.policy)


def lesson_file(lesson: Lesson) -> str:
    """Return the name of a lesson's page."""
    return f"lesson-{lesson.key}.html"


def scene_file(entry: Entry) -> str:
    """Return the name of the page of a scene of the gallery."""
    return f"scene-{entry.key}.html"


def still_file(entry: Entry) -> str:
    """Return the name of the still picture of a scene of the gallery."""
    return f"still-{entry.key}.svg"


def scene_address(scene: Scene) -> str:
    """Return the address of a scene on a server that `make run` starts."""
    return link(ADDRESS, scene)


def _board(scene: Scene, recorded: Recorded) -> str:
    return board_html(recorded.files, view_of(scene, recorded.grid, play=True))


def _note(address: str = "") -> str:
    """Return a line that says that the board is a recording, and how to get what is not in it."""
    own = (
        f"<details><summary>This board in RegViz</summary><code>{escape(address)}</code></details>"
        if address
        else ""
    )
    return (
        '<div class="small note"><p>This board is a recording. Other data, another network and'
        f" other training are not in it: {HOW_TO_LINK}.</p>{own}</div>"
    )


def _steps(pages: Sequence[tuple[str, str]], i: int, kind: str) -> str:
    """Return links to the pages before and after page ``i``."""
    links = []
    if i > 0:
        href, title = pages[i - 1]
        links.append(f'<a rel="prev" href="{href}">Previous {kind}: {escape(title)}</a>')
    if i < len(pages) - 1:
        href, title = pages[i + 1]
        links.append(f'<a rel="next" href="{href}">Next {kind}: {escape(title)}</a>')
    return f'<nav class="others" aria-label="Other {kind}s">{"".join(links)}</nav>'


def _current(is_current: bool) -> str:
    return ' aria-current="page"' if is_current else ""
