"""What the name of a collection tells of the production that wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fiducial.errors import UsageError
from fiducial.selection.naming import Names

_NAME = re.compile(
    r"^(?P<instrument>[^/]+)/calib/(?P<ticket>[^/]+)/(?P<tag>[^/]+)/"
    r"(?P<kind>[a-z][A-Za-z]*)Gen(?P<filter>-[^/]+?)?\.(?P<rerun>[^/.]+)(?P<run>/[^/]+)?$"
)


@dataclass(frozen=True, slots=True)
class Production:
    """A production, as the collection that it wrote is named.

    ``collection`` is the name that was given: the chain, or one of its runs.
    """

    collection: str
    kind: str
    ticket: str
    tag: str
    rerun: str
    names: Names


def production_of(collection: str) -> Production:
    """Understand the name of a collection that ``make``, or ``pipetask`` by our convention, wrote.

    Parameters
    ----------
    collection
        ``CAMERA/calib/TICKET/TAG/biasGen.RERUN``, or a run below it.

    Raises
    ------
    UsageError
        If the name does not follow the convention.
    """
    match = _NAME.match(collection)
    if match is None:
        raise UsageError(
            f"{collection!r} is not the collection of a production",
            hint="such collections are called CAMERA/calib/TICKET/TAG/biasGen.RERUN; "
            "`butler query-collections` lists them",
        )
    part = match.groupdict(default="")
    base = f"{part['instrument']}/calib/{part['ticket']}/{part['tag']}"
    kind, tail = part["kind"], f"{part['filter']}.{part['rerun']}"
    names = Names(
        gen=f"{base}/{kind}Gen{tail}",
        verify=f"{base}/verify{kind[0].upper()}{kind[1:]}{tail}",
        certified=f"{base}/{kind}{tail}",
        ticket_chain=f"{part['instrument']}/calib/{part['ticket']}",
        calib=f"{part['instrument']}/calib",
    )
    return Production(collection, kind, part["ticket"], part["tag"], part["rerun"], names)
