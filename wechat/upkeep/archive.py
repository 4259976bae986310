"""The file of a backup: one .tar.gz with the database, the uploaded files, and a manifest with the checksum of each.

Nothing in it is taken on trust when it is read: names, sizes and sums are checked before anything is used.
"""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from wechat.upkeep import Impossible

FORMAT = 1
DATABASE, MANIFEST, MEDIA = "database", "manifest.json", "media/"
CHUNK = 1 << 20  # bytes
MANIFEST_BYTES = 64 << 20


@dataclass
class Manifest:
    """What a backup holds. `files` has the size and the SHA-256 of each, by its name in the archive."""

    vendor: str
    version: str
    made_at: str  # ISO 8601, UTC
    migrations: list[list[str]]
    counts: dict[str, int]
    files: dict[str, list[Any]] = field(default_factory=dict)
    product: str = "wxhub"
    format: int = FORMAT


def write(target: Path, manifest: Manifest, database: Path, media: Path) -> None:
    """Make the file, readable for its owner only. Raises Impossible when there is one of that name already."""
    draft = target.with_name(f".{target.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar:
                _add(tar, manifest, DATABASE, database)
                for path in _files(media):
                    _add(tar, manifest, MEDIA + path.relative_to(media).as_posix(), path)
                _add_manifest(tar, manifest)
            raw.flush()
            os.fsync(raw.fileno())
        target.hardlink_to(draft)  # unlike a rename, this replaces nothing
    except FileExistsError:
        raise Impossible(f"{target} exists already; it is not overwritten.") from None
    finally:
        draft.unlink(missing_ok=True)


def unpack(source: Path, folder: Path) -> Manifest:
    """Unpack it into an empty folder. Raises Impossible when anything of it is not as it was written."""
    found: dict[str, list[Any]] = {}
    written = ""
    try:
        with tarfile.open(source, mode="r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or not _is_ours(member.name) or member.name in found:
                    raise Impossible(f"{source} holds something that is not of a backup: {member.name[:80]!r}")
                if member.name == MANIFEST:
                    written = content.read(MANIFEST_BYTES).decode()
                else:
                    found[member.name] = _extract(content, folder / member.name)
    except (OSError, tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise Impossible(f"{source} cannot be read: {error}") from None
    manifest = _parse(written, source)
    if manifest.files != found:
        wrong = sorted(name for name in {*found, *manifest.files} if manifest.files.get(name) != found.get(name))
        raise Impossible(f"{source} is damaged: {', '.join(wrong[:5])} is not what was backed up.")
    return manifest


def _parse(written: str, source: Path) -> Manifest:
    try:
        manifest = Manifest(**json.loads(written))
    except (ValueError, TypeError):
        raise Impossible(f"{source} is no backup of WxHub: it has no manifest.") from None
    if manifest.product != "wxhub" or manifest.format != FORMAT:
        raise Impossible(f"{source} is of another kind (format {manifest.format}); this version reads {FORMAT}.")
    return manifest


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _add(tar: tarfile.TarFile, manifest: Manifest, name: str, path: Path) -> None:
    with suppress(FileNotFoundError):  # staff removed it this very moment
        with path.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            reader = _Summing(content)
            tar.addfile(_entry(name, size), reader)
        manifest.files[name] = [size, reader.digest.hexdigest()]


def _add_manifest(tar: tarfile.TarFile, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
    tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


class _Summing(io.RawIOBase):
    """Reads a file, and sums up what was read."""

    def __init__(self, content: IO[bytes]) -> None:
        super().__init__()
        self._content, self.digest = content, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._content.read(size)
        self.digest.update(chunk)
        return chunk


def _is_ours(name: str) -> bool:
    if name in (DATABASE, MANIFEST):
        return True
    parts = name.split("/")
    return name.startswith(MEDIA) and all(
        re.fullmatch(r"[^\x00/\\]+", part) and part not in (".", "..") for part in parts
    )


def _extract(content: IO[bytes], path: Path) -> list[Any]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return [size, digest.hexdigest()]
