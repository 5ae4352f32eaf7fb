"""What a repository holds in any of its runs: tables, products and headers, whoever made them and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from astropy.io import fits
from lsst.daf.butler import CollectionType, FileIntegrityError, MissingDatasetTypeError

from fiducial.errors import FiducialError, IntegrityError, first_of_ours

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef


_CALIBRATIONS = "exposure.observation_type IN ('bias', 'dark', 'flat')"


@dataclass(frozen=True, slots=True)
class Taken:
    """When an exposure was taken."""

    night: int  # YYYYMMDD
    dark_time: float  # s


def exposures_taken(butler: Butler, instrument: str) -> dict[int, Taken]:
    """Night and dark time of every bias, dark and flat; the exposure time where no dark time is known."""
    with butler.query() as query:
        return {
            int(one.id): Taken(int(one.day_obs), float(one.dark_time or one.exposure_time or 0.0))
            for one in query.dimension_records("exposure").where(_CALIBRATIONS, instrument=instrument)
        }


def datasets_everywhere(butler: Butler, instrument: str, dataset_type: str) -> list[DatasetRef]:
    """List the datasets of a type in all runs of a camera; none if there is no such type."""
    try:
        known = butler.get_dataset_type(dataset_type)
        if "instrument" not in known.dimensions:
            return []
        found = butler.query_datasets(
            known, "*", find_first=False, instrument=instrument, explain=False, limit=None
        )
    except MissingDatasetTypeError:
        return []
    return sorted(found, key=lambda ref: (ref.run, str(dict(ref.dataId.required))))


def runs_in_chains(butler: Butler, instrument: str) -> dict[str, frozenset[str]]:
    """The runs that each chain of a camera leads to."""
    infos = butler.collections.query_info(f"{instrument}/*", include_chains=True, flatten_chains=False)
    children: Mapping[str, tuple[str, ...]] = {info.name: tuple(info.children) for info in infos}
    chains = {info.name for info in infos if info.type is CollectionType.CHAINED}
    runs = {info.name for info in infos if info.type is CollectionType.RUN}
    return {chain: frozenset(_below(chain, children, set()) & runs) for chain in chains}


def _below(name: str, children: Mapping[str, tuple[str, ...]], seen: set[str]) -> set[str]:
    if name not in seen:
        seen.add(name)
        for child in children.get(name, ()):
            _below(child, children, seen)
    return seen


def read_dataset(butler: Butler, ref: DatasetRef, **how: Any) -> Any:
    """A dataset as `Butler.get` gives it.

    Raises
    ------
    IntegrityError
        Its file is gone, or is not what it was.
    """
    try:
        return butler.get(ref, **how)
    except (OSError, ValueError, FileIntegrityError, FiducialError) as error:
        if (ours := first_of_ours(error)) is not None:
            raise ours from error
        raise IntegrityError(
            f"{ref.datasetType.name}: its file is gone, or is not what it was",
            hint="`fiducial audit` lists such files",
        ) from error


def primary_header(butler: Butler, ref: DatasetRef) -> dict[str, Any]:
    """Our own cards of a product's file, those that begin with FID; its pixels are not read.

    Raises
    ------
    IntegrityError
        The file is gone, or no FITS.
    """
    uri = butler.getURI(ref)
    try:
        with uri.as_local() as local:
            cards = fits.Header.fromfile(local.ospath).cards
            return {card.keyword: card.value for card in cards if card.keyword.startswith("FID")}
    except (OSError, ValueError, EOFError, fits.VerifyError) as error:
        raise IntegrityError(
            f"{uri.basename()}: its header cannot be read", hint="`fiducial audit` lists such files"
        ) from error
