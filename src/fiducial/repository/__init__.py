"""The data repository behind a small face: create, ingest, find, certify, chain, export, import, ledger."""
