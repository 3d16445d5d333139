"""Official documents made from templates: PDF by WeasyPrint, DOCX by docxtpl; layout after GB/T 9704-2012.

A template is a pair of files in `<PROCESSES_DIR>/<process>/documents/`: `<name>.html` (Jinja, with the CSS beside it)
and `<name>.docx` (the same names in `{{ }}`, editable in Word). Both run in Jinja's sandbox. Nothing is ever fetched
from the net: only `data:`, files of the template's own folder and of `layout/` are read (what all official documents
share; a folder's own file of the same name goes first). In demo mode every page says 演示.

Templates of partner filing and the data that they take (dates: `date` or ISO 8601 text; rows: lists of dicts):

* ``publicity`` 公示: number, title, published_on, period_days, starts_on, ends_on, objection_days,
  rows [{lead_unit_name, name, credit_code, need}], words (further paragraphs, optional)
* ``correction`` 更正公告: number, title, published_on, original {number, title, published_on}, reason,
  rows [{lead_unit_name, name, credit_code, change}] where `change` says what becomes of the line (如 撤下)
* ``withdrawal`` 撤回公告: number, title, published_on, original {number, title, published_on}, reason
* ``list`` 变更后的产业生态联合体企业名单: number, title, published_on, publicity {number, title} or None,
  added, removed (counts), rows [{lead_unit_name, name, credit_code, since}]
* ``review_form`` 备案审核意见表: case_number, submitted_on, status, lead_unit_name, lead_unit_code, need, programme,
  items [{name, credit_code, materials, conclusion}], opinions [{label, decision, words, role, who, at, on_behalf_of}],
  records [{at, step, who, words}], files [{name, pages, size, at, digest}], printed_at, printed_by

Templates of the expulsion review (4.4); grounds [{clause, words, facts, evidence}]:

* ``expulsion_told`` 清退告知书: number, title, published_on, unit, credit_code, listed_on, grounds, days, due
* ``expulsion_agenda`` 局务会议题材料: number, title, published_on, unit, credit_code, grounds, said [text], answer,
  findings, proposal, legality, meeting_on, place, note, earlier [{on, words}]
* ``expulsion_decision`` 清退决定: number, title, published_on, unit, credit_code, listed_on, grounds, met_on, words
* ``reconsideration_decision`` 复核决定: number, title, published_on, unit, credit_code, outcome uphold|reverse,
  basis meeting|ruling, met_on, ruling {authority, number, on}, asked_on, decision_number, decided_on, words

Templates of criticism (4.2, 4.3); all take number, title, published_on, unit, credit_code, criticism_number,
criticised_on, grounds:

* ``criticism_notice`` 通报批评: listed_on, words
* ``rectification_order`` 责令限期整改通知书: requirements [text], days, due, seq, before {number, due, words} or None
* ``cancellation_decision`` 取消资格决定: periods [{seq, number, due}], words
* ``criticism_withdrawal`` 撤销通报公告: words

Template of quarterly evaluation (3.2): ``evaluation_report`` 季度评价报告; its data are those that
`webapp.registers.evaluation_reports.data` gives.

Optional everywhere: issuer (default: the setting ISSUING_BODY), signatory 落款 (default: the issuer for what the bureau
decides itself, `BY_THE_BUREAU`, else `SIGNATORY`), contact, copies_to, title_lines.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from docxtpl import DocxTemplate
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from weasyprint import HTML
from weasyprint.urls import URLFetcher

from webapp.clock import BEIJING
from webapp.documents import storage
from webapp.errors import NotFound

#: A font that this machine lacks has a fall-back in every style sheet: no news.
logging.getLogger("weasyprint").setLevel(logging.ERROR)

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MEDIA_TYPES = {"pdf": PDF, "docx": DOCX}
#: The layout that all documents share: GB/T 9704-2012 and the plain sheet.
LAYOUT = Path(__file__).parent / "layout"
SIGNATORY = "中小企业数字化转型城市试点推进工作小组"
BY_THE_BUREAU = {"expulsion_told", "expulsion_decision", "reconsideration_decision"}
#: A space beside a Chinese character or a six-cornered bracket.
_SPACE = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) +| +(?=[\u3000-\u9fff\uff00-\uffef])")
_NAME = re.compile(r"(?:([a-z_]+)/)?([a-z_]+)")


def render(template: str, data: Mapping[str, Any], kind: str) -> bytes:
    """The document as bytes. `template`: `publicity` or `partner_filing/publicity`; `kind`: pdf | docx.

    Errors: NotFound when there is no such template; jinja2.UndefinedError when the data lack a name.
    """
    path = _find(template, "html" if kind == "pdf" else "docx")
    context = _context(data, path.stem)
    return _pdf(path, context) if kind == "pdf" else _docx(path, context)


def _find(template: str, suffix: str) -> Path:
    match = _NAME.fullmatch(template)
    root = storage.config().processes_dir
    found = sorted(root.glob(f"{match[1] or '*'}/documents/{match[2]}.{suffix}")) if match else []
    if not found:
        raise NotFound(f"没有名为“{template}”的文书模板（{suffix}）。")
    return found[0]


def _context(data: Mapping[str, Any], template: str) -> dict[str, Any]:
    config = storage.config()
    context: dict[str, Any] = {
        "issuer": config.issuing_body,
        "signatory": signatory(template),
        "contact": "工作小组办公室（市工业和信息化局创业创新服务处）",
        "copies_to": "",
        "demo": config.demo,
        **data,
    }
    for name in (
        "number",
        "title",
        "original",
        "publicity",
        "decision_number",
        "criticism_number",
        "before",
        "periods",
    ):
        context[name] = _close(context.get(name))
    words = str(data.get("words") or "").splitlines()
    context["words"] = [_SPACE.sub("", part.strip()) for part in words if part.strip()]
    context["groups"] = grouped(data.get("rows", ()))
    context["title_lines"] = data.get("title_lines") or title_lines(
        str(context["title"] or ""), name=str(data.get("unit") or "")
    )
    context["head_size"] = head_size(str(context["issuer"]))
    return context


def signatory(template: str) -> str:
    """Who signs: what the 局务会 decides, and the notice before it, the bureau (4.4); all else the working group."""
    return storage.config().issuing_body if template in BY_THE_BUREAU else SIGNATORY


def _close(value: Any) -> Any:
    """文号 and titles as print writes them, without the spaces that screens show (GB/T 9704-2012, 7.2.5)."""
    if isinstance(value, Mapping):
        return {key: _close(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_close(entry) for entry in value]
    return _SPACE.sub("", value) if isinstance(value, str) else value


def _environment(folder: Path | None) -> SandboxedEnvironment:
    loader = FileSystemLoader([folder, LAYOUT]) if folder else None
    environment = SandboxedEnvironment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters.update(cn_date=cn_date, cn_time=cn_time)
    return environment


def _pdf(path: Path, context: Mapping[str, Any]) -> bytes:
    text = _environment(path.parent).get_template(path.name).render(context)
    made = HTML(string=text, base_url=path.as_uri(), url_fetcher=_Local(path.parent)).write_pdf()
    return bytes(made or b"")


def _docx(path: Path, context: Mapping[str, Any]) -> bytes:
    template = DocxTemplate(path)
    template.render(dict(context), jinja_env=_environment(None), autoescape=True)
    out = io.BytesIO()
    template.save(out)
    return out.getvalue()


class _Local(URLFetcher):  # type: ignore[misc]  # WeasyPrint carries no types
    """Reads `data:`, the template's own folder and the shared layout, and refuses anything else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=["file", "data"], allow_redirects=False)
        self._folder = folder.resolve()

    def fetch(self, url: str, headers: Any = None) -> Any:
        address = urlparse(url)
        if address.scheme == "file":
            path = Path(unquote(address.path)).resolve()
            if not (path.is_relative_to(self._folder) or path.is_relative_to(LAYOUT)):
                raise ValueError("a template reads only files of its own folder")
            if not path.exists():
                url = (LAYOUT / path.name).as_uri()
        return super().fetch(url, headers)


