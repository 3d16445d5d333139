// Charts of the managers' pages: ECharts with only the kinds that are drawn, in the page's own colours. The figures and
// where each leads to come from the server in data-chart; the same figures stand in the table beside.
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { options } from './charts/options.js';

echarts.use([BarChart, LineChart, GridComponent, TooltipComponent, SVGRenderer]);

const drawn = new Map();

function draw(element) {
  if (!element.clientWidth) return;
  const spec = JSON.parse(element.dataset.chart);
  let chart = drawn.get(element);
  if (!chart) {
    chart = echarts.init(element, null, { renderer: 'svg' });
    drawn.set(element, chart);
    chart.on('click', ({ seriesIndex, dataIndex }) => {
      const address = JSON.parse(element.dataset.chart).series[seriesIndex]?.urls?.[dataIndex];
      if (address) window.location.assign(address);
    });
    new ResizeObserver(() => { if (element.clientWidth) chart.resize(); }).observe(element);
  }
  chart.setOption(options(spec, element.clientWidth), true);
}

function drawAll() {
  for (const [element, chart] of drawn) if (!element.isConnected) { chart.dispose(); drawn.delete(element); }
  for (const element of document.querySelectorAll('[data-chart]')) draw(element);
}

/** Chart or table: of one figure, or of a group of figures. */
function show(id, what) {
  const figure = document.getElementById(id);
  for (const one of [figure, ...figure.querySelectorAll('[data-shown]')]) one.dataset.shown = what;
  for (const button of document.querySelectorAll(`[data-figure="${id}"]`)) button.setAttribute('aria-pressed', String(button.dataset.show === what));
  drawAll();
}

const chosen = new Map();
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('[data-figure]');
  if (!button) return;
  chosen.set(button.dataset.figure, button.dataset.show);
  show(button.dataset.figure, button.dataset.show);
});
document.addEventListener('theme', drawAll);
document.addEventListener('part', () => { for (const [id, what] of chosen) if (document.getElementById(id)) show(id, what); drawAll(); });
drawAll();
