// The editor of forms: form-js draws with the parts that the server renders; check and previews come from the server.
import './css/formeditor.css';
import '@bpmn-io/form-js/dist/assets/form-js.css';
import '@bpmn-io/form-js/dist/assets/form-js-editor.css';
import '@bpmn-io/form-js/dist/assets/properties-panel.css';
import { FormEditor } from '@bpmn-io/form-js-editor';
import { Draft, data, english, findings, later, send } from './models/draft.js';
import { speak } from './models/speak.js';
import { zh } from './models/form-zh.js';

const schema = JSON.parse(data.content);
const used = new Set();
const collect = (parts) => { for (const one of parts ?? []) { used.add(one?.type); collect(one?.components); } };
collect(schema.components);

/** Only what the server renders and checks is offered; what a file has of other parts stays, to be told of and removed. */
class OnlyOffered {
  constructor(formFields) {
    const known = formFields._formFields;
    for (const type of Object.keys(known)) if (type !== 'default' && !data.offered.includes(type) && !used.has(type)) delete known[type];
  }
}
OnlyOffered.$inject = ['formFields'];

const container = document.getElementById('form-editor');
const editor = new FormEditor({ container, additionalModules: [{ __init__: ['onlyOffered'], onlyOffered: ['type', OnlyOffered] }] });
if (!english) speak(container, zh, { skip: '.fjs-form-field-text, textarea, input' });
const content = async () => JSON.stringify(editor.saveSchema(), null, 2) + '\n';
const draft = new Draft(content);
const none = english ? 'The form can be deployed.' : '表单可以部署。';
const tab = document.getElementById('tab-problems');
const named = tab.textContent;

async function look() {
  const { body } = await send(data.preview, { content: await content() });
  const problems = body.problems ?? [body.message];
  findings(document.querySelector('[data-findings]'), problems.map((message) => ({ severity: 'error', message })), none);
  tab.textContent = problems.length ? `${named} ${problems.length}` : named;
  for (const [place, html] of [['[data-fill]', body.fill], ['[data-review]', body.review]]) {
    // What the server renders is escaped there; a form with problems keeps the last preview.
    if (!problems.length) document.querySelector(place).innerHTML = html;
  }
  document.body.dataset.looked = String(Number(document.body.dataset.looked || 0) + 1);
}
const lookSoon = later(look, 500);

async function open() {
  await editor.importSchema(schema);
  editor.on('changed', () => { draft.changed(); lookSoon(); });
  await look();
  document.body.dataset.ready = 'true';
}
open().catch((error) => findings(document.querySelector('[data-findings]'), [{ severity: 'error', message: (english ? 'The file cannot be opened: ' : '文件打不开：') + error.message }], none));
