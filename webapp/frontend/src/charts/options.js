// From the server's few words about a chart to ECharts' options.
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Fill and stroke of a tone: never colour alone, the light one has an edge. */
function paint(tone) {
  if (tone === 'soft') return { color: token('brand-soft'), borderColor: token('brand'), borderWidth: 1.5 };
  return { color: token(tone === 'good' || tone === 'warn' || tone === 'bad' ? tone : tone === 'quiet' ? 'idle' : 'brand') };
}

const stroke = (tone) => (tone === 'soft' ? token('brand') : paint(tone).color);
const words = () => ({ color: token('ink-2'), fontFamily: token('font'), fontSize: 12 });
const line = () => ({ lineStyle: { color: token('line') } });

function axis(extra) {
  return { axisLine: line(), axisTick: { show: false }, axisLabel: words(), splitLine: line(), ...extra };
}

function tooltip(spec) {
  return {
    trigger: 'axis',
    axisPointer: { type: 'shadow', shadowStyle: { color: token('ink'), opacity: 0.05 } },
    backgroundColor: token('card'),
    borderColor: token('line'),
    textStyle: { color: token('ink'), fontFamily: token('font'), fontSize: 13 },
    formatter(points) {
      const rows = points.filter((one) => one.value !== null && one.value !== undefined).map((one) => `${escaped(one.seriesName)}　<b>${escaped(one.value)}</b> ${escaped(spec.unit ?? '')}`);
      return [escaped(points[0].axisValueLabel ?? points[0].name), ...rows].join('<br>');
    },
  };
}

const base = (spec) => ({ animation: false, textStyle: { fontFamily: token('font') }, tooltip: tooltip(spec), aria: { enabled: false } });

/** A column of nothing has no edge either. */
const drawable = (values) => values.map((value) => (value ? value : { value, itemStyle: { borderWidth: 0 } }));

/** Two bars a week, and below them a line on a scale of its own. */
function weeks(spec, width) {
  const few = { interval: width < 480 ? 'auto' : spec.labels.length > 16 ? 'auto' : 0, hideOverlap: true };
  const [first, second, third] = spec.series;
  const bar = (one) => ({ type: 'bar', name: one.name, data: drawable(one.values), itemStyle: { ...paint(one.tone), borderRadius: [2, 2, 0, 0] }, barMaxWidth: 18, barGap: '15%', cursor: 'pointer' });
  return {
    ...base(spec),
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    grid: [{ left: 44, right: 16, top: 24, height: '46%' }, { left: 44, right: 16, top: '66%', bottom: 28 }],
    xAxis: [axis({ type: 'category', data: spec.labels, axisLabel: { show: false } }), axis({ type: 'category', gridIndex: 1, data: spec.labels, axisLabel: { ...words(), ...few } })],
    yAxis: [axis({ type: 'value', minInterval: 1, name: spec.unit, nameTextStyle: words(), splitNumber: 3 }), axis({ type: 'value', gridIndex: 1, minInterval: 1, splitNumber: 2, scale: true })],
    series: [bar(first), bar(second), {
      type: 'line', name: third.name, data: third.values, xAxisIndex: 1, yAxisIndex: 1, symbol: 'diamond', symbolSize: 8, lineStyle: { color: stroke(third.tone), width: 2 },
      itemStyle: { color: stroke(third.tone) }, areaStyle: { color: stroke(third.tone), opacity: 0.1 }, cursor: 'pointer',
    }],
  };
}

/** Lying bars, stacked, with the total at the end. */
function bars(spec, width) {
  const names = Math.min(110, Math.max(64, width * 0.3));
  const last = spec.series.length - 1;
  return {
    ...base(spec),
    grid: { left: names + 8, right: 40, top: 4, bottom: 4 },
    xAxis: axis({ type: 'value', show: false, max: 'dataMax' }),
    yAxis: axis({ type: 'category', inverse: true, data: spec.labels, axisLine: { show: false }, axisLabel: { ...words(), color: token('ink'), width: names, overflow: 'truncate' } }),
    series: spec.series.map((one, n) => ({
      type: 'bar', name: one.name, stack: 'all', data: drawable(one.values), barWidth: 12, itemStyle: paint(one.tone), cursor: 'pointer',
      label: n === last ? { show: true, position: 'right', color: token('ink'), fontWeight: 'bold', fontFamily: token('font'), formatter: ({ dataIndex }) => spec.totals?.[dataIndex] ?? '' } : undefined,
    })),
  };
}

/** Lines over time: different marks and strokes, so that colour is not needed. */
function lines(spec, width) {
  const marks = ['circle', 'rect', 'diamond', 'triangle'];
  return {
    ...base(spec),
    grid: { left: 44, right: 16, top: 28, bottom: 28 },
    xAxis: axis({ type: 'category', data: spec.labels, axisLabel: { ...words(), hideOverlap: true, interval: width < 480 ? 'auto' : undefined } }),
    yAxis: axis({ type: 'value', name: spec.unit, nameTextStyle: words(), splitNumber: 4 }),
    series: spec.series.map((one, n) => ({
      type: 'line', name: one.name, data: one.values, connectNulls: true, symbol: marks[n % 4], symbolSize: 7,
      lineStyle: { color: stroke(one.tone), width: 2, type: one.dashed ? 'dashed' : 'solid' }, itemStyle: { color: stroke(one.tone) }, cursor: 'pointer',
    })),
  };
}

/** Columns: how often each length occurs. */
function columns(spec) {
  return {
    ...base(spec),
    grid: { left: 36, right: 12, top: 28, bottom: 28 },
    xAxis: axis({ type: 'category', data: spec.labels, axisLabel: { ...words(), hideOverlap: true } }),
    yAxis: axis({ type: 'value', minInterval: 1, name: spec.unit, nameTextStyle: words(), splitNumber: 3 }),
    series: spec.series.map((one) => ({ type: 'bar', name: one.name, data: one.values, itemStyle: { ...paint(one.tone), borderRadius: [2, 2, 0, 0] }, cursor: one.urls ? 'pointer' : 'default' })),
  };
}

export const options = (spec, width) => ({ weeks, bars, lines, columns })[spec.kind](spec, width);
