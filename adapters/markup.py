"""What may stand in a text that others are shown: a little mark-up, and no attribute at all."""

from typing import Final

import nh3

TAGS: Final = frozenset({
    *("b", "strong", "i", "em", "u", "s", "small", "mark"), *("p", "br", "span", "h1", "h2", "h3", "ul", "ol", "li"),
})  # fmt: skip


class Nh3Markup:
    """`domain.campaign.ports.Markup` by Ammonia, which parses as browsers do."""

    def clean(self, html: str) -> str:
        """The text with tags of the list; of all others the content stays, of scripts and styles nothing."""
        return nh3.clean(html, tags=set(TAGS), attributes={}, link_rel=None)
