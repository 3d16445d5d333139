"""Data of documents and files of every kind, for tests."""

from __future__ import annotations

import io
import zlib
from datetime import UTC, date, datetime
from typing import Any

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

UNITS = ["广州云枢工业互联网科技有限公司", "广州粤构智能制造服务有限公司", "广州联匠软件技术有限公司"]
FIRMS = [
    (0, "广州澜川精密模具有限公司", "91440106MA5MY01M8F", "模具生产排程与设备联网"),
    (0, "广州禾量传感技术有限公司", "91440112MA5WKEFY6R", "产线数据采集与能耗监测"),
    (0, "广州拓界供应链管理有限公司", "91440111MA5QEDQT4U", "采购与库存协同"),
    (0, "广州启序信息安全技术有限公司", "91440113MA52RP0J9C", "工业网络安全防护"),
    (1, "广州恒织数控装备有限公司", "91440115MA5Y4LE99F", "柔性裁剪与缝制设备改造"),
    (1, "广州谷屿软件有限公司", "91440101MA5QRNHX8A", "订单到生产一体化管理"),
    (1, "广州蓝砚检测科技有限公司", "91440105MA9J822G37", "质量检测数字化"),
    (2, "广州时嵌电子科技有限公司", "91440112MA9TL5EH61", "边缘控制器与设备接入"),
    (2, "广州明策企业管理咨询有限公司", "91440112MA97R8JMXE", "数字化水平诊断与规划"),
]
ROWS = [
    {"lead_unit_name": UNITS[u], "name": n, "credit_code": c, "need": need, "since": date(2026, 12, 1)}
    for u, n, c, need in FIRMS
]
_AT = datetime(2026, 11, 16, 3, 5, tzinfo=UTC)
ORIGINAL = {
    "number": "穗工信公示〔2026〕7 号",
    "title": "关于2026年第7批新增产业生态联合体企业名单的公示",
    "published_on": date(2026, 11, 20),
}
_EXPELLED = {"unit": UNITS[1], "credit_code": "91440106MA59GQER2W", "listed_on": "2025-01-16"}
_GROUNDS = [
    {
        "clause": "4.4.3",
        "words": "累计两次绩效评价不达标的",
        "facts": "第一、第二季度得分 54.2 和 57.8。",
        "evidence": 2,
    },
    {
        "clause": "4.4.5",
        "words": "伪造资料、弄虚作假的",
        "facts": "三份验收材料系伪造。\n签收人均否认签字。",
        "evidence": 3,
    },
]
_CRITICISED = {
    **_EXPELLED,
    "criticism_number": "穗工信通报〔2026〕3 号",
    "criticised_on": "2026-10-12",
    "grounds": [
        {
            "clause": "4.2.2",
            "words": "资料报送不及时、不完整、不规范的",
            "facts": "连续两月的进展逾期十日以上报送。\n附件缺少改造合同。",
        }
    ],
    "periods": [
        {"seq": 1, "number": "穗工信整改〔2026〕3 号", "due": "2026-11-11T16:00:00+00:00"},
        {"seq": 2, "number": "穗工信整改〔2026〕5 号", "due": "2026-12-01T16:00:00+00:00"},
    ],
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "expulsion_told": {
        **_EXPELLED,
        "number": "穗工信清退告〔2026〕2 号",
        "title": f"关于拟清退牵引单位{UNITS[1]}的告知书",
        "published_on": "2026-11-02",
        "grounds": _GROUNDS,
        "days": 5,
        "due": "2026-11-09T16:00:00+00:00",
    },
    "expulsion_agenda": {
        **_EXPELLED,
        "number": "QT-2026-0002",
        "title": f"关于拟清退牵引单位{UNITS[1]}的议题材料",
        "published_on": "2026-11-18",
        "grounds": _GROUNDS,
        "said": ["材料由外包人员收集，请求从轻处理。（韩某，2026-11-06）"],
        "answer": "所述理由没有证据支持，不予采纳。",
        "findings": "事实清楚，情形成立。",
        "proposal": "建议清退",
        "legality": "程序合法，依据正确。",
        "meeting_on": "2026-11-20",
        "place": "局机关三楼会议室",
        "note": "",
        "earlier": [{"on": "2026-11-12", "words": "请补充签收人的书面证言。", "minutes": "略"}],
    },
    "expulsion_decision": {
        **_EXPELLED,
        "number": "穗工信清退〔2026〕1 号",
        "title": f"关于清退牵引单位{UNITS[1]}的决定",
        "published_on": "2026-11-23",
        "grounds": _GROUNDS,
        "met_on": "2026-11-20",
        "words": "一、取消其牵引单位资格并予以清退，不得重新申请纳入。\n二、其在办的事项自本决定发布之日起终止。",
    },
    "reconsideration_decision": {
        **_EXPELLED,
        "number": "穗工信复核〔2026〕1 号",
        "title": f"关于撤销清退{UNITS[1]}决定的复核决定",
        "published_on": "2026-12-21",
        "outcome": "reverse",
        "basis": "meeting",
        "met_on": "2026-12-18",
        "ruling": {"authority": "", "number": "", "on": ""},
        "asked_on": "2026-12-01",
        "decision_number": "穗工信清退〔2026〕1 号",
        "decided_on": "2026-11-23",
        "words": "一、撤销原清退决定，恢复其牵引单位资格。\n二、其不再列入不得重新申请名单。",
    },
    "criticism_notice": {
        **_CRITICISED,
        "number": "穗工信通报〔2026〕3 号",
        "title": f"关于对牵引单位{UNITS[1]}的通报批评",
        "published_on": "2026-10-12",
        "words": "一、对你单位予以通报批评。\n二、责令你单位限期整改，要求和期限见责令限期整改通知书。",
    },
    "rectification_order": {
        **_CRITICISED,
        "number": "穗工信整改〔2026〕5 号",
        "title": f"关于责令{UNITS[1]}继续整改的通知",
        "published_on": "2026-11-16",
        "requirements": ["1. 补齐前两月的报送材料。", "2. 明确报送责任人，此后按期报送。"],
        "days": 15,
        "due": "2026-12-01T16:00:00+00:00",
        "seq": 2,
        "before": {
            "number": "穗工信整改〔2026〕3 号",
            "due": "2026-11-11",
            "words": "九月的材料仍缺改造合同。\n未见报送制度。",
        },
    },
    "cancellation_decision": {
        **_CRITICISED,
        "number": "穗工信取消〔2026〕1 号",
        "title": f"关于取消{UNITS[1]}牵引单位资格的决定",
        "published_on": "2026-12-14",
        "words": "一、自本决定发布之日起，取消其牵引单位资格。\n二、其在办的备案、评价等事项自本决定发布之日起终止。",
    },
    "criticism_withdrawal": {
        **_CRITICISED,
        "number": "穗工信撤通〔2026〕1 号",
        "title": f"关于撤销对{UNITS[1]}通报批评的公告",
        "published_on": "2026-12-18",
        "words": "2026 年第 3 季度绩效评价整体作废：评价指标的口径有误。",
    },
    "publicity": {
        **ORIGINAL,
        "period_days": 5,
        "starts_on": date(2026, 11, 23),
        "ends_on": "2026-11-27",
        "objection_days": 10,
        "rows": ROWS,
        "copies_to": "各区工业和信息化主管部门，有关牵引单位。",
    },
    "correction": {
        "number": "穗工信更正〔2026〕1 号",
        "title": "关于更正2026年第7批新增产业生态联合体企业公示名单的公告",
        "published_on": date(2026, 11, 25),
        "original": ORIGINAL,
        "reason": "该牵引单位的资格发生变化，其申请的企业不再列入公示名单。",
        "rows": [{**ROWS[7], "change": "从公示名单中撤下"}, {**ROWS[8], "change": "从公示名单中撤下"}],
    },
    "withdrawal": {
        "number": "穗工信撤回〔2026〕1 号",
        "title": "关于撤回2026年第7批新增产业生态联合体企业名单公示的公告",
        "published_on": date(2026, 11, 25),
        "original": ORIGINAL,
        "reason": "公示名单的汇总有误，需重新核对后公示。",
    },
    "list": {
        "number": "穗工信名单〔2026〕7 号",
        "title": "关于发布变更后的产业生态联合体企业名单的公告",
        "published_on": date(2026, 12, 1),
        "publicity": {"number": ORIGINAL["number"], "title": ORIGINAL["title"]},
        "added": 9,
        "removed": 0,
        "rows": ROWS,
    },
    "review_form": {
        "case_number": "BA-2026-0052",
        "submitted_on": date(2026, 11, 9),
        "status": "公示中",
        "lead_unit_name": UNITS[0],
        "lead_unit_code": "91440106MA59GQER2W",
        "need": "为 12 家汽车零部件和电子元器件试点企业补充模具排程、能耗采集、供应链协同和工业网络安全服务能力。",
        "programme": "national",
        "items": [
            {"name": n, "credit_code": c, "materials": "4 项齐", "conclusion": "通过"} for _, n, c, _need in FIRMS[:4]
        ],
        "opinions": [
            {
                "label": "审核意见",
                "decision": "通过",
                "words": "4 家企业备案材料符合第 4.6.1 条要求。第 3 家财务报表未加盖公章，退回补正后符合要求。",
                "role": "经办人",
                "who": "甲某",
                "at": _AT,
                "on_behalf_of": "",
            },
            {
                "label": "复核意见",
                "decision": "同意",
                "words": "同意审核意见 <b>& 列入公示</b>。",
                "role": "复核人",
                "who": "乙某",
                "at": _AT,
                "on_behalf_of": "丙某",
            },
            {"label": "签发意见", "decision": "", "words": "", "role": "", "who": "", "at": None, "on_behalf_of": ""},
        ],
        "records": [{"at": _AT, "step": "审核", "who": "甲某，办公室", "words": "4 家通过"}],
        "files": [{"name": "营业执照.pdf", "pages": 1, "size": "0.6 MB", "digest": "9f2c51ab07de4c18" * 4}],
        "printed_at": _AT,
        "printed_by": "甲某",
    },
}


def pdf(pages: int = 1, *, password: str = "", script: str = "", width: int = 595) -> bytes:
    """A PDF with blank pages, encrypted or with a script when asked."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=width, height=842)
    if script:
        action = DictionaryObject(
            {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(script)}
        )
        writer.root_object[NameObject("/OpenAction")] = action
    if password:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def image(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture; PNG or JPEG."""
    out = io.BytesIO()
    Image.effect_noise(size, 40).save(out, kind)
    return out.getvalue()


def png_bomb(width: int = 40_000, height: int = 40_000) -> bytes:
    """A small PNG that claims 1.6 gigapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
