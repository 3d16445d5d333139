"""Drawings of a round's report, as SVG in the page's own colours; a table with the same figures stands beside each."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup, escape

from webapp.i18n import _
from webapp.registers import round_figures as figures

#: The grades' lower ends, as the decision table of the cases has them (house rule), with their words.
LINES = ((60, "合格"), (80, "良好"), (90, "优秀"))


def _svg(width: int, height: int, told: str, parts: Sequence[str]) -> Markup:
    head = f'<svg class="drawing" viewBox="0 0 {width} {height}" width="100%" role="img" aria-label="{escape(told)}">'
    return Markup(head + "".join(parts) + "</svg>")  # every text above is escaped


def _scale(most: int) -> int:
    """A round number at or above the greatest count, that halves evenly."""
    return next(n for n in (2, 4, 10, 20, 40, 100, 200, 400, 1000, 2000, 4000, 10**9) if n >= most)


def distribution(bands: Sequence[tuple[int, int]], *, width: int = 560) -> Markup:
    """Columns of the bands of five points, with the lines of the grades; below the pass line in red."""
    height, left, right, top, bottom = 220, 32, 8, 30, 186
    narrow = width < 480
    unit = _scale(max((count for _low, count in bands), default=0))
    step = (width - left - right) / len(bands)

    def y(count: float) -> float:
        return bottom - count / unit * (bottom - top)

    parts = []
    for count in (0, unit // 2, unit):
        parts.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y(count):.1f}" y2="{y(count):.1f}"/>')
        parts.append(f'<text class="muted" x="{left - 8}" y="{y(count) + 4:.1f}" text-anchor="end">{count}</text>')
    for place, (low, count) in enumerate(bands):
        x = left + place * step
        tone = "bad" if low < LINES[0][0] else "run"
        parts.append(
            f'<rect class="column-{tone}" x="{x + 3:.1f}" y="{y(count):.1f}" width="{step - 6:.1f}"'
            f' height="{bottom - y(count):.1f}"/>'
        )
        if count and not narrow:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{y(count) - 5:.1f}" text-anchor="middle">{count}</text>')
        if narrow and low % 10:
            continue
        label = escape(f"<{figures.BANDS[1]}" if low == 0 else str(low))
        parts.append(
            f'<text class="muted" x="{x + step / 2:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>'
        )
    for line, word in LINES:
        x = left + next(place for place, (low, _count) in enumerate(bands) if low == line) * step
        parts.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 10}" y2="{bottom}"/>')
        parts.append(
            f'<text class="muted" x="{x + 4:.1f}" y="{top - 12}">{escape(_(word))}{"" if narrow else f" {line}"}</text>'
        )
    parts.append(
        f'<text class="muted" x="{width - right}" y="{height - 2}" text-anchor="end">{escape(_("得分"))}</text>'
    )
    return _svg(width, height, _("得分分布图，数字见旁边的表"), parts)


def dimensions(rows: Sequence[tuple[str, Decimal, Decimal]]) -> Markup:
    """A bar for each dimension (name, mean points, weight): how much of its weight was reached on average."""
    width, lane, left, right = 560, 44, 12, 12
    parts = []
    for place, (name, mean, weight) in enumerate(rows):
        top = place * lane
        whole = width - left - right
        reached = float(mean / weight) * whole if weight else 0.0
        parts.append(f'<text x="{left}" y="{top + 16}">{escape(name)}</text>')
        parts.append(
            f'<text x="{width - right}" y="{top + 16}" text-anchor="end">{escape(f"{mean} / {weight:f}")}</text>'
            f'<rect class="column-none" x="{left}" y="{top + 23}" width="{whole}" height="11" rx="3"/>'
            f'<rect class="column-run" x="{left}" y="{top + 23}" width="{reached:.1f}" height="11" rx="3"/>'
        )
    return _svg(width, max(lane, lane * len(rows)), _("各方面平均得分图，数字见旁边的表"), parts)


def career(totals: Sequence[Decimal | None]) -> Markup:
    """A small line of a unit's totals, oldest first (the last is this quarter's); the table holds the figures."""
    width, height, low, high = 92, 24, 40.0, 100.0
    points = [
        (
            6 + place * (width - 12) / max(1, len(totals) - 1),
            height - 4 - (max(low, float(t)) - low) / (high - low) * 16,
        )
        for place, t in enumerate(totals)
        if t is not None
    ]
    if not points:
        return Markup("")
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        f'<svg class="drawing spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' aria-hidden="true"><polyline class="line" points="{line}"/>'
        f'<circle class="now" cx="{x:.1f}" cy="{y:.1f}" r="3"/></svg>'
    )
