"""Settings of the platforms that streamers are on. Who we are there stands with the sites that people sign in by."""

from pydantic import Field, SecretStr, field_validator

from adapters.config.source import Source
from adapters.identity.oidc_providers import TWITCH, fit_address
from adapters.platforms import GOOGLE_OAUTH, GOOGLE_SIGN_IN, HELIX, SECRET_LENGTHS, YOUTUBE


class PlatformSettings(Source):
    """Where the platforms are."""

    twitch_oauth_url: str = Field(
        default=TWITCH, description="Address of Twitch's OAuth, by which streamers link their account"
    )
    twitch_api_url: str = Field(default=HELIX, description="Address of Twitch's API, which tells who is live")
    twitch_eventsub_secret: SecretStr | None = Field(
        default=None,
        description="10 to 100 ASCII characters that Twitch signs with what it tells us at /webhooks/twitch; without it"
        " we only ask",
    )
    twitch_timeout_s: float = Field(default=10.0, gt=0, description="Longest wait for an answer of Twitch, seconds")
    youtube_api_key: SecretStr | None = Field(
        default=None,
        description="Our key at YouTube's API; without it, or without our client at Google, no YouTube account is"
        " linked",
    )
    youtube_sign_in_url: str = Field(
        default=GOOGLE_SIGN_IN, description="Address of Google's page, where streamers link their YouTube channel"
    )
    youtube_oauth_url: str = Field(default=GOOGLE_OAUTH, description="Address of Google's OAuth")
    youtube_api_url: str = Field(default=YOUTUBE, description="Address of YouTube's API, which tells who is live")
    youtube_daily_units: int = Field(
        default=10_000, gt=0, description="Units that YouTube allows us in a day, from midnight in California"
    )
    youtube_timeout_s: float = Field(default=10.0, gt=0, description="Longest wait for an answer of YouTube, seconds")

    @field_validator(
        "twitch_oauth_url", "twitch_api_url", "youtube_sign_in_url", "youtube_oauth_url", "youtube_api_url"
    )
    @classmethod
    def _refuse_what_secrets_must_not_be_sent_to(cls, address: str) -> str:
        if not fit_address(address):
            raise ValueError("it begins with https://, or names this machine")
        return address.rstrip("/")

    @field_validator("twitch_eventsub_secret")
    @classmethod
    def _refuse_another_length_of_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        text = secret.get_secret_value() if secret else None
        if text is not None and (len(text) not in SECRET_LENGTHS or not text.isascii()):
            raise ValueError("it takes 10 to 100 ASCII characters")
        return secret
