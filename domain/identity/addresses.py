"""Mail addresses: one form to write to, one to find by, and which texts are none."""

import re
import unicodedata

from domain.vault import Vault

LONGEST_MAIL = 254
"""Characters, as SMTP has it."""

_LONGEST_LOCAL = 64
_PARTS = re.compile(r"""([^\s@<>()\[\],;:\\"]+)@([^\s@<>()\[\],;:\\"/]+)""")


def readable_mail(text: str) -> str | None:
    """An address as we write to it; None for a text that is none.

    Its characters are in NFKC and its domain in small letters, for both mean the same to every mail server. Letters go
    to this form and to no other: who types a look-alike of somebody's address must not get that person's mail. So a
    domain is refused that mail servers would find under another name than it is written in.
    """
    found = _PARTS.fullmatch(unicodedata.normalize("NFKC", text[: 4 * LONGEST_MAIL]).strip())
    if found is None:
        return None
    local, domain = found[1], _domain(unicodedata.normalize("NFKC", found[2].lower()))
    if domain is None:
        return None
    mail = f"{local}@{domain}"
    labels = domain.split(".")
    whole = len(labels) > 1 and all(labels) and len(local) <= _LONGEST_LOCAL
    return mail if whole and len(mail) <= LONGEST_MAIL and mail.isprintable() else None


def _domain(written: str) -> str | None:
    """A domain in the one form that its name in the DNS stands for; None where it is neither that nor the name."""
    try:
        name = written.encode("idna").decode()
        form = name.encode().decode("idna")
    except UnicodeError:
        return None
    return form if written in {name, form} else None


def mail_index(vault: Vault, mail: str) -> bytes:
    """The digest by which an address is found, in whichever case it is written.

    The part before the `@` is in small letters too: a server may tell `Ani` from `ani`, but none that people use does,
    and two accounts that differ in that alone would be mistaken for each other. It is `lower`, not `casefold`, which
    makes `ss` of `ß` and with that one address of two. A text that is no address has a digest like any other.
    """
    text = readable_mail(mail) or mail[: 4 * LONGEST_MAIL].strip()
    written = unicodedata.normalize("NFKC", text.lower())
    return vault.index("mail", written.encode(errors="backslashreplace").decode())
