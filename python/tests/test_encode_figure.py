"""A figure has one digest before and after it is drawn, and another one when what it shows is changed."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402

from cellmill._notebook import encode  # noqa: E402

_POINTS = np.random.RandomState(0).rand(20, 3)


def _image():
    plt.colorbar(plt.imshow(_POINTS[:3], cmap="RdBu_r", vmin=-1, vmax=1)).ax.set_ylabel("r")
    plt.tight_layout()


def _deep():
    axes = plt.figure().add_subplot(111, projection="3d")
    axes.scatter(*_POINTS.T, c=_POINTS[:, 0], s=50, alpha=0.8)
    axes.view_init(azim=-66, elev=12)


def _coloured():
    plt.scatter(*_POINTS[:, :2].T, c=_POINTS[:, 2], s=_POINTS[:, 0] * 9)
    plt.legend(["points"])


def _contours():
    plt.contour(_POINTS[:4, :3], levels=[0.2, 0.5])


@pytest.mark.parametrize("draw", [_image, _deep, _coloured, _contours])
def test_drawing_changes_nothing(draw, tmp_path):
    draw()
    figure = plt.gcf()
    before = encode.digest(figure)
    figure.savefig(tmp_path / "figure.png", bbox_inches="tight")
    assert encode.digest(figure) == before
    plt.close("all")


@pytest.mark.parametrize(
    "draw, change",
    [
        (_contours, lambda axes: axes.contour(_POINTS[:4, :3], levels=[0.7])),
        (_image, lambda axes: axes.images[0].set_clim(-2, 2)),
        (_deep, lambda axes: axes.collections[0].set_array(_POINTS[:, 1])),
        (_deep, lambda axes: axes.collections[0].set_sizes([9.0])),
        (_deep, lambda axes: axes.set_title("other")),
        (_coloured, lambda axes: axes.collections[0].set_offsets(_POINTS[:, 1:])),
    ],
)
def test_a_change_is_seen(draw, change):
    draw()
    figure = plt.gcf()
    before = encode.digest(figure)
    change(figure.axes[0])
    assert encode.digest(figure) != before
    plt.close("all")
