"""What may lie in the dataset of a site: files and folders, and no link that leads out of it."""

from __future__ import annotations

import os

from study_app.dataset.pooling.sites import _copied


def test_files_and_folders_are_copied_and_links_to_either_are_not(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "to_file").symlink_to(tmp_path / "file")
    (tmp_path / "to_folder").symlink_to(tmp_path / "folder")
    (tmp_path / "to_nothing").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    assert {entry.name: _copied(entry) for entry in os.scandir(tmp_path)} == {
        "file": True, "folder": True, "to_file": False, "to_folder": False, "to_nothing": False, "pipe": False,
    }  # fmt: skip
