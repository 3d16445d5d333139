// The editor of process diagrams: bpmn-js, cut down to what the engine carries out, with the panel, findings and drafts.
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn.css';
import 'diagram-js-minimap/assets/diagram-js-minimap.css';
import './css/designer.css';
import BpmnModeler from 'bpmn-js/lib/Modeler';
import camunda from 'camunda-bpmn-moddle/resources/camunda.json';
import minimap from 'diagram-js-minimap';
import { shareClipboard } from './designer/clipboard.js';
import { exportBpmn, exportSvg } from './designer/exporting.js';
import { Lint } from './designer/lint.js';
import qianyin from './designer/moddle.js';
import { Model } from './designer/model.js';
import offer from './designer/offer.js';
import { Panel } from './designer/panel.js';
import { Saving } from './designer/saving.js';
import translate from './designer/translate.js';
import { speak, t } from './designer/words.js';

const data = JSON.parse(document.getElementById('designer-data').textContent);
speak(data.lang);
const font = getComputedStyle(document.documentElement).getPropertyValue('--font').trim();
const modeler = new BpmnModeler({
  container: '#canvas',
  engine: data.catalogue.engine,
  minimap: { open: innerWidth > 1680 },
  moddleExtensions: { camunda, qianyin },
  additionalModules: [offer, minimap, translate],
  bpmnRenderer: { defaultFillColor: 'var(--card)', defaultStrokeColor: 'var(--edge)', defaultLabelColor: 'var(--ink)' },
  textRenderer: { defaultStyle: { fontFamily: font, fontSize: 14, lineHeight: 1.25 }, externalStyle: { fontFamily: font, fontSize: 13, lineHeight: 1.25 } },
});

const model = new Model(modeler);
const editor = {
  catalogue: { ...data.catalogue, formUrl: data.catalogue.formUrl },
  feelUrl: data.feel,
  names: {},
  findingsOf: (id) => lint.of(id),
  /** The variables known where these elements have run before. */
  known(before) {
    const found = new Set();
    for (const id of before) {
      for (const name of editor.names[id] ?? []) found.add(name);
      const inner = modeler.get('elementRegistry').get(id)?.businessObject.flowElements;
      if (inner && !/Process$/.test(modeler.get('elementRegistry').get(id).businessObject.$type.replace('SubProcess', ''))) for (const one of inner) for (const name of editor.names[one.id] ?? []) found.add(name);
    }
    return [...found].sort();
  },
  /** Whether an id is well formed and not taken; a bad one is told at its field by the check. */
  free: (id, own) => /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(id) && (!modeler.get('elementRegistry').get(id) || own.id === id),
  checked() { if (!document.getElementById('panel').contains(document.activeElement)) panel.soon(); },
  go(id) {
    const shape = modeler.get('elementRegistry').get(id);
    if (!shape) return;
    modeler.get('canvas').scrollToElement(shape, 80);
    modeler.get('selection').select(shape);
  },
};
const panel = new Panel(document.getElementById('panel'), modeler, model, editor);
const lint = new Lint(modeler, data, editor);
const saving = new Saving(modeler, data);

const stack = modeler.get('commandStack');
const undo = document.querySelector('[data-act=undo]');
const redo = document.querySelector('[data-act=redo]');
const acts = {
  undo: () => stack.undo(), redo: () => stack.redo(),
  find: () => modeler.get('searchPad').toggle(),
  fit: () => fit(0),
  bpmn: () => exportBpmn(modeler, data.file), svg: () => exportSvg(modeler, data.file),
};
document.addEventListener('click', (event) => acts[event.target.closest('[data-act]')?.dataset.act]?.());
// A page that tells of the draft is opened only once the draft is what one sees.
document.addEventListener('click', async (event) => {
  const link = event.target.closest('a[data-saved-first]');
  if (!link || !saving.dirty) return;
  event.preventDefault();
  if (await saving.save()) location.assign(link.href);
});
modeler.get('eventBus').on('commandStack.changed', () => { undo.disabled = !stack.canUndo(); redo.disabled = !stack.canRedo(); });

/** The whole drawing beside the tools at the left, no smaller than one can read (unless asked for the whole). */
function fit(least = 0.6) {
  const canvas = modeler.get('canvas');
  const { inner } = canvas.viewbox();
  const { width, height } = canvas.getSize();
  const [left, air] = [130, 40];
  const scale = Math.min(1, Math.max(least, Math.min((width - left - air) / inner.width, (height - 2 * air) / inner.height)));
  const down = inner.height * scale < height - 2 * air ? inner.y - (height / scale - inner.height) / 2 : inner.y - air / scale;
  canvas.viewbox({ x: inner.x - left / scale, y: down, width: width / scale, height: height / scale });
}

async function open() {
  try {
    await modeler.importXML(data.xml);
  } catch (error) {
    document.getElementById('canvas-problem').textContent = t('这个文件没有图形部分，不能在这里显示：{message}', { message: error.message });
    return;
  }
  const canvas = modeler.get('canvas');
  fit();
  shareClipboard(modeler);
  if (location.hash) editor.go(decodeURIComponent(location.hash.slice(1)));
  document.getElementById('canvas').dataset.ready = String(Math.round(performance.now()));
  await lint.ask();
}
open();
