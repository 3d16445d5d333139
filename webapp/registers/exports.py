"""Lists as CSV and XLSX: the same rows, the same figures, and nothing that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import IO, Any, cast

from flask import Response, stream_with_context
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from webapp import clock
from webapp.documents.service import tile as file_tile
from webapp.errors import Invalid
from webapp.i18n import _

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The longest list that is exported; a longer one is cut and says so in its last row.
LONGEST = 50_000
#: Bytes that are sent at a time, and rows of a sheet (ECMA-376).
_CHUNK, _SHEET_ROWS = 2**16, 1_048_576
#: A cell that begins so would be taken for a formula by a spreadsheet (OWASP: CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: A number with its sign is no formula.
_SIGNED = re.compile(r"[+-]\d+(\.\d+)?")

__all__ = ["file_tile", "harmless", "response", "streamed", "to_csv", "to_xlsx"]


def harmless(value: Any) -> Any:
    """The value of a cell: text that would be a formula gets an apostrophe in front; numbers stay numbers."""
    if isinstance(value, str):
        clean = "".join(c for c in value if c in "\n\t\r" or c >= " ")
        return "'" + clean if clean.startswith(_FORMULA) and not _SIGNED.fullmatch(clean) else clean
    if isinstance(value, datetime):
        return value.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, int | float | Decimal) else "" if value is None else harmless(str(value))


def _rows(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    table: list[list[Any]] = []
    for row in rows:
        if len(table) >= LONGEST:
            table.append([_("以上为前 %(n)s 行，请缩小条件后再导出其余各行。", n=LONGEST)])
            break
        table.append([harmless(value) for value in row])
    return table


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read Chinese; RFC 4180."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([harmless(name) for name in columns])
    writer.writerows(_rows(rows))
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """One sheet with a fixed head row and filters; text cells are text whatever they begin with."""
    return to_workbook([(title, columns, rows)])


def to_workbook(sheets: Sequence[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]) -> bytes:
    """A workbook of such sheets (title, columns, rows)."""
    book = Workbook()
    for place, (title, columns, rows) in enumerate(sheets):
        sheet = book.active if place == 0 else book.create_sheet()
        assert isinstance(sheet, Worksheet)
        _fill(sheet, title, columns, rows)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet.title = "".join(c for c in title if c not in "[]:*?/\\")[:31] or "Sheet"
    table = [[harmless(name) for name in columns], *_rows(rows)]
    for number, row in enumerate(table, 1):
        for place, value in enumerate(row, 1):
            cell = sheet.cell(number, place)
            assert isinstance(cell, Cell)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if number == 1:
                cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(max(1, len(columns)))}{len(table)}"
    for place in range(1, len(columns) + 1):
        longest = max((_width(row[place - 1]) for row in table if len(row) >= place), default=8)
        sheet.column_dimensions[get_column_letter(place)].width = min(60, max(8, longest + 2))


def streamed(kind: str, title: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> Response:
    """A list of any length as a download, in constant memory: CSV while it is read, XLSX by way of a temporary file.

    Errors: Invalid for more rows than a sheet can hold (1,048,576, ECMA-376).
    """
    if kind == "xlsx":
        made = Response(_chunks(_sheet_file(title, columns, rows)), mimetype=XLSX)
    else:
        made = Response(stream_with_context(_csv_lines(columns, rows)), mimetype="text/csv; charset=utf-8")
    made.headers.set("Content-Disposition", "attachment", filename=f"{title} {clock.today():%Y-%m-%d}.{kind}")
    return made


def _csv_lines(columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out)
    out.write("\ufeff")
    writer.writerow([harmless(name) for name in columns])
    for row in rows:
        writer.writerow([harmless(value) for value in row])
        if out.tell() > _CHUNK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _sheet_file(title: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> IO[bytes]:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("".join(c for c in title if c not in "[]:*?/\\")[:31] or "Sheet")
    sheet.freeze_panes = "A2"
    for number, row in enumerate(chain([columns], rows), 1):
        if number > _SHEET_ROWS:
            raise Invalid(_("超过一张工作表能容纳的 %(n)s 行，请改导 CSV 或缩小范围。", n=_SHEET_ROWS))
        sheet.append([_cell(sheet, value) for value in row])
    out = cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=2**22))  # noqa: SIM115 - closed when it was sent
    book.save(out)
    out.seek(0)
    return out


def _cell(sheet: Any, value: Any) -> Any:
    value = harmless(value)
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_CHUNK):
            yield part


def _width(value: Any) -> int:
    """The width of a cell in Latin characters: Chinese ones are twice as wide."""
    return sum(2 if ord(c) > 0x2E80 else 1 for c in str(value).split("\n")[0])


def response(kind: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """The list as a download. `kind`: csv | xlsx; `title` and today's date name the file."""
    data = to_xlsx(title, columns, rows) if kind == "xlsx" else to_csv(columns, rows)
    made = Response(data, mimetype=XLSX if kind == "xlsx" else "text/csv; charset=utf-8")
    made.headers.set("Content-Disposition", "attachment", filename=f"{title} {clock.today():%Y-%m-%d}.{kind}")
    return made
