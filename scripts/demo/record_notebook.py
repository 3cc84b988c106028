"""Makes delays.ipynb beside this file: the template's notebook with the outputs that it shows on the demo's data, run in
the order of its execution counts as its author did. Argument: the folder with flights.csv and airlines.csv.
Needs jupyter_client and ipykernel, which the tests' environment has: .venv/bin/python scripts/demo/record_notebook.py DIR
"""

import json
import sys
from pathlib import Path

from jupyter_client.manager import start_new_kernel

here = Path(__file__).resolve().parent
template = here.parents[1] / "packages/cli/templates/notebook/notebooks/delays.ipynb"
AUTHORS_FOLDER = "/home/maria/projects/delays/data/"


def main(data: Path) -> None:
    notebook = json.loads(template.read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        for cell in sorted(cells, key=lambda cell: cell["execution_count"]):
            cell["outputs"] = outputs_of(client, cell, f"{data.resolve()}/")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    (here / "delays.ipynb").write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def outputs_of(client, cell: dict, data: str) -> list:
    outputs: list = []

    def collect(message: dict) -> None:
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            outputs.append({"output_type": "stream", "name": content["name"], "text": lines(content["text"])})
        elif kind in ("execute_result", "display_data"):
            shown = {name: lines(value) if name.startswith("text/") else value for name, value in content["data"].items()}
            output = {"output_type": kind, "data": shown, "metadata": content["metadata"]}
            if kind == "execute_result":
                output["execution_count"] = cell["execution_count"]
            outputs.append(output)

    source = "".join(cell["source"]).replace(AUTHORS_FOLDER, data)
    reply = client.execute_interactive(source, output_hook=collect, timeout=300)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))
    return outputs


def lines(text: str) -> list:
    return text.splitlines(keepends=True)


main(Path(sys.argv[1]))
