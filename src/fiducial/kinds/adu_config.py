"""The settings of what is measured in adu: the gain is not known yet."""

from typing import ClassVar

from fiducial.corrections.chain import world_of
from fiducial.errors import ConfigurationError
from fiducial.kinds.config import ChainConfig


class AduConfig(ChainConfig):
    """A chain without a gain, for flats."""

    what: ClassVar[str]  # measured: for the message

    def setDefaults(self) -> None:
        """Work in adu."""
        super().setDefaults()
        self.chain = ["saturation", "overscan", "assembly", "bias", "nan"]

    def validate(self) -> None:
        """Refuse a chain that has a gain already."""
        super().validate()
        if world_of(list(self.chain)) != "adu":
            raise ConfigurationError(
                f"{self.what}: its chain cannot have one", hint="Take 'gain' out of the chain."
            )
