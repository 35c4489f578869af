""".github/dependabot.yml, against the lists of dependencies that are in the repository."""

import os
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from expanded import ROOT

LISTS = {"cargo": "Cargo.lock", "npm": "package-lock.json", "pip": "requirements*.txt"}
INSTALLED = {".git", ".venv", ".aws-sam", "node_modules", "target"}


@pytest.mark.parametrize("ecosystem", LISTS)
def test_every_folder_with_a_list_is_looked_at(ecosystem):
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    (update,) = [update for update in updates if update["package-ecosystem"] == ecosystem]
    assert set(update["directories"]) == {folder for folder, file in files() if fnmatch(file, LISTS[ecosystem])}


def files():
    """Folder and name of each file, but for what was built or installed."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = set(folders) - INSTALLED
        for name in names:
            yield "/" + Path(folder).relative_to(ROOT).as_posix().removeprefix("."), name
