"""What the letters of brands say, in each language, and what a wording is."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.identity.mail import BrandInvitation, BrandRejected, BrandVerified, InvoiceIssued, Occasion
from domain.identity.model import Locale


@dataclass(frozen=True, slots=True)
class Wording:
    """A letter of one kind: its subject, which names nothing of the occasion, its paragraphs, and its link's label."""

    subject: str
    paragraphs: tuple[str, ...]
    label: str = ""


_ENGLISH: Mapping[type[Occasion], Wording] = {
    BrandInvitation: Wording(
        "You are asked to act for a brand",
        ("You are asked to act at Gametriggers for a brand that calls itself: {brand}",
         "Sign in or sign up, then take the invitation up or turn it down. It is good once, until {until}.",
         "If the name tells you nothing, ignore this letter: nothing happens without you."),
        "See the invitation",
    ),
    BrandVerified: Wording(
        "Your brand is verified",
        ("We looked at your brand and verified it: {brand}",
         "Should you change its name, industry, website, address or tax id, we will look again."),
        "See the brand",
    ),
    BrandRejected: Wording(
        "Your brand was not verified",
        ("We looked at your brand and could not verify it: {brand}",
         "Its page tells why. Mend it there, and we will look again."),
        "See why",
    ),
    InvoiceIssued: Wording(
        "Your invoice is here",
        ("The invoice for {month} of your brand is issued: {brand}",
         "Its managers find it there, as a PDF, too."),
        "See the brand",
    ),
}  # fmt: skip
_INDONESIAN: Mapping[type[Occasion], Wording] = {
    BrandInvitation: Wording(
        "Anda diundang untuk mewakili sebuah merek",
        ("Anda diundang untuk mewakili di Gametriggers sebuah merek yang menyebut dirinya: {brand}",
         "Masuk atau daftarlah, lalu terima atau tolak undangan ini. Undangan berlaku satu kali, sampai {until}.",
         "Jika nama itu tidak Anda kenal, abaikan surat ini: tidak ada yang terjadi tanpa Anda."),
        "Lihat undangan",
    ),
    BrandVerified: Wording(
        "Merek Anda telah diverifikasi",
        ("Kami telah memeriksa dan memverifikasi merek Anda: {brand}",
         "Jika nama, bidang usaha, situs web, alamat, atau NPWP-nya berubah, kami akan memeriksanya lagi."),
        "Lihat merek",
    ),
    BrandRejected: Wording(
        "Merek Anda belum dapat diverifikasi",
        ("Kami telah memeriksa merek Anda, tetapi belum dapat memverifikasinya: {brand}",
         "Alasannya ada di halaman merek. Perbaiki di sana, dan kami akan memeriksanya lagi."),
        "Lihat alasannya",
    ),
    InvoiceIssued: Wording(
        "Faktur Anda telah terbit",
        ("Faktur bulan {month} untuk merek Anda telah terbit: {brand}",
         "Pengelola merek dapat melihatnya di sana, juga sebagai PDF."),
        "Lihat merek",
    ),
}  # fmt: skip

BRAND_LETTERS: Mapping[Locale, Mapping[type[Occasion], Wording]] = {
    Locale.ENGLISH: _ENGLISH,
    Locale.INDONESIAN: _INDONESIAN,
}
