"""What our letters say, in each language. Braces stand for an occasion's own fields."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.mail.brand_wording import BRAND_LETTERS, Wording
from domain.identity.mail import (
    AccountsMerged,
    AddressChanged,
    AlreadyRegistered,
    ConfirmSignUp,
    ErasureDone,
    ErasureDoneInPart,
    ErasureScheduled,
    ExportReady,
    FactorChange,
    IdentityChange,
    IdentityChanged,
    NewSignIn,
    Occasion,
    PasswordChanged,
    ResetPassword,
    SecondFactorChanged,
    StepUpCode,
    VerifyAddress,
)
from domain.identity.model import Locale
from domain.identity.provider import Provider


@dataclass(frozen=True, slots=True)
class Language:
    """All letters in one language, and the words that they share."""

    months: tuple[str, ...]
    greeting: str
    closing: str
    changes: Mapping[FactorChange | IdentityChange, str]
    providers: Mapping[Provider, str]
    letters: Mapping[type[Occasion], Wording]


ENGLISH = Language(
    months=("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December"),
    greeting="Hello,",
    closing="Gametriggers. Nobody who works here will ever ask you to tell them your password or a code.",
    changes={
        FactorChange.TOTP_ADDED: "An authenticator app was added to your account",
        FactorChange.TOTP_REMOVED: "The authenticator app was removed from your account",
        FactorChange.PASSKEY_ADDED: "A passkey was added to your account",
        FactorChange.PASSKEY_REMOVED: "A passkey was removed from your account",
        FactorChange.RECOVERY_CODES_RENEWED: "Your account was given new recovery codes; the old ones are void",
        FactorChange.RECOVERY_CODE_USED: "A recovery code was used to sign in to your account",
        IdentityChange.LINKED: "A way to sign in was added to your account",
        IdentityChange.UNLINKED: "A way to sign in was removed from your account",
    },
    providers={Provider.PASSWORD: "your address and a password", Provider.GOOGLE: "Google", Provider.TWITCH: "Twitch",
               Provider.TELEGRAM: "Telegram"},
    letters={
        ConfirmSignUp: Wording(
            "Confirm your e-mail address",
            (("Somebody, we hope you, signed up at Gametriggers with this address. If it was you, follow the link and"
             " type the password that you chose when you signed up. The link works once, within 30 minutes."),
             ("If it was not you, ignore this letter, and type no password: nothing happens without the one that was"
              " chosen. Should you want an account, sign up yourself; that makes this link worthless.")),
            "Confirm my address",
        ),
        AlreadyRegistered: Wording(
            "You already have an account",
            (("Somebody, we hope you, tried to sign up at Gametriggers with this address, which has an account already."
             " Sign in as usual; if you forgot your password, choose a new one. The link works once, within 30"
             " minutes."),
             "If it was not you, there is nothing to do: nothing has changed."),
            "Choose a new password",
        ),
        VerifyAddress: Wording(
            "Is this your e-mail address?",
            (("This address was given as that of a Gametriggers account. Confirm it if the account is yours. The link"
             " works once, within 30 minutes."),
             "If it is not, ignore this letter: the address will not be used."),
            "This is my address",
        ),
        ResetPassword: Wording(
            "Choose a new password",
            (("Somebody, we hope you, asked for a new password for your account. The link works once, within 30"
             " minutes."),
             "If it was not you, ignore this letter: your password stays as it is."),
            "Choose a new password",
        ),
        PasswordChanged: Wording(
            "Your password was changed",
            ("The password of your account was changed on {at}.",
             "If it was not you, choose a new one at once; that ends all sessions."),
            "Choose a new password",
        ),
        AddressChanged: Wording(
            "Your e-mail address was changed",
            ("Your account has another e-mail address since {at}, and we will no longer write to this one.",
             "If it was not you, sign in, end all other sessions and write to support at once."),
            "See my sessions",
        ),
        StepUpCode: Wording(
            "Your confirmation code",
            ("Your code is {code}. It works once, within 10 minutes.",
             ("If you did not ask for it, somebody is signed in as you: change your password now, and give the code to"
             " nobody.")),
        ),
        NewSignIn: Wording(
            "New sign-in to your account",
            ("Your account was signed in to from a device or a place that we had not seen before.",
             "Device: {device}", "Place: {place}", "Time: {at}",
             "If it was not you, end that session and change your password."),
            "See my sessions",
        ),
        SecondFactorChanged: Wording(
            "Your sign-in protection changed",
            ("{change}, on {at}.", "If it was not you, sign in, look at your settings and write to support at once."),
            "Look at my settings",
        ),
        IdentityChanged: Wording(
            "How you sign in changed",
            ("{change}: {provider}, on {at}.",
             "If it was not you, sign in, undo it, end all other sessions and write to support at once."),
            "See how I sign in",
        ),
        ExportReady: Wording(
            "Your export is ready",
            (("What we keep about you is ready to be fetched, once, until {until}. Keep the file where only you can"
             " read it."),),
            "Fetch my export",
        ),
        ErasureScheduled: Wording(
            "Your account will be erased",
            (("As you wished, your account and everything personal in it will be erased on {at}. It cannot be undone"
             " afterwards."),
             "Until then you can change your mind."),
            "Keep my account",
        ),
        ErasureDone: Wording(
            "Your account has been erased",
            (("As you wished, your account was erased. What we kept about you can no longer be read by anybody, and we"
             " will not write to you again."),
             "Goodbye, and thank you for having been with us."),
        ),
        ErasureDoneInPart: Wording(
            "Your account has been erased",
            (("As you wished, your account was erased. Because money passed through it, the law makes us keep your name"
             " and this address until {until}, apart from all else and for nothing else; then they go, too."),
             "We will not write to you again. Goodbye, and thank you for having been with us."),
        ),
        AccountsMerged: Wording(
            "Your accounts were joined",
            (("Two accounts that are both yours were joined into one on {at}, by our staff. Everything that was in"
             " either of them is in the one that remains, and you sign in to it in any of the ways you used before."),
             "If that is not right, write to support."),
            "Sign in",
        ),
        **BRAND_LETTERS[Locale.ENGLISH],
    },
)  # fmt: skip

INDONESIAN = Language(
    months=("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
            "November", "Desember"),
    greeting="Halo,",
    closing="Gametriggers. Staf kami tidak pernah meminta Anda memberitahukan kata sandi atau kode Anda.",
    changes={
        FactorChange.TOTP_ADDED: "Aplikasi autentikator ditambahkan ke akun Anda",
        FactorChange.TOTP_REMOVED: "Aplikasi autentikator dihapus dari akun Anda",
        FactorChange.PASSKEY_ADDED: "Kunci sandi (passkey) ditambahkan ke akun Anda",
        FactorChange.PASSKEY_REMOVED: "Kunci sandi (passkey) dihapus dari akun Anda",
        FactorChange.RECOVERY_CODES_RENEWED: "Kode pemulihan baru dibuat untuk akun Anda; kode lama tidak berlaku lagi",
        FactorChange.RECOVERY_CODE_USED: "Sebuah kode pemulihan dipakai untuk masuk ke akun Anda",
        IdentityChange.LINKED: "Sebuah cara masuk ditambahkan ke akun Anda",
        IdentityChange.UNLINKED: "Sebuah cara masuk dihapus dari akun Anda",
    },
    providers={Provider.PASSWORD: "alamat Anda dan kata sandi", Provider.GOOGLE: "Google", Provider.TWITCH: "Twitch",
               Provider.TELEGRAM: "Telegram"},
    letters={
        ConfirmSignUp: Wording(
            "Konfirmasi alamat email Anda",
            (("Seseorang, semoga Anda sendiri, mendaftar di Gametriggers dengan alamat ini. Jika itu Anda, ikuti tautan"
             " ini dan ketikkan kata sandi yang Anda pilih saat mendaftar. Tautan berlaku satu kali, dalam 30 menit."),
             ("Jika bukan Anda, abaikan surat ini dan jangan mengetikkan kata sandi apa pun: tanpa kata sandi yang"
              " dipilih saat mendaftar tidak terjadi apa-apa. Jika Anda ingin memiliki akun, daftarlah sendiri; tautan"
              " ini lalu tidak berlaku lagi.")),
            "Konfirmasi alamat saya",
        ),
        AlreadyRegistered: Wording(
            "Anda sudah memiliki akun",
            (("Seseorang, semoga Anda sendiri, mencoba mendaftar di Gametriggers dengan alamat ini, padahal alamat ini"
             " sudah memiliki akun. Masuklah seperti biasa; jika lupa kata sandi, buatlah yang baru. Tautan berlaku"
             " satu kali, dalam 30 menit."),
             "Jika bukan Anda, tidak perlu melakukan apa-apa: tidak ada yang berubah."),
            "Buat kata sandi baru",
        ),
        VerifyAddress: Wording(
            "Apakah ini alamat email Anda?",
            (("Alamat ini dicantumkan pada sebuah akun Gametriggers. Konfirmasikan jika akun itu milik Anda. Tautan"
             " berlaku satu kali, dalam 30 menit."),
             "Jika bukan, abaikan surat ini: alamat ini tidak akan dipakai."),
            "Ini alamat saya",
        ),
        ResetPassword: Wording(
            "Buat kata sandi baru",
            (("Seseorang, semoga Anda sendiri, meminta kata sandi baru untuk akun Anda. Tautan berlaku satu kali, dalam"
             " 30 menit."),
             "Jika bukan Anda, abaikan surat ini: kata sandi Anda tidak berubah."),
            "Buat kata sandi baru",
        ),
        PasswordChanged: Wording(
            "Kata sandi Anda telah diganti",
            ("Kata sandi akun Anda diganti pada {at}.",
             "Jika bukan Anda, segera buat kata sandi baru; semua sesi akan berakhir karenanya."),
            "Buat kata sandi baru",
        ),
        AddressChanged: Wording(
            "Alamat email Anda telah diganti",
            ("Akun Anda memakai alamat email lain sejak {at}, dan kami tidak akan menulis ke alamat ini lagi.",
             "Jika bukan Anda, masuklah, akhiri semua sesi lain, dan segera hubungi dukungan."),
            "Lihat sesi saya",
        ),
        StepUpCode: Wording(
            "Kode konfirmasi Anda",
            ("Kode Anda {code}. Kode berlaku satu kali, dalam 10 menit.",
             ("Jika Anda tidak memintanya, ada orang yang masuk sebagai Anda: segera ganti kata sandi, dan jangan"
             " berikan kode ini kepada siapa pun.")),
        ),
        NewSignIn: Wording(
            "Ada yang masuk ke akun Anda",
            ("Akun Anda dimasuki dari perangkat atau tempat yang belum pernah kami lihat.",
             "Perangkat: {device}", "Tempat: {place}", "Waktu: {at}",
             "Jika bukan Anda, akhiri sesi itu dan ganti kata sandi Anda."),
            "Lihat sesi saya",
        ),
        SecondFactorChanged: Wording(
            "Perlindungan akun Anda berubah",
            ("{change}, pada {at}.",
             "Jika bukan Anda, masuklah, periksa pengaturan Anda, dan segera hubungi dukungan."),
            "Periksa pengaturan saya",
        ),
        IdentityChanged: Wording(
            "Cara masuk ke akun Anda berubah",
            ("{change}: {provider}, pada {at}.",
             "Jika bukan Anda, masuklah, batalkan perubahan itu, akhiri semua sesi lain, dan segera hubungi dukungan."),
            "Lihat cara masuk saya",
        ),
        ExportReady: Wording(
            "Ekspor Anda sudah siap",
            (("Apa yang kami simpan tentang Anda siap diambil, satu kali, sampai {until}. Simpan berkasnya di tempat"
             " yang hanya bisa Anda baca."),),
            "Ambil ekspor saya",
        ),
        ErasureScheduled: Wording(
            "Akun Anda akan dihapus",
            (("Sesuai keinginan Anda, akun Anda dan semua hal pribadi di dalamnya akan dihapus pada {at}. Setelah itu"
             " tidak dapat dibatalkan."),
             "Sampai saat itu Anda masih bisa berubah pikiran."),
            "Pertahankan akun saya",
        ),
        ErasureDone: Wording(
            "Akun Anda telah dihapus",
            (("Sesuai keinginan Anda, akun Anda telah dihapus. Apa yang kami simpan tentang Anda tidak dapat dibaca"
             " lagi oleh siapa pun, dan kami tidak akan menulis kepada Anda lagi."),
             "Sampai jumpa, dan terima kasih telah bersama kami."),
        ),
        ErasureDoneInPart: Wording(
            "Akun Anda telah dihapus",
            (("Sesuai keinginan Anda, akun Anda telah dihapus. Karena ada uang yang melewatinya, hukum mewajibkan kami"
             " menyimpan nama Anda dan alamat ini sampai {until}, terpisah dari yang lain dan hanya untuk itu; setelah"
             " itu keduanya juga dihapus."),
             "Kami tidak akan menulis kepada Anda lagi. Sampai jumpa, dan terima kasih telah bersama kami."),
        ),
        AccountsMerged: Wording(
            "Akun Anda telah digabungkan",
            (("Dua akun yang keduanya milik Anda digabungkan menjadi satu pada {at} oleh staf kami. Semua isi keduanya"
             " ada di akun yang tersisa, dan Anda dapat masuk dengan cara mana pun yang sebelumnya Anda pakai."),
             "Jika itu keliru, hubungi dukungan."),
            "Masuk",
        ),
        **BRAND_LETTERS[Locale.INDONESIAN],
    },
)  # fmt: skip

LANGUAGES: Mapping[Locale, Language] = {Locale.ENGLISH: ENGLISH, Locale.INDONESIAN: INDONESIAN}
