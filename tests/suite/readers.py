"""Reads every export of a picture with libraries that are not ours, and compares each cell with the JSON export.

In: a folder with picture.csv, picture.excel.csv, picture.xlsx, picture.json, picture.jsonl and picture.sdmx.csv.
Out: a line for each reader, `READER CELLS`; the first difference ends the program with an error.
"""

import json
import math
import sys
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas
import sdmx
import sdmx.model.common
import sdmx.model.v30
from pysdmx.io import read_sdmx

NUMBERS = ["value", "standard_error", "lower", "upper", "whole_lower", "whole_upper"]
LISTS = ["contributors", "missing", "not_shown", "silent", "footnotes"]
TEXTS = ["indicator", "indicator_name", "crime_area", "crime_area_name", "region", "region_name", "period", "state", "unit"]
COUNTS = ["version", "decimals", "answered", "members"]
# A spreadsheet keeps so many digits of a number.
DIGITS = 15


def same(reader, row, column, found, wanted):
    if found != wanted:
        sys.exit(f"{reader}: row {row}, {column}: {found!r} where {wanted!r} is wanted")


def categories(cell):
    named = [f"{of}={code}" for of, code in cell["categories"].items() if code != "_T"]
    return ";".join(named) or "_T"


def flat(document):
    """Every observation as one row: texts, whole numbers, figures as decimals or None."""
    picture = document["picture"]
    for cell in document["observations"]:
        row = {name: cell[name] for name in TEXTS}
        row |= {name: " ".join(cell[name]) for name in LISTS}
        row |= {name: cell[name] and Decimal(cell[name]) for name in NUMBERS}
        row["basis"] = cell["basis"] or ""
        row["categories"] = categories(cell)
        row["decimals"] = cell["decimals"]
        row["requirement"], row["version"] = picture["requirement"], picture["version"]
        row["drawn_at"], row["picture_sha256"] = picture["drawn_at"], picture["picture_sha256"]
        row["answered"] = picture["coverage"]["answered"]
        row["members"] = picture["coverage"]["members"]
        yield row


def guarded(text):
    return "'" + text if text.lstrip()[:1] in ("=", "+", "-", "@") and text else text


def delimited(reader, path, rows, separator, decimal):
    # As text: nothing is lost.
    encoding = "utf-8-sig" if decimal == "," else "utf-8"
    read = {"sep": separator, "encoding": encoding}
    table = pandas.read_csv(path, dtype=str, keep_default_na=False, **read)
    same(reader, "-", "rows", len(table), len(rows))
    for at, wanted in enumerate(rows):
        for name, value in wanted.items():
            found = table[name][at]
            if name in NUMBERS:
                found = None if found == "NaN" else Decimal(found.replace(",", "."))
            elif name in COUNTS:
                found = int(found)
            else:
                value = guarded(value)
            same(reader, at, name, found, value)
    # As it comes: figures are numbers, gaps are NaN, and no text is taken for a gap.
    table = pandas.read_csv(path, decimal=decimal, **read)
    for name in NUMBERS:
        for at, wanted in enumerate(rows):
            found, value = float(table[name][at]), wanted[name]
            same(reader, at, f"{name} is a gap", math.isnan(found), value is None)
            near = value is None or math.isclose(found, value, rel_tol=1e-15)
            same(reader, at, f"{name} is near {value}", near, True)
    return len(rows)


def spreadsheet(reader, path, rows):
    book = openpyxl.load_workbook(path)
    same(reader, "-", "sheets", book.sheetnames, ["data", "coverage", "notes"])
    sheet = list(book["data"].iter_rows())
    names = [cell.value for cell in sheet[0]]
    same(reader, "-", "rows", len(sheet) - 1, len(rows))
    for at, (cells, wanted) in enumerate(zip(sheet[1:], rows)):
        cells = dict(zip(names, cells))
        for name, value in wanted.items():
            cell = cells[name]
            same(reader, at, f"{name} as formula", cell.data_type == "f", False)
            if name in NUMBERS and value is not None:
                digits = len(value.as_tuple().digits)
                kind = str if digits > DIGITS else (int, float)
                same(reader, at, f"kind of {name}", isinstance(cell.value, kind), True)
                same(reader, at, name, Decimal(str(cell.value)), value)
            elif name in NUMBERS or name in COUNTS:
                same(reader, at, name, cell.value, value)
            else:
                same(reader, at, name, cell.value or "", value)
    frame = pandas.read_excel(path, sheet_name="data")
    same(reader, "-", "rows in pandas", len(frame), len(rows))
    same(reader, "-", "columns in pandas", list(frame.columns), names)
    return len(rows)


def lines(reader, path, document):
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for at, (line, wanted) in enumerate(zip(found, document["observations"], strict=True)):
        same(reader, at, "picture", line.pop("picture")["requirement"], document["picture"]["requirement"])
        same(reader, at, "cell", line, wanted)
    same(reader, "-", "rows in pandas", len(pandas.read_json(path, lines=True, dtype=False)), len(found))
    return len(found)


