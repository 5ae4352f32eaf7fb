"""Chains of collections, and their states before and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsst.daf.butler import CollectionCycleError, CollectionType

from fiducial.errors import RepositoryError
from fiducial.repository.client import collection_type, require_collections

if TYPE_CHECKING:
    from lsst.daf.butler import Butler


@dataclass(frozen=True)
class ChainChange:
    """A chain and its members before and after."""

    chain: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def members(butler: Butler, chain: str) -> tuple[str, ...]:
    """The members of a chain; none if there is no such collection.

    Raises
    ------
    RepositoryError
        If the collection is no chain.
    """
    kind = collection_type(butler, chain)
    if kind is None:
        return ()
    if kind is not CollectionType.CHAINED:
        raise RepositoryError(
            f"{chain} is a {kind.name} collection and no chain", hint="Name a chain, or a new name."
        )
    return tuple(butler.collections.get_info(chain).children)


def prepend_chain(butler: Butler, chain: str, new: Sequence[str]) -> ChainChange:
    """Put collections first in a chain, which is made if there is none.

    Members that are in it already move to the front; the order is that of ``new``.

    Raises
    ------
    RepositoryError
        If a collection does not exist, or would contain itself.
    """
    before = members(butler, chain)
    require_collections(butler, new)
    butler.collections.register(chain, CollectionType.CHAINED)
    try:
        butler.collections.prepend_chain(chain, list(dict.fromkeys(new)))
    except CollectionCycleError as error:
        raise RepositoryError(
            f"{chain} would contain itself: {error}", hint="Leave out the chain that holds it."
        ) from error
    return ChainChange(chain, before, members(butler, chain))
