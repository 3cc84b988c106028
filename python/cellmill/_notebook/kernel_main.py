"""Starts an IPython kernel as Jupyter would, with an observer outside the user's namespace.

Usage: `<python> kernel_main.py CONFIG.json`. The project's packages win over ours: the tools' site-packages go to the end
of sys.path. Invariant: user code sees what it would see under Jupyter (`sys.argv`, `__main__`, an empty first path).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _load_observer() -> tuple[type, Any]:
    """Imports our modules once; the path to them is not left behind."""
    sys.path.insert(0, _ROOT)
    try:
        from cellmill._notebook import kernel_pipes  # noqa: F401
        from cellmill._notebook import encode_code, encode_data, encode_database, encode_figure, encode_streams  # noqa: F401
        from cellmill._notebook.kernel_clock import shift_clock
        from cellmill._notebook.observe import Observer
        from cellmill._runner import table_codec  # noqa: F401

        return Observer, shift_clock
    finally:
        sys.path.remove(_ROOT)


def _see_own_folder() -> None:
    """The notebook's folder, where IPython puts it; IPython itself leaves it out under `-P`."""
    if "" not in sys.path:
        places = (at for at, folder in enumerate(sys.path) if folder.endswith(("site-packages", "dist-packages")))
        sys.path.insert(next(places, len(sys.path)), "")


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as stream:
        config = json.load(stream)
    observer_type, shift_clock = _load_observer()
    config["clock"] = shift_clock(config["clockShiftSeconds"])
    tools = config.get("toolsSitePackages")
    if tools and tools not in sys.path:
        sys.path.append(tools)

    from ipykernel.kernelapp import IPKernelApp  # before the notebook's folder may answer to any name
    from traitlets.config import Config

    from cellmill._notebook.kernel_pipes import keep_all_outputs, use_unix_pipes

    keep_all_outputs()
    use_unix_pipes(os.path.join(config["folder"], "s"))
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.HistoryManager.hist_file = ":memory:"
    # Started by name, so that relative paths and notebooks that parse their arguments meet what Jupyter gives them.
    sys.argv = ["ipykernel_launcher.py", "-f", config["connectionFile"]]
    app = IPKernelApp.instance(config=settings)
    app.initialize(["-f", config["connectionFile"]])
    _see_own_folder()
    observer = observer_type(config, app)
    observer.install()
    app.start()


if __name__ == "__main__":
    main()
