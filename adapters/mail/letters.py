"""Words letters: plain text and simple HTML of the same paragraphs, with every value escaped."""

from dataclasses import fields
from datetime import datetime, timedelta, timezone
from html import escape
from uuid import UUID

from adapters.mail.wording import LANGUAGES, Language
from domain.identity.mail import FactorChange, IdentityChange, Letter, Occasion
from domain.identity.model import Locale
from domain.identity.provider import Provider

_JAKARTA = timezone(timedelta(hours=7), "WIB")
"""Our readers' time, which knows no summer."""
_LONGEST_VALUE = 120
_HTML = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{subject}</title></head>'
    '<body style="font:16px/1.5 sans-serif;max-width:36em;margin:2em auto;padding:0 1em">{body}</body></html>\n'
)


class WrittenLetters:
    """Letters in the languages of `wording`."""

    def word(self, occasion: Occasion, to: str, locale: Locale, letter: UUID) -> Letter:
        """The letter for an occasion. A link stands in it as it was given; all else is one line of plain text."""
        language = LANGUAGES[locale]
        wording = language.letters[type(occasion)]
        values = {
            each.name: _said(getattr(occasion, each.name), language) for each in fields(occasion) if each.name != "link"
        }
        link: str | None = getattr(occasion, "link", None)
        said = [paragraph.format(**values) for paragraph in wording.paragraphs]
        return Letter(
            to,
            wording.subject,
            _as_text([language.greeting, *said], wording.label, link, language.closing),
            _HTML.format(
                language=locale,
                subject=escape(wording.subject),
                body=_as_html([language.greeting, *said], wording.label, link, language.closing),
            ),
            id=letter,
        )


def _as_text(said: list[str], label: str, link: str | None, closing: str) -> str:
    linked = [] if link is None else [f"{label}:\n{link}"]
    return "\n\n".join([*said, *linked, f"-- \n{closing}"]) + "\n"


def _as_html(said: list[str], label: str, link: str | None, closing: str) -> str:
    linked = [] if link is None else [f'<a href="{escape(link, quote=True)}">{escape(label)}</a>']
    paragraphs = [*map(escape, said), *linked, f"<small>{escape(closing)}</small>"]
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def _said(found: object, language: Language) -> str:
    match found:
        case datetime():
            at = found.astimezone(_JAKARTA)
            return f"{at.day} {language.months[at.month - 1]} {at.year} {at:%H:%M} WIB"
        case FactorChange() | IdentityChange():
            return language.changes[found]
        case Provider():
            return language.providers[found]
        case _:
            return _one_line(str(found))


def _one_line(text: str) -> str:
    """What a stranger chose, such as a device's name, as one short line that no mail program takes for a link."""
    printable = "".join(symbol if symbol.isprintable() else " " for symbol in text).replace("://", " ")
    return " ".join(printable.split())[:_LONGEST_VALUE]
