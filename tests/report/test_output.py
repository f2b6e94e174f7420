"""Report files appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vqa2cli.errors import UsageError
from vqa2cli.report.output import report_file


def stop_half_way(path: Path, error: type[BaseException]) -> None:
    with report_file(path) as stream:
        stream.write("half")
        raise error


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_only_when_the_report_is_done(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with report_file(path) as stream:
        stream.write("new")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert leftovers(tmp_path) == ["report.json"]


def test_an_error_leaves_the_old_report_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        stop_half_way(path, ZeroDivisionError)
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == ["report.json"]


def test_an_interrupted_run_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(KeyboardInterrupt):
        stop_half_way(path, KeyboardInterrupt)
    assert path.read_text() == "half"


def test_a_folder_that_is_not_there_or_a_folder_as_file_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "report.json", tmp_path):
        with pytest.raises(UsageError, match="cannot write"), report_file(path):
            pytest.fail("opened")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with (
        pytest.raises(UsageError, match="cannot write /dev/full"),
        report_file(Path("/dev/full")) as out,
    ):
        out.write("x" * 100_000)


def test_a_link_is_written_through_and_permissions_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with report_file(link) as stream:
        stream.write("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        with report_file(tmp_path / "report.json") as stream:
            stream.write("x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o640
