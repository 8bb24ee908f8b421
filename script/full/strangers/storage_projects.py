"""One small project on several file systems: where an overlay is possible, and where the product has to copy."""
import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import tempfile
from typing import Iterator, Optional

from strangers.bed import Bed, Failure
from strangers.built_projects import copy_sample
from strangers.python_projects import run
from strangers.tests import from_lines

IMAGE_BYTES = 512 << 20


@dataclasses.dataclass(frozen=True)
class StorageProject:
    """The C project on one file system; `reason` is what the record says where no overlay is possible."""
    name: str
    what: str
    reason: Optional[str] = None
    # Every kind of change: files that are made, changed, moved, replaced by another kind, and gone.
    command: tuple[str, ...] = (
        "sh", "-c",
        "./configure && make -s check && echo '/* more */' >>words.c && chmod 600 words.h && mkdir -p sub/deep && "
        "mv suite.c sub/deep && ln -s words.c link && rm Makefile.in && mkdir Makefile.in && make -s clean",
    )
    apply: str = "auto"
    seconds: float = 120
    volatile: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = (("gcc", "gcc"), ("make", "make"))
    inherent: dict[str, str] = dataclasses.field(default_factory=dict)
    results = staticmethod(from_lines)

    def prepare(self, bed: Bed, cache: pathlib.Path) -> None:
        del cache
        copy_sample("c", bed)

    @contextlib.contextmanager
    def place(self) -> Iterator[str]:
        """A directory on the file system, which is gone afterwards."""
        base = tempfile.mkdtemp(prefix="bailey-storage.", dir="/var/tmp")
        os.chmod(base, 0o755)
        mounted = base + "/mounted"
        os.mkdir(mounted)
        try:
            self.mount(base, mounted)
            os.chmod(mounted, 0o755)
            yield mounted
        finally:
            subprocess.run(["umount", mounted], check=False, capture_output=True)
            if os.path.ismount(mounted):
                subprocess.run(["umount", "--lazy", mounted], check=False, capture_output=True)
            shutil.rmtree(base, ignore_errors=True)

    def mount(self, base: str, mounted: str) -> None:
        if self.name == "tmpfs":
            run(["mount", "-t", "tmpfs", "-o", f"size={IMAGE_BYTES}", "tmpfs", mounted])
        elif self.name == "overlayfs":
            for name in ("lower", "upper", "work"):
                os.mkdir(f"{base}/{name}")
            options = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"
            run(["mount", "-t", "overlay", "overlay", "-o", options, mounted])
        elif self.name == "fuse":
            os.mkdir(base + "/source")
            run(["bindfs", base + "/source", mounted])
        else:
            with open(base + "/image", "wb") as image:
                image.truncate(IMAGE_BYTES)
            run([f"mkfs.{self.name}", "-q", base + "/image"])
            run(["mount", "-o", "loop", base + "/image", mounted])

    def obstacle(self) -> Optional[str]:
        """Why this cannot be set up here, or nothing."""
        return None if os.getuid() == 0 else "only root mounts a file system"


def check_reason(project: StorageProject, bed: Bed) -> list[str]:
    """Whether the run's record names the file system where it had to copy, and no reason where it had not."""
    lines = bed.must([bed.bailey, "journal", "events", "--type", "RUN_CREATED", "--project", str(bed.project), "last"])
    expected = f'"workspace_reason":"{project.reason}"' if project.reason else '"workspace_reason":null'
    return [] if expected in lines else [f"the record does not hold {expected}: {lines[:2000]}"]


PROJECTS = [
    StorageProject("tmpfs", "C project in memory"),
    StorageProject("ext4", "C project on ext4"),
    StorageProject("xfs", "C project on xfs", needs=(("gcc", "gcc"), ("make", "make"), ("mkfs.xfs", "xfsprogs"))),
    StorageProject("overlayfs", "no overlay is possible: copy", reason="the run's directory lies on overlay"),
    StorageProject(
        "fuse", "no overlay is possible: copy", reason="the run's directory lies on FUSE",
        needs=(("gcc", "gcc"), ("make", "make"), ("bindfs", "bindfs")),
    ),
]
