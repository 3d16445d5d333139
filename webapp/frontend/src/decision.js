// The editor of decision tables: dmn-js draws, the server checks and evaluates (there is one FEEL).
import './css/decision.css';
import 'dmn-js/dist/assets/diagram-js.css';
import 'dmn-js/dist/assets/dmn-js-shared.css';
import 'dmn-js/dist/assets/dmn-js-drd.css';
import 'dmn-js/dist/assets/dmn-js-decision-table.css';
import 'dmn-js/dist/assets/dmn-js-decision-table-controls.css';
import 'dmn-js/dist/assets/dmn-js-literal-expression.css';
import 'dmn-js/dist/assets/dmn-js-boxed-expression.css';
import 'dmn-js/dist/assets/dmn-font/css/dmn.css';
import DmnModeler from 'dmn-js/lib/Modeler';
import { Draft, data, english, findings, later, send } from './models/draft.js';
import { translate, zh } from './models/dmn-zh.js';
import { Trial } from './models/trial.js';
import { speak } from './models/speak.js';

const options = { additionalModules: [translate(english)] };
const modeler = new DmnModeler({ container: '#dmn-canvas', drd: options, decisionTable: options, literalExpression: options, boxedExpression: options });
const content = async () => (await modeler.saveXML({ format: true })).xml;
const draft = new Draft(content);
const trial = new Trial(content);
const none = english ? 'Nothing to mend.' : '没有发现问题。';
const tabs = document.querySelector('[data-views]');
if (!english) speak(document.getElementById('dmn-canvas'), zh);

async function check() {
  const { body } = await send(data.check, { content: await content() });
  const found = body.findings ?? [{ severity: 'error', message: body.message }];
  findings(document.querySelector('[data-findings]'), found, none);
  document.querySelector('[data-count]').textContent = found.length || '';
  trial.decisions = body.decisions ?? [];
  trial.show(modeler.getActiveView()?.element?.id);
}
const checkSoon = later(check);

/** One tab for each decision; the drawing of several that hang together too. */
function drawTabs() {
  const views = modeler.getViews();
  const tables = views.filter((view) => view.type !== 'drd');
  const wanted = tables.length > 1 ? views : tables;
  const active = modeler.getActiveView();
  tabs.hidden = wanted.length < 2;
  tabs.replaceChildren(...wanted.map((view) => {
    const tab = document.createElement('button');
    tab.type = 'button';
    tab.className = 'btn btn-quiet';
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-selected', String(view.element === active?.element && view.type === active?.type));
    tab.textContent = view.type === 'drd' ? (english ? 'Diagram' : '决策图') : view.name || view.element.id;
    tab.addEventListener('click', () => modeler.open(view));
    return tab;
  }));
}

const watched = new WeakSet();
function watch() {
  const bus = modeler.getActiveViewer()?.get('eventBus');
  if (bus && !watched.has(bus)) {
    watched.add(bus);
    bus.on(['commandStack.changed', 'elements.changed'], () => { draft.changed(); checkSoon(); });
  }
  drawTabs();
  trial.show(modeler.getActiveView()?.element?.id);
}

modeler.on('views.changed', watch);
open().catch((error) => {
  findings(document.querySelector('[data-findings]'), [{ severity: 'error', message: (english ? 'The file cannot be opened: ' : '文件打不开：') + error.message }], none);
});

async function open() {
  await modeler.importXML(data.content, { open: false });
  const views = modeler.getViews();
  await modeler.open(views.find((view) => view.type === 'decisionTable') ?? views[0]);
  watch();
  await check();
  document.body.dataset.ready = 'true';
}