STATUS = {"missing": "O", "waiting": "O", "not_shown": "Q", "not_applicable": "M", "partial": "D"}


def sdmx_rows(document):
    """Every observation as SDMX has it, by column."""
    picture = document["picture"]
    for row, cell in zip(flat(document), document["observations"]):
        period = row["period"]
        half, quarter = "H" in period, "Q" in period
        frequency = "S" if half else "Q" if quarter else "A" if len(period) == 4 else "M"
        status = STATUS.get(row["state"], "E" if row["standard_error"] else "A")
        public = row["basis"] in ("open", "published") or row["value"] is None
        yield cell["categories"], {
            "FREQ": frequency,
            "REF_AREA": row["region"],
            "INDICATOR": row["indicator"],
            "CRIME_AREA": row["crime_area"],
            "TIME_PERIOD": period.replace("H", "S"),
            "OBS_VALUE": row["value"],
            "OBS_STATUS": status,
            "CONF_STATUS": "C" if status == "Q" else "F" if public else "N",
            "UNIT_MEASURE": row["unit"],
            "DECIMALS": row["decimals"],
            "STD_ERROR": row["standard_error"],
            "LOWER": row["lower"],
            "UPPER": row["upper"],
            "WHOLE_LOWER": row["whole_lower"],
            "WHOLE_UPPER": row["whole_upper"],
            "CONTRIBUTORS": row["contributors"],
            "COVERAGE": f"{row['answered']}/{row['members']}",
            "PICTURE": f"{picture['requirement']}/{picture['version']}",
            "PICTURE_SHA256": picture["picture_sha256"],
        }


def compare_sdmx(reader, found, document):
    """`found`: a row of texts by column for each observation; a column that is not named is a dimension."""
    wanted = list(sdmx_rows(document))
    same(reader, "-", "rows", len(found), len(wanted))
    for at, (row, (axes, fields)) in enumerate(zip(found, wanted)):
        row = dict(row)
        comment = row.pop("COMMENT_OBS")
        same(reader, at, "comment on a gap", comment == "" and fields["OBS_VALUE"] is None, False)
        for name, value in fields.items():
            text = row.pop(name)
            if name in ("OBS_VALUE", "STD_ERROR", "LOWER", "UPPER", "WHOLE_LOWER", "WHOLE_UPPER", "DECIMALS"):
                text = None if text == "NaN" else Decimal(text)
            same(reader, at, name, text, value)
        for axis, code in row.items():
            same(reader, at, axis, code, axes.get(axis, "_Z"))
        same(reader, at, "dimensions", set(axes) - set(row), set())
    return len(found)


def by_pysdmx(reader, path, document):
    [dataset] = read_sdmx(path, validate=False).data
    same(reader, "-", "structure", dataset.short_urn, "Dataflow=ACCORD:PICTURE(1.0.0)")
    return compare_sdmx(reader, dataset.data.to_dict("records"), document)


def by_sdmx1(reader, path, document):
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    value = header.index("OBS_VALUE")
    structure = sdmx.model.v30.DataStructureDefinition(id="PICTURE")
    for name in header[3:value]:
        kind = sdmx.model.common.TimeDimension if name == "TIME_PERIOD" else sdmx.model.common.Dimension
        structure.dimensions.append(kind(id=name))
    structure.measures.append(sdmx.model.v30.Measure(id="OBS_VALUE"))
    for name in header[value + 1 :]:
        structure.attributes.append(sdmx.model.v30.DataAttribute(id=name))
    [dataset] = sdmx.read_sdmx(path, structure=structure).data
    rows = []
    for of in dataset.obs:
        row = {name: key.value for name, key in of.dimension.values.items()}
        row |= {name: attribute.value for name, attribute in of.attached_attribute.items()}
        rows.append(row | {"OBS_VALUE": of.value})
    figures = sdmx.to_pandas(dataset)
    same(reader, "-", "gaps in pandas", int(figures.isna().sum()), sum(row["OBS_VALUE"] == "NaN" for row in rows))
    return compare_sdmx(reader, rows, document)


def main(folder):
    document = json.loads((folder / "picture.json").read_text(encoding="utf-8"))
    rows = list(flat(document))
    readers = {
        "pandas": lambda of: delimited(of, folder / "picture.csv", rows, ",", "."),
        "pandas-excel": lambda of: delimited(of, folder / "picture.excel.csv", rows, ";", ","),
        "openpyxl": lambda of: spreadsheet(of, folder / "picture.xlsx", rows),
        "lines": lambda of: lines(of, folder / "picture.jsonl", document),
        "pysdmx": lambda of: by_pysdmx(of, folder / "picture.sdmx.csv", document),
        "sdmx1": lambda of: by_sdmx1(of, folder / "picture.sdmx.csv", document),
    }
    for reader, compare in readers.items():
        print(reader, compare(reader))


main(Path(sys.argv[1]))
