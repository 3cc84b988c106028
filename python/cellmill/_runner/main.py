"""Entry of a step's process: `python -s -P main.py FOLDER`, where FOLDER holds `work.json`.

Not `-I`: that ignores PYTHONHASHSEED. The environment is cleared by the parent, which gives the same isolation.
The package's own root does not stay on sys.path, so the project's and its packages' names are all there is.
"""

import os
import sys


def _main() -> None:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path.insert(0, root)
    import cellmill._runner.run_step as run_step

    sys.path.remove(root)
    run_step.main(sys.argv[1])


if __name__ == "__main__":
    _main()
