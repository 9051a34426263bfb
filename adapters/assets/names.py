"""What a file is called where it is handed out."""

from typing import Final
from urllib.parse import quote

from domain.asset.model import MediaType, Rendition

_SAVED: Final = frozenset({MediaType.PDF})
"""What is saved and not shown: a browser would run what is in it."""
_PLAIN: Final = frozenset("-_. ")


def disposition(rendition: Rendition, file_name: str) -> str:
    """Whether a file is shown or saved, and under which name (RFC 6266)."""
    way = "attachment" if rendition.media_type in _SAVED else "inline"
    plain = "".join(each if each.isascii() and (each.isalnum() or each in _PLAIN) else "_" for each in file_name)
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
