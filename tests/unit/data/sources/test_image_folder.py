"""Pictures in folders by class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.data.sources.image_folder import open_image_folder
from gambeson.data.sources.options import DataOptions
from tests.unit.data.sources.picture_files import noise, picture

ALL_TEST = DataOptions(test_fraction=1.0)


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def root(tmp_path):
    """Two classes with two pictures each; the values are those of the seeds 0 to 3."""
    for seed, name in enumerate(["cat/a.png", "cat/b.PNG", "dog/a.bmp", "dog/b.png"]):
        put(tmp_path / name, picture(noise(seed), "BMP" if name.endswith("bmp") else "PNG"))
    return tmp_path


def test_folders_are_classes_and_files_are_rows(root):
    data = open_image_folder(root, ALL_TEST)
    x, y = data.split("test").take(np.arange(4))
    assert data.schema.classes == ("cat", "dog")
    assert data.schema.shape == (3, 6, 5)
    assert y.tolist() == [0, 0, 1, 1]
    assert np.allclose(x * 255, [noise(seed).transpose(2, 0, 1) for seed in range(4)], atol=1e-4)
    batches = np.concatenate([b for b, _ in data.split("test").batches(3)])
    assert np.array_equal(batches, x)


def test_splits_may_have_folders_of_their_own(tmp_path):
    for seed, name in enumerate(["train/a/1.png", "train/b/1.png", "test/b/1.png"]):
        put(tmp_path / name, picture(noise(seed)))
    data = open_image_folder(tmp_path, DataOptions())
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 2, "test": 1}
    assert data.split("test").take(np.array([0]))[1].tolist() == [1]
    assert data.drawn == ""


def test_without_splits_rows_are_divided(root):
    data = open_image_folder(root, DataOptions(test_fraction=0.5))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 2, "test": 2}
    assert "test_fraction=0.5" in data.drawn


def test_the_digest_follows_content_and_names(root):
    digests = {open_image_folder(root, ALL_TEST).digest for _ in range(2)}
    assert len(digests) == 1
    (root / "cat/a.png").rename(root / "cat/c.png")
    digests.add(open_image_folder(root, ALL_TEST).digest)
    put(root / "cat/c.png", picture(noise(9)))
    digests.add(open_image_folder(root, ALL_TEST).digest)
    assert len(digests) == 3


def test_hidden_files_and_files_beside_the_classes_are_left_out(root):
    put(root / "cat/.DS_Store", b"x")
    put(root / ".cache/x.png", b"x")
    put(root / "README.txt", b"x")
    assert len(open_image_folder(root, ALL_TEST).split("test")) == 4


def test_unscaled_pictures_have_bounds_up_to_255(root):
    assert open_image_folder(root, DataOptions(test_fraction=1.0, scale=False)).schema.high == 255


def test_given_bounds_are_checked(root):
    with pytest.raises(UsageError, match=r"above the bound high=0.5"):
        open_image_folder(root, DataOptions(high=0.5))


@pytest.mark.parametrize("link", ["cat/link.png", "bird"])
def test_a_link_out_of_the_folder_is_refused(root, tmp_path_factory, link):
    outside = put(tmp_path_factory.mktemp("outside") / "bird/a.png", picture(noise(0)))
    (root / link).symlink_to(outside if link.endswith("png") else outside.parent)
    with pytest.raises(Refused, match=link):
        open_image_folder(root, ALL_TEST)


def test_a_link_within_the_folder_is_fine(root):
    (root / "cat/link.png").symlink_to(root / "cat/a.png")
    assert len(open_image_folder(root, ALL_TEST).split("test")) == 5


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("cat/z.png", picture(noise(0))[:-30], IntegrityError, "cut off"),
        ("cat/z.png", b"", IntegrityError, "cut off"),
        ("cat/z.png", b"a,b\n", IntegrityError, "no picture"),
        ("cat/z.png", picture(noise(0, (9, 9, 3))), UsageError, "is 9×9 RGB, the first picture is 5×6 RGB"),
        ("cat/z.png", picture(noise(0, (6, 5))), UsageError, "is 5×6 L, the first picture is 5×6 RGB"),
        ("cat/z.csv", b"a,b\n", UsageError, "no picture file"),
        ("cat/deeper/z.png", picture(noise(0)), UsageError, "no picture file"),
        ("cat/0.png", picture(noise(0, (300, 300, 3))), Refused, "300×300 pixels"),
    ],
)
def test_a_bad_file_is_named(root, name, content, error, message):
    put(root / name, content)
    with pytest.raises(error, match=message) as caught:
        open_image_folder(root, DataOptions(max_pixels=10_000))
    assert str(root / "cat") in caught.value.message


def test_no_classes_an_empty_class_and_one_class_are_errors(tmp_path):
    with pytest.raises(UsageError, match="holds no folders"):
        open_image_folder(tmp_path, ALL_TEST)
    (tmp_path / "cat").mkdir()
    with pytest.raises(UsageError, match="cat is empty"):
        open_image_folder(tmp_path, ALL_TEST)
    put(tmp_path / "cat/a.png", picture(noise(0)))
    with pytest.raises(UsageError, match="make 1 class"):
        open_image_folder(tmp_path, ALL_TEST)


def test_a_file_that_vanishes_later_is_one_clear_error(root):
    data = open_image_folder(root, ALL_TEST)
    (root / "cat/a.png").unlink()
    with pytest.raises(UsageError, match=r"a\.png cannot be read"):
        data.split("test").take(np.array([0]))
