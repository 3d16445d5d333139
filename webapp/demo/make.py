"""Fictional but valid things: credit codes and ID numbers with right check digits, enterprises, material files.

Everything follows from a number, so that two runs make the same. Files are what people upload: scans as PDF and JPEG,
drawn here, each marked as a specimen.
"""

from __future__ import annotations

import functools
import io
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy.orm import Session

from webapp import clock
from webapp.documents import service as documents
from webapp.engine.handler_api import Actor
from webapp.registers import checks

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_SURNAMES = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = (
    "婉清",
    "知远",
    "南星",
    "思齐",
    "子昂",
    "嘉禾",
    "景行",
    "若溪",
    "承泽",
    "书瑶",
    "云帆",
    "清和",
    "立言",
    "望舒",
)
_STEMS = (
    "启衡", "恒锐", "禾木", "蓝岸", "青禾", "砺行", "拓微", "沐川", "澜川", "禾量", "拓界", "启序", "恒织", "谷屿",
    "蓝砚", "时嵌", "明策", "云岭", "南湾", "星桥", "远帆", "合光", "同尘", "知微", "见著", "厚朴", "清源", "汇流北",
    "衡石", "越秀山", "流溪", "白云谷", "珠岸", "木棉", "榕树", "石门", "海珠湾", "天河谷", "番禺桥", "南沙湾",
    "增江", "从化泉", "花都谷", "荔湾", "黄埔港", "东风岭", "中山岭", "岭南春", "粤海岸", "穗城", "羊城谷", "五羊",
    "六榕", "七星", "八面", "九龙湖", "十方", "百川", "千帆", "万象", "亿川", "元启", "初心", "朝阳谷", "春晖", "夏木",
    "秋实", "冬青", "东篱", "西江", "南岭", "北辰", "中和", "上善", "下里", "左岸", "右岸", "前海湾", "后谷", "内观",
)  # fmt: skip
_TRADES = (
    ("软件", "软件开发与系统集成"),
    ("传感技术", "产线数据采集与能耗监测"),
    ("自动化", "设备联网与边缘控制"),
    ("物联科技", "车间物联与设备能耗监测"),
    ("数据服务", "数据治理与质量追溯"),
    ("智能装备", "柔性产线改造"),
    ("供应链管理", "采购与库存协同"),
    ("信息安全技术", "工业网络安全防护"),
    ("检测科技", "质量检测数字化"),
    ("管理咨询", "数字化水平诊断与规划"),
)  # fmt: skip
_DISTRICTS = (
    ("440106", "天河区"),
    ("440112", "黄埔区"),
    ("440111", "白云区"),
    ("440113", "番禺区"),
    ("440115", "南沙区"),
)
_ROADS = ("科丰路", "开源大道", "揽月路", "神舟路", "高唐路", "汉溪大道", "丰泽路", "创新路")
_BASE31 = checks.CREDIT_ALPHABET


