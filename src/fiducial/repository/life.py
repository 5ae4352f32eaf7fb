"""The life of a calibration in a repository: certified, chained, adopted, shipped and audited."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lsst.daf.butler import Butler

from fiducial.cameras.model import Camera
from fiducial.errors import RepositoryError
from fiducial.repository import names
from fiducial.repository.adopt import adopt_masters
from fiducial.repository.audit import AuditReport, audit
from fiducial.repository.certify import Certification, certify
from fiducial.repository.chains import ChainChange, members, prepend_chain
from fiducial.repository.export import Bundle, export_bundle, import_bundle
from fiducial.repository.ledger import Entry, Ledger
from fiducial.repository.storage import storage_errors
from fiducial.repository.validity import Moment, timespan

if TYPE_CHECKING:
    from fiducial.cameras.facts import StateValue


class CalibrationLife:
    """What `~fiducial.repository.Repository` does with calibrations once they are made."""

    root: Path
    butler: Butler
    instrument: str
    writeable: bool

    def camera(self) -> Camera:
        """The camera."""
        raise NotImplementedError

    @property
    def ledger(self) -> Ledger:
        """Every step that was taken on this repository."""
        return Ledger(self.root)

    def certify(
        self,
        kind: str,
        run: str,
        collection: str,
        *,
        begin: Moment | None,
        end: Moment | None = None,
        detectors: Collection[int] | None = None,
        partial: bool = False,
        reason: str = "",
    ) -> Certification:
        """Certify the calibrations of one kind in a run for a span of dates.

        The SHA-256 of every file is kept; from now on the files are checked when they are read.
        Certifying the very same again changes nothing.

        Parameters
        ----------
        kind
            Such as ``bias``.
        run
            The run that holds them, or the chain of outputs above it (its newest own run counts).
        collection
            The CALIBRATION collection that they go into; made if there is none.
        begin, end
            First moment, and first moment no more, for which they are valid (TAI); None is open.
        detectors
            Those that a whole set has; where not given those of the camera for science.
        partial
            Whether a set that lacks detectors may be certified.
        reason
            Why it is certified, where that needs a word; it goes to the ledger.

        Raises
        ------
        RepositoryError
            If the set is not complete, or overlaps one that the collection has already.
        IntegrityError
            If a file is missing or was changed since it was certified before.
        """
        self._must_be_writeable()
        with storage_errors(self.root):
            certification = certify(
                self.root,
                self.butler,
                self.camera(),
                kind,
                run,
                collection,
                timespan(begin, end),
                detectors=detectors,
                partial=partial,
            )
        chain = names.calib(self.instrument)
        state = {chain: members(self.butler, chain)}
        self.ledger.append(
            "certify",
            instrument=self.instrument,
            inputs={
                "kind": kind,
                "collection": collection,
                "begin": certification.begin,
                "end": certification.end,
                "products": [list(product) for product in certification.products],
                "partial": partial,
                "reason": reason,
            },
            before=state,
            after=state,
            run=certification.run,
            outcome="already" if certification.already else "done",
        )
        return certification

    def prepend_chain(self, chain: str, collections: Sequence[str]) -> ChainChange:
        """Put collections first in a chain, so that they are searched first; the chain is made if need be.

        Parameters
        ----------
        chain
            Such as ``<CAMERA>/calib``.
        collections
            Those to put first; members that are in it already move to the front.

        Returns
        -------
        change
            The chain's members before and after; the ledger has both.
        """
        self._must_be_writeable()
        with storage_errors(self.root):
            change = prepend_chain(self.butler, chain, collections)
        self.ledger.append(
            "chain",
            instrument=self.instrument,
            inputs={"prepended": list(collections)},
            before={chain: change.before},
            after={chain: change.after},
        )
        return change

    def adopt(
        self,
        kind: str,
        files: Sequence[str | os.PathLike[str]],
        *,
        begin: Moment | None,
        end: Moment | None = None,
        detector: int | None = None,
        physical_filter: str | None = None,
        unit: str | None = None,
        state: Mapping[str, StateValue] | None = None,
    ) -> Certification:
        """Take masters that something else made (plain FITS) as certified calibrations.

        They are converted to the unit of the kind (electrons by the nominal gains; bootstrap kinds adu),
        certified as they are, and put first in ``<CAMERA>/calib``.

        Parameters
        ----------
        kind
            Such as ``bias``.
        files
            One of each detector and filter, of the assembled detector.
        begin, end
            Their validity (TAI); None is open.
        detector, physical_filter, unit
            What they are of and their unit (``adu``, ``electron/s``, ...), where their headers do not say.
        state
            The camera state they were made in, where their headers do not say; frames of another state are
            refused when it is used.

        Raises
        ------
        FrameError
            If a file cannot be read, has another shape than the detector, or does not say what it is.
        """
        self._must_be_writeable()
        span = timespan(begin, end)
        run = f"{names.calib(self.instrument)}/adopted/{kind}/{names.timestamp()}"
        notes = adopt_masters(
            self.butler,
            self.camera(),
            kind,
            [Path(file) for file in files],
            run,
            detector=detector,
            physical_filter=physical_filter,
            unit=unit,
            state=state,
        )
        certification = self.certify(
            kind, run, f"{run}/certified", begin=span.begin, end=span.end, partial=True, reason="adopted"
        )
        self.prepend_chain(names.calib(self.instrument), [certification.collection])
        return replace(certification, notes=notes)

    def export(self, collections: str | Sequence[str], folder: str | os.PathLike[str]) -> Bundle:
        """Write the certified calibrations of collections into a new folder, with the SHA-256 of every file.

        `butler import` takes it too.

        Raises
        ------
        NothingToDo
            If nothing is certified there.
        IntegrityError
            If a file is not what was certified.
        """
        wanted = [collections] if isinstance(collections, str) else list(collections)
        bundle = export_bundle(self.root, self.butler, self.instrument, wanted, Path(folder))
        if self.writeable:
            self.ledger.append(
                "export",
                instrument=self.instrument,
                inputs={"collections": wanted, "folder": str(folder), "files": bundle.files},
            )
        return bundle

    def import_(self, folder: str | os.PathLike[str]) -> Bundle:
        """Take a bundle in, after everything in it is checked; importing it again changes nothing.

        Put its collections first in ``<CAMERA>/calib`` with `prepend_chain`.

        Raises
        ------
        IntegrityError
            If a file is not what the manifest says, or would be read by something that could execute it.
        """
        self._must_be_writeable()
        bundle = import_bundle(self.root, self.butler, self.instrument, Path(folder))
        self.ledger.append(
            "import",
            instrument=self.instrument,
            inputs={"folder": str(folder), "collections": list(bundle.collections), "files": bundle.files},
        )
        return bundle

    def audit(self) -> AuditReport:
        """Look at every certified calibration: is its file there, with the bytes that were certified.

        Raises
        ------
        IntegrityError
            If the ledger itself was changed.
        """
        return audit(self.root, self.butler, self.instrument)

    def history(self) -> list[Entry]:
        """Every step on the repository, the oldest first; IntegrityError if one was changed."""
        return self.ledger.history()

    def _must_be_writeable(self) -> None:
        if not self.writeable:
            raise RepositoryError(f"{self.root} was opened for reading", hint="Open it with writeable=True.")
