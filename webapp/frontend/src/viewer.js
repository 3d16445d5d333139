// The process picture on task and instance pages: bpmn-js without its editor, with tokens, path, counts and clauses.
import './css/diagram.css';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import { Diagram } from './viewer/diagram.js';
import { Replay } from './viewer/replay.js';

const started = new WeakMap();

/** Draw a diagram once it can be measured; a hidden tab waits until it is shown. */
async function start(element) {
  if (started.has(element) || !element.offsetParent) return;
  const diagram = new Diagram(element);
  started.set(element, diagram);
  await diagram.load(element.dataset.diagram);
  diagram.show(JSON.parse(element.dataset.state || '{}'));
  const frame = element.closest('[data-replay]');
  if (frame?.dataset.replay) new Replay(frame, diagram).load(frame.dataset.replay);
  frame?.querySelector('[data-fit]')?.addEventListener('click', () => diagram.fit());
}

const startAll = () => { for (const element of document.querySelectorAll('[data-diagram]')) start(element); };
document.addEventListener('shown', startAll);
document.addEventListener('htmx:afterSettle', startAll);
document.addEventListener('theme', () => { for (const element of document.querySelectorAll('[data-diagram]')) started.get(element)?.recolour(); });
startAll();
