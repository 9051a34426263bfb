"""Settings of files that people send: a folder that all processes share, or an object store that speaks S3."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from adapters.assets.s3 import S3Access
from adapters.config.source import ASSET_FOLDER, Source

_TOGETHER = ("s3_bucket", "s3_access_key", "s3_secret_key")


class AssetSettings(Source):
    """Where files lie."""

    asset_folder: Path = Field(
        default=ASSET_FOLDER,
        description="Folder of the files that people send, shared by all processes, unless S3_BUCKET is set;"
        " `var/assets` when left out",
    )
    s3_bucket: str | None = Field(
        default=None, description="Private bucket for those files; a folder is used when left out"
    )
    s3_endpoint: str | None = Field(default=None, description="Address of the object store; Amazon's when left out")
    s3_region: str = Field(default="us-east-1", description="Region of the bucket")
    s3_access_key: str | None = Field(default=None, description="Who we are at the object store")
    s3_secret_key: SecretStr | None = Field(default=None, description="Our secret there")

    @field_validator("s3_endpoint")
    @classmethod
    def _end_the_store_without_slash(cls, address: str | None) -> str | None:
        return address.rstrip("/") if address else None

    @model_validator(mode="after")
    def _ask_for_all_of_the_store(self) -> Self:
        if len({getattr(self, name) is None for name in _TOGETHER}) > 1:
            raise ValueError(f"{', '.join(map(str.upper, _TOGETHER))} go together")
        return self

    @property
    def s3_access(self) -> S3Access | None:
        """The object store; None where a folder is used."""
        if self.s3_bucket is None or self.s3_access_key is None or self.s3_secret_key is None:
            return None
        secret = self.s3_secret_key.get_secret_value()
        return S3Access(self.s3_bucket, self.s3_region, self.s3_access_key, secret, self.s3_endpoint)