def credit_code(number: int, region: str = "440106") -> str:
    """A valid unified social credit code (GB 32100-2015) of an enterprise, with a valid subject code (GB 11714)."""
    digits, rest = [], number
    for _place in range(5):
        rest, digit = divmod(rest, 31)
        digits.append(_BASE31[digit])
    subject = "MA5" + "".join(reversed(digits))
    weighed = sum(int(c, 36) * w for c, w in zip(subject, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    check = "0123456789X0"[11 - weighed % 11] if weighed % 11 else "0"
    first17 = f"91{region}{subject}{check}"
    return first17 + checks.credit_check_character(first17)


def id_number(number: int, region: str = "440106") -> str:
    """A valid resident ID number (GB 11643-1999) of somebody born between 1965 and 1994."""
    born = date(1965, 1, 1) + timedelta(days=number * 97 % 10_950)
    first17 = f"{region}{born:%Y%m%d}{number % 1000:03d}"
    return first17 + checks.id_check_character(first17)


def person(number: int) -> str:
    """A name."""
    return _SURNAMES[number * 7 % len(_SURNAMES)] + _GIVEN[number * 5 % len(_GIVEN)]


#: How many stems of names there are.
STEMS = len(_STEMS)


def stem(number: int) -> str:
    """The stem of a name; they repeat after `STEMS`."""
    return _STEMS[number % STEMS]


def company(number: int, city: str = "广州") -> str:
    """A company's name: distinct for numbers below 80."""
    return f"{city}{_STEMS[number % len(_STEMS)]}{_TRADES[number % len(_TRADES)][0]}有限公司"


def enterprise(number: int, today: date | None = None, **changes: Any) -> dict[str, Any]:
    """One enterprise in the shape of the filing form, without materials; `changes` go over it."""
    today = today or clock.today()
    random = Random(number)
    region, district = _DISTRICTS[number % len(_DISTRICTS)]
    founded = date(2012 + number % 10, 1 + number % 12, 1 + number % 27)
    made: dict[str, Any] = {
        "name": company(number),
        "credit_code": credit_code(700_000 + number * 37, region),
        "legal_rep": person(number),
        "id_kind": "resident",
        "id_number": id_number(number * 13 + 5, region),
        "address": f"广州市{district}{_ROADS[number % len(_ROADS)]} {number % 90 + 5} 号",
        "registered_capital": Decimal(random.choice((200, 300, 500, 1000, 2000, 3000))),
        "founded_on": founded,
        "need": f"为金属加工和注塑行业试点企业提供{_TRADES[number % len(_TRADES)][1]}",
        "fiscal_year": today.year - 1,
        "credit_report_on": today - timedelta(days=3 + number % 9),
        "no_accounts": False,
        "interpretation_id": None,
    }
    return {**made, **changes}


# ---- files ---------------------------------------------------------------------------------------------------------

_PAGE = (1000, 1414)
_EPOCH = time.gmtime(1_700_000_000)


@functools.cache
def _font_file() -> str | None:
    """A font of this machine that knows Chinese, by fontconfig."""
    try:
        found = subprocess.run(
            ["fc-match", "-f", "%{file}", "sans:lang=zh-cn"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


@functools.cache
def _font(size: int) -> Font:
    path = _font_file()
    try:
        return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
    except OSError:
        return ImageFont.load_default(size)


def _sheet(title: str, lines: Sequence[tuple[str, str]], *, seal: str = "", number: int = 1) -> Image.Image:
    """One scanned page: a title, labelled lines, a seal, and the mark of a specimen."""
    page = Image.new("RGB", _PAGE, (252, 251, 247))
    pen = ImageDraw.Draw(page)
    pen.rectangle((40, 40, _PAGE[0] - 40, _PAGE[1] - 40), outline=(176, 146, 84), width=4)
    pen.text((_PAGE[0] / 2, 150), title, font=_font(46), fill=(40, 40, 40), anchor="mm")
    for row, (label, value) in enumerate(lines):
        y = 270 + row * 74
        pen.text((110, y), label, font=_font(26), fill=(120, 110, 90))
        pen.text((330, y), value, font=_font(26), fill=(30, 30, 30))
        pen.line((110, y + 48, _PAGE[0] - 110, y + 48), fill=(226, 220, 205), width=1)
    pen.text((500, 1330), f"— {number} —", font=_font(20), fill=(120, 120, 120), anchor="mm")
    pen.text((500, 1270), "演示样本 不作证明", font=_font(30), fill=(205, 200, 190), anchor="mm")
    if seal:
        _seal(pen, seal)
    return page


def _seal(pen: ImageDraw.ImageDraw, words: str) -> None:
    x, y, r, red = 760, 1080, 105, (196, 30, 36)
    pen.ellipse((x - r, y - r, x + r, y + r), outline=red, width=6)
    pen.text((x, y - 30), words[:8], font=_font(22), fill=red, anchor="mm")
    pen.text((x, y + 26), "★", font=_font(52), fill=red, anchor="mm")


def pdf(pages: Sequence[Image.Image]) -> bytes:
    """Pages as one PDF; the same pages give the same bytes."""
    out = io.BytesIO()
    pages[0].save(
        out, "PDF", save_all=True, append_images=pages[1:], resolution=120, quality=62,
        creationDate=_EPOCH, modDate=_EPOCH,
    )  # fmt: skip
    return out.getvalue()


def scan(title: str, lines: Sequence[tuple[str, str]]) -> bytes:
    """One sealed sheet as PDF."""
    return pdf([_sheet(title, lines, seal="演示印章")])


def jpeg(page: Image.Image) -> bytes:
    """A page as JPEG."""
    out = io.BytesIO()
    page.save(out, "JPEG", quality=70)
    return out.getvalue()


def materials(of: Mapping[str, Any]) -> dict[str, tuple[str, bytes]]:
    """The four material files of 4.6.1 for one enterprise: {material: (file name, content)}."""
    name, year = str(of["name"]), of["fiscal_year"]
    code = str(of["credit_code"])
    licence = _sheet(
        "营 业 执 照",
        [
            ("统一社会信用代码", code),
            ("名　　称", name),
            ("类　　型", "有限责任公司"),
            ("法定代表人", str(of["legal_rep"])),
            ("注册资本", f"{of['registered_capital']} 万元"),
            ("成立日期", str(of["founded_on"])),
            ("住　　所", str(of["address"])),
        ],
        seal="登记机关",
    )
    return {
        "licence": (f"{name}营业执照.pdf", pdf([licence])),
        "identity": (f"{of['legal_rep']}身份证.jpg", jpeg(_identity(of))),
        "accounts": (f"{year}年度审计报告.pdf", pdf(_accounts(name, year))),
        "credit_report": ("信用中国查询报告关键页.pdf", pdf([_credit_report(name, code, of)])),
    }


def _identity(of: Mapping[str, Any]) -> Image.Image:
    lines = [
        ("姓　　名", str(of["legal_rep"])),
        ("公民身份号码", str(of["id_number"])),
        ("住　　址", str(of["address"])),
    ]
    return _sheet("居民身份证复印件", lines)


def _accounts(name: str, year: int) -> list[Image.Image]:
    random = Random(name)
    total, turnover = random.randint(900, 9000), random.randint(600, 12000)
    tables = [
        ("资产总计", f"{total}.{total % 97:02d} 万元"),
        ("负债合计", f"{total * 2 // 5}.00 万元"),
        ("所有者权益", f"{total - total * 2 // 5}.{total % 97:02d} 万元"),
        ("营业收入", f"{turnover}.{turnover % 89:02d} 万元"),
        ("净利润", f"{turnover // 12}.00 万元"),
    ]
    head = [("被审计单位", name), ("审计期间", f"{year} 年 1 月 1 日至 12 月 31 日"), ("审计意见", "无保留意见")]
    return [
        _sheet("审 计 报 告", head, seal="会计师事务所"),
        _sheet(f"{year} 年度主要财务数据", tables, seal="会计师事务所", number=2),
    ]


def _credit_report(name: str, code: str, of: Mapping[str, Any]) -> Image.Image:
    lines = [
        ("主体名称", name),
        ("统一社会信用代码", code),
        ("报告日期", str(of["credit_report_on"])),
        ("行政处罚", "未查到记录"),
        ("严重失信主体", "未查到记录"),
    ]
    return _sheet("“信用中国”查询报告关键页", lines)


def with_materials(
    session: Session, actor: Actor, of: Mapping[str, Any], *, without: Sequence[str] = ()
) -> dict[str, Any]:
    """Upload the materials of an enterprise as that person does; the enterprise with the ids of its documents."""
    filled = dict(of)
    for material, (name, content) in materials(of).items():
        if material in without:
            filled[material] = []
            continue
        stored = documents.store_upload(session, io.BytesIO(content), name, actor=actor)
        filled[material] = [str(stored.id)]
    return filled
