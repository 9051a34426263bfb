"""What the letters of brands say, in each language, and what a wording is."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.identity.model import Locale


@dataclass(frozen=True, slots=True)
class Wording:
    """A letter of one kind: its subject, which names nothing of the occasion, its paragraphs, and its link's label."""

    subject: str
    paragraphs: tuple[str, ...]
    label: str = ""


INVITED: Mapping[Locale, Wording] = {
    Locale.ENGLISH: Wording(
        "You are asked to act for a brand",
        ("You are asked to act at Gametriggers for a brand that calls itself: {brand}",
         "Sign in or sign up, then take the invitation up or turn it down. It is good once, until {until}.",
         "If the name tells you nothing, ignore this letter: nothing happens without you."),
        "See the invitation",
    ),
    Locale.INDONESIAN: Wording(
        "Anda diundang untuk mewakili sebuah merek",
        ("Anda diundang untuk mewakili di Gametriggers sebuah merek yang menyebut dirinya: {brand}",
         "Masuk atau daftarlah, lalu terima atau tolak undangan ini. Undangan berlaku satu kali, sampai {until}.",
         "Jika nama itu tidak Anda kenal, abaikan surat ini: tidak ada yang terjadi tanpa Anda."),
        "Lihat undangan",
    ),
}  # fmt: skip
