"""Two small drawings, as SVG in the page's own colours: a list's size over time, and a lead unit's career."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from markupsafe import Markup, escape

from webapp.i18n import _
from webapp.registers.career import ALWAYS, KINDS, LANES, Event

Scale = Callable[[date], float]


#: Of a career's drawing.
WIDTH = 800


def _span(first: date, last: date) -> tuple[date, date]:
    """A span of whole quarters around both days, at least a year."""
    start = date(first.year, (first.month - 1) // 3 * 3 + 1, 1)
    return start, max(last + timedelta(days=20), start + timedelta(days=365))


def _quarters(start: date, end: date) -> list[date]:
    days, day = [], start
    while day <= end:
        days.append(day)
        day = date(day.year + (day.month + 3 > 12), (day.month + 2) % 12 + 1, 1)
    step = max(1, -(-len(days) // 12))
    return days[::step]


def _tick(day: date, first: bool) -> str:
    if first or day.month == 1:
        return _("%(y)s 年 %(m)s 月", y=day.year, m=day.month)
    return _("%(m)s 月", m=day.month)


def steps(series: Sequence[tuple[date, int]], day: date, today: date) -> Markup:
    """The size of the list after each publication; `day` is marked when it is not today. Nothing without a series."""
    if not series:
        return Markup("")
    width, height, left, right, top, bottom = 820, 132, 44, 16, 34, 104
    start, end = _span(series[0][0], today)
    most = max(count for _on, count in series)
    unit = next(n for n in (2, 4, 10, 20, 40, 100, 200, 400, 1000, 2000, 4000, 10**9) if n >= most)

    def x(on: date) -> float:
        return left + (on - start).days / (end - start).days * (width - left - right)

    def y(count: float) -> float:
        return bottom - count / unit * (bottom - top)

    parts = [f'<text class="muted" x="{left}" y="16">{escape(_("名单企业数（家），圆点为一次变化"))}</text>']
    for count in (0, unit // 2, unit):
        parts.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y(count):.1f}" y2="{y(count):.1f}"/>')
        parts.append(f'<text class="muted" x="{left - 8}" y="{y(count) + 4:.1f}" text-anchor="end">{count}</text>')
    for number, on in enumerate(_quarters(start, end)):
        parts.append(
            f'<text class="muted" x="{x(on) + 2:.1f}" y="{bottom + 18}">{escape(_tick(on, not number))}</text>'
        )
    line = f"M{x(series[0][0]):.1f} {y(series[0][1]):.1f}"
    line += "".join(f"H{x(on):.1f}V{y(count):.1f}" for on, count in series[1:]) + f"H{x(today):.1f}"
    parts.append(f'<path class="area" d="{line}V{bottom}H{x(series[0][0]):.1f}Z"/><path class="line" d="{line}"/>')
    parts += [f'<circle class="dot" cx="{x(on):.1f}" cy="{y(count):.1f}" r="3.5"/>' for on, count in series]
    size = next((count for on, count in reversed(series) if on <= day), 0)
    if start <= day < today:
        words = escape(_("%(m)s 月 %(d)s 日：%(n)s 家", m=day.month, d=day.day, n=size))
        anchor, shift = ("end", -8) if x(day) > width / 2 else ("start", 8)
        parts.append(
            f'<line class="then" x1="{x(day):.1f}" x2="{x(day):.1f}" y1="22" y2="{bottom}"/>'
            f'<text class="then" x="{x(day) + shift:.1f}" y="30" text-anchor="{anchor}">{words}</text>'
        )
    now = series[-1][1]
    parts.append(
        f'<text class="now" x="{x(today) + 8:.1f}" y="{y(now) - 9:.1f}" text-anchor="end">'
        f"{escape(_('今日 %(n)s 家', n=now))}</text>"
        f'<circle class="now" cx="{x(today):.1f}" cy="{y(now):.1f}" r="4"/>'
    )
    told = _("名单企业数，%(first)s 为 %(a)s 家，今日 %(b)s 家", first=series[0][0], a=series[0][1], b=now)
    return _svg(width, height, told, parts)


def career(events: Sequence[Event], listed: date | None, ended: date | None, today: date) -> Markup:
    """A lane per kind of event; the qualification as a bar from its first to its last day."""
    if not events:
        return Markup("")
    width, left, right, lane, top = WIDTH, 76, 14, 36, 30
    held = {event.kind for event in events}
    lanes = [kind for kind in LANES if kind in held or kind in ALWAYS]
    height = top + lane * len(lanes) + 8
    first = min(min(event.on, event.span[0]) if event.span else event.on for event in events)
    start, end = _span(first, today)

    def x(on: date) -> float:
        return left + (on - start).days / (end - start).days * (width - left - right)

    parts = []
    for number, on in enumerate(_quarters(start, end)):
        parts.append(f'<line class="grid" x1="{x(on):.1f}" x2="{x(on):.1f}" y1="{top - 6}" y2="{height - 8}"/>')
        if x(on) + 40 <= width:
            parts.append(f'<text class="muted" x="{x(on) + 4:.1f}" y="16">{escape(_tick(on, not number))}</text>')
    for place, kind in enumerate(lanes):
        base = top + place * lane
        parts.append(f'<line class="grid" x1="0" x2="{width}" y1="{base}" y2="{base}"/>')
        parts.append(f'<text x="4" y="{base + lane / 2 + 4.5}">{escape(KINDS[kind]())}</text>')
        if kind == "status" and listed:
            stop = ended or today
            listed_words = _("在册　%(day)s 列入", day=listed.isoformat())
            parts.append(
                f'<rect class="held" x="{x(listed):.1f}" y="{base + 9}" height="20" rx="4"'
                f' width="{max(2.0, x(stop) - x(listed)):.1f}"/>'
                f'<text class="held" x="{x(listed) + 7:.1f}" y="{base + 23.5}">{escape(listed_words)}</text>'
            )
        mine = [event for event in events if event.kind == kind]
        parts += _bars([event for event in mine if event.span], x, base, end)
        parts += _dots([event for event in mine if not event.span], x, base + lane / 2, listed)
    parts.append(
        f'<line class="today" x1="{x(today):.1f}" x2="{x(today):.1f}" y1="{top - 6}" y2="{height - 8}"/>'
        f'<text class="now" x="{x(today):.1f}" y="{height - 1}" text-anchor="middle" font-size="11">'
        f"{escape(_('今日'))}</text>"
    )
    return _svg(width, height + 4, _("履历时间图，内容与下方记录相同"), parts)


def _bars(events: Sequence[Event], x: Scale, base: float, end: date) -> list[str]:
    """Events that last: a quarter with its grade, a commitment's year; a later one of the same end is a stroke."""
    parts, ends = [], set()
    for event in sorted(events, key=lambda e: (e.span or (e.on, e.on))[0]):
        first, last = event.span or (event.on, event.on)
        at, width = x(first) + 1, max(4.0, x(min(last, end)) - x(first) - 2)
        told = f"<title>{escape(event.title)}</title>"
        if last in ends:
            parts.append(f'<rect class="stroke" x="{at:.1f}" y="{base + 7}" width="2.5" height="22">{told}</rect>')
            parts.append(f'<text x="{at + 7:.1f}" y="{base + 22.5}">{escape(event.mark)}</text>')
            continue
        ends.add(last)
        parts.append(
            f'<rect class="bar-{event.tone}" x="{at:.1f}" y="{base + 7}" width="{width:.1f}" height="22" rx="4">'
            f"{told}</rect>"
        )
        mark = next((words for words in (event.mark, event.mark.partition(" ")[0]) if _fits(words, width)), "")
        if mark:
            parts.append(
                f'<text class="bar-{event.tone}" x="{at + width / 2:.1f}" y="{base + 22.5}" text-anchor="middle">'
                f"{escape(mark)}</text>"
            )
    return parts