def grouped(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows numbered from 1 and gathered by lead unit, in the order given: [{lead_unit_name, rows: [{n, …}]}]."""
    numbered = [{**row, "n": n} for n, row in enumerate(rows, 1)]
    parts = groupby(numbered, key=lambda row: row.get("lead_unit_name", ""))
    return [{"lead_unit_name": name, "rows": list(part)} for name, part in parts]


def cn_date(value: date | datetime | str | None) -> str:
    """2026年11月20日, as official documents write it (no spaces, no leading zeros; GB/T 9704-2012, 7.3.5.4)."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(BEIJING).date()
    return f"{value.year}年{value.month}月{value.day}日"


def cn_time(value: datetime | str | None) -> str:
    """2026年11月20日 09:05, Beijing time; midnight, at which a deadline ends, is 24:00 of the day before."""
    if value is None or value == "":
        return ""
    moment = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(BEIJING)
    if moment.time() == time():
        return f"{cn_date(moment - timedelta(seconds=1))} 24:00"
    return f"{cn_date(moment)} {moment:%H:%M}"


#: Words that a title is not broken inside of.
_WORDS = (
    "产业生态联合体企业",
    "变更后的",
    "牵引单位",
    "新增",
    "名单",
    "公示",
    "公告",
    "更正",
    "撤回",
    "关于",
    "清退",
    "决定",
    "复核",
    "维持",
    "撤销",
    "通报批评",
    "责令",
    "限期整改",
    "继续整改",
    "资格",
    "取消",
    "服务",
    "有限公司",
)


def title_lines(title: str, longest: int = 19, name: str = "") -> list[str]:
    """A title in as few lines as fit the text block, broken between words (GB/T 9704-2012, 7.3.1).

    `name`: of the unit that the title is about; kept on one line where it fits on one.

    >>> title_lines("关于清退牵引单位广州恒锐数控科技有限公司的决定", name="广州恒锐数控科技有限公司")
    ['关于清退牵引单位', '广州恒锐数控科技有限公司的决定']
    """
    words = (name, *_WORDS) if 0 < len(name) < longest else _WORDS
    if len(title) <= longest:
        return [title]
    starts = [0]
    while starts[-1] < len(title):
        rest = title[starts[-1] :]
        word = next((w for w in words if rest.startswith(w)), "")
        digits = re.match(r"第?[0-9A-Za-z〔〕]+[年批号月日]?", rest)
        starts.append(starts[-1] + max(len(word), digits.end() if digits else 0, 1))
    breaks = [at for at in starts[1:-1] if title[at] not in "的》）】、，号批年" and len(title) - at <= longest * 2]
    best = min(breaks, key=lambda at: abs(at - len(title) / 2), default=len(title))
    return [title[:best], *(title_lines(title[best:], longest, name) if best < len(title) else [])]


def head_size(issuer: str) -> float:
    """The type size (pt) at which the issuer's name in red fills the 156 mm text block, at most 44 pt."""
    return round(min(44.0, 150 / 25.4 * 72 / max(1, len(issuer))), 1)
