"""A notebook's code cells in plain IPython, without a kernel: whether it runs here, and in how many seconds.

The cells' sources as JSON on stdin; `{"seconds": ..., "error": ...}` as the last line on stdout.
"""

import json
import os
import sys
import time


def main():
    cells = json.load(sys.stdin)
    os.environ["MPLBACKEND"] = "agg"
    from IPython.core.interactiveshell import InteractiveShell

    answer = sys.stdout
    sys.stdout = sys.stderr
    sys.path.insert(0, "")
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    started = time.perf_counter()
    error = None
    for index, source in enumerate(cells):
        # The backend of this process stays agg.
        text = "\n".join(line for line in source.split("\n") if not line.startswith("%matplotlib"))
        result = shell.run_cell(text, store_history=True)
        if not result.success:
            error = f"cell {index}: {(result.error_in_exec or result.error_before_exec)!r}"[:300]
            break
    json.dump({"seconds": round(time.perf_counter() - started, 2), "error": error}, answer)


if __name__ == "__main__":
    main()
