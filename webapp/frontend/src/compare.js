// Two diagrams side by side: coloured marks for what differs, both moving together, the list leading to the elements.
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import './css/compare.css';
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';

const data = JSON.parse(document.getElementById('compare-data')?.textContent ?? '{}');
const SIDES = { before: ['removed', 'changed', 'moved'], after: ['added', 'changed', 'moved'] };
const font = getComputedStyle(document.documentElement).getPropertyValue('--font').trim();
const viewers = {};
let leading = null;

function follow(side) {
  if (leading && leading !== side) return;
  leading = side;
  const box = viewers[side].get('canvas').viewbox();
  for (const [other, viewer] of Object.entries(viewers)) if (other !== side) viewer.get('canvas').viewbox({ x: box.x, y: box.y, width: box.width, height: box.height });
  leading = null;
}

async function draw(side) {
  if (!data[side]) return;
  const holder = document.getElementById(`side-${side}`);
  const viewer = new NavigatedViewer({
    container: holder,
    bpmnRenderer: { defaultFillColor: 'var(--card)', defaultStrokeColor: 'var(--edge)', defaultLabelColor: 'var(--ink)' },
    textRenderer: { defaultStyle: { fontFamily: font, fontSize: 14, lineHeight: 1.25 }, externalStyle: { fontFamily: font, fontSize: 13, lineHeight: 1.25 } },
  });
  try { await viewer.importXML(data[side]); } catch (error) { holder.textContent = error.message; return; }
  viewer.get('zoomScroll').toggle(false);
  const canvas = viewer.get('canvas');
  for (const kind of SIDES[side]) for (const id of data.marks[kind]) if (viewer.get('elementRegistry').get(id)) canvas.addMarker(id, `is-${kind}`);
  viewers[side] = viewer;
}

function show(id) {
  for (const viewer of Object.values(viewers)) {
    const shape = viewer.get('elementRegistry').get(id);
    viewer.get('elementRegistry').forEach((element) => { if (element.parent) viewer.get('canvas').removeMarker(element, 'is-shown'); });
    if (!shape) continue;
    viewer.get('canvas').scrollToElement(shape, 60);
    viewer.get('canvas').addMarker(shape, 'is-shown');
  }
  document.querySelector('.sides').scrollIntoView({ block: 'nearest' });
}

async function begin() {
  await Promise.all(Object.keys(SIDES).map(draw));
  const first = viewers.after ?? viewers.before;
  first?.get('canvas').zoom('fit-viewport', 'auto');
  if (viewers.after) follow('after');
  for (const side of Object.keys(viewers)) viewers[side].on('canvas.viewbox.changed', () => follow(side));
  document.addEventListener('click', (event) => { const id = event.target.closest('[data-element]')?.dataset.element; if (id) show(id); });
  for (const side of Object.keys(SIDES)) document.getElementById(`side-${side}`)?.setAttribute('data-ready', '');
}
begin();