def _fits(words: str, width: float) -> bool:
    return sum(12.5 if ord(sign) > 255 else 7 for sign in words) <= width - 4


def grades(bars: Sequence[tuple[str, float | None, str, str, bool]], line: float) -> Markup:
    """Quarters beside each other: (quarter, total or None, word of the grade, tone, still preliminary), pass line."""
    if not bars:
        return Markup("")
    width, left, top, bottom, low = 330, 34, 20, 128, 40.0

    def y(total: float) -> float:
        return bottom - max(0.0, min(total, 100.0) - low) / (100 - low) * (bottom - top)

    step = (width - left - 50) / len(bars)
    parts = []
    for value in sorted({low, line, 80.0, 90.0, 100.0}):
        parts.append(f'<line class="grid" x1="{left}" x2="{width - 46}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text class="muted" x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for place, (name, total, word, tone, preliminary) in enumerate(bars):
        middle, thick = left + step * (place + 0.5), min(34.0, step * 0.6)
        if total is not None:
            kind = "idle" if preliminary else tone
            parts.append(
                f'<rect class="solid-{kind}" x="{middle - thick / 2:.1f}" y="{y(total):.1f}" width="{thick:.1f}"'
                f' height="{max(2.0, bottom - y(total)):.1f}" rx="2"/>'
                f'<text class="strong" x="{middle:.1f}" y="{y(total) - 5:.1f}" text-anchor="middle">{total:g}</text>'
            )
        parts.append(
            f'<text class="word-{tone}" x="{middle:.1f}" y="{bottom + 17}" text-anchor="middle">{escape(word)}</text>'
        )
        parts.append(
            f'<text class="muted" x="{middle:.1f}" y="{bottom + 33}" text-anchor="middle">{escape(name)}</text>'
        )
    parts.append(f'<line class="pass" x1="{left}" x2="{width - 46}" y1="{y(line):.1f}" y2="{y(line):.1f}"/>')
    parts.append(f'<text class="strong" x="{width - 42}" y="{y(line) + 4:.1f}">{escape(_("达标线"))}</text>')
    told = "，".join(f"{name} {total if total is not None else ''}{word}" for name, total, word, _t, _p in bars)
    return _svg(width, bottom + 40, told, parts)


def _dots(events: Sequence[Event], x: Scale, middle: float, listed: date | None) -> list[str]:
    """A dot for each event; its mark where it covers no other dot (the record below has them all)."""
    shown = [event for event in sorted(events, key=lambda e: e.on) if event.kind != "status" or event.on != listed]
    parts, free = [], -1e9
    for place, event in enumerate(shown):
        after = shown[place + 1] if place + 1 < len(shown) else None
        at, ends = x(event.on), x(event.on) + 16 + 13 * len(event.mark)
        parts.append(
            f'<circle class="mark-{event.tone}" cx="{at:.1f}" cy="{middle}" r="5.5">'
            f"<title>{escape(event.on.isoformat())} {escape(event.title)}</title></circle>"
        )
        inside = ends <= WIDTH or place == 0 or x(shown[place - 1].on) + 6 < at - (ends - at)
        if event.mark and at > free and inside and (after is None or x(after.on) - 6 > ends):
            side = f'x="{at + 10:.1f}"' if ends <= WIDTH else f'x="{at - 10:.1f}" text-anchor="end"'
            parts.append(f'<text {side} y="{middle + 4.5}">{escape(event.mark)}</text>')
            free = ends
    return parts


def _svg(width: int, height: int, told: str, parts: Sequence[str]) -> Markup:
    head = f'<svg class="drawing" viewBox="0 0 {width} {height}" width="100%" role="img" aria-label="{escape(told)}">'
    return Markup(head + "".join(parts) + "</svg>")  # every text above is escaped
