// The test row of a decision: one box for each input, the server says which rules fire and what comes out.
import { data, english, later, send } from './draft.js';

const words = english
  ? { no: 'This decision asks for nothing.', hit: 'Rules that fire:', nothing: 'No rule fires.', yes: 'yes', off: 'no', empty: 'empty', rule: 'rule', of: 'of a decision it requires' }
  : { no: '这个决策不需要输入。', hit: '命中的规则：', nothing: '没有规则命中。', yes: '是', off: '否', empty: '空', rule: '规则', of: '所依赖的决策' };
const style = document.head.appendChild(document.createElement('style'));

export class Trial {
  constructor(content) {
    this.content = content;
    this.decisions = [];
    this.form = document.querySelector('[data-try]');
    this.inputs = document.querySelector('[data-inputs]');
    this.result = document.querySelector('[data-result]');
    this.values = {};
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.run(); });
    this.form.addEventListener('input', later(() => this.run(), 500));
  }

  /** The inputs of the decision that is open; what was typed stays. */
  show(id) {
    this.decision = this.decisions.find((one) => one.key === id) ?? this.decisions[0];
    const asked = this.decision?.inputs ?? [];
    const shape = JSON.stringify(asked);
    if (shape === this.shape) return;
    this.shape = shape;
    this.inputs.replaceChildren(...asked.map((one, number) => this.field(one, `try-${number}`)));
    if (!asked.length) this.inputs.textContent = this.decision ? words.no : '';
    if (Object.values(this.values).some(Boolean)) this.run();
  }

  field(one, id) {
    const field = document.createElement('div');
    field.className = 'field';
    const label = field.appendChild(document.createElement('label'));
    label.htmlFor = id;
    label.textContent = one.label === one.name ? one.name : `${one.label}（${one.name}）`;
    const control = field.appendChild(document.createElement(one.type === 'boolean' ? 'select' : 'input'));
    control.id = id;
    control.name = one.name;
    control.className = 'control';
    control.autocomplete = 'off';
    if (one.type === 'boolean') for (const [value, text] of [['', words.empty], ['true', words.yes], ['false', words.off]]) control.add(new Option(text, value));
    else if (['number', 'integer', 'long', 'double'].includes(one.type)) control.inputMode = 'decimal';
    else if (one.suggestions.length) {
      const list = field.appendChild(document.createElement('datalist'));
      list.id = `${id}-list`;
      for (const text of one.suggestions) list.append(new Option(text, one.type === 'string' ? text : `"${text}"`));
      control.setAttribute('list', list.id);
    }
    control.value = this.values[one.name] ?? '';
    const wrong = field.appendChild(document.createElement('span'));
    wrong.className = 'field-error';
    wrong.id = `${id}-error`;
    wrong.hidden = true;
    return field;
  }

  async run() {
    if (!this.decision) return;
    for (const control of this.form.elements) if (control.name) this.values[control.name] = control.value;
    const { status, body } = await send(data.try, { content: await this.content(), decision: this.decision.key, values: this.values });
    this.tell(status === 200 ? body : { error: body.message || String(status), rules: [], rows: [], warnings: [], fields: {} });
  }

  tell(said) {
    for (const control of this.form.elements) {
      if (!control.name) continue;
      const wrong = document.getElementById(`${control.id}-error`);
      wrong.textContent = said.fields[control.name] ?? '';
      wrong.hidden = !wrong.textContent;
      control.toggleAttribute('aria-invalid', !wrong.hidden);
    }
    style.textContent = said.rules.map((id) => `[data-row-id="${CSS.escape(id)}"]`).join(',') + (said.rules.length ? '{background:var(--good-soft)!important}' : '');
    const line = (text, kind) => { const made = document.createElement('p'); made.className = kind; made.textContent = text; return made; };
    const lines = [];
    if (said.error) lines.push(line(said.error, 'field-error'));
    if (!Object.keys(said.fields).length) {
      const numbers = said.rules.map((id) => this.decision.rules.indexOf(id) + 1).map((number) => (number ? String(number) : words.of));
      lines.push(line(said.rules.length ? `${words.hit} ${[...new Set(numbers)].join('、')}` : words.nothing, 'tried-rules'));
      for (const row of said.rows) lines.push(line(Object.entries(row).map(([name, value]) => `${name} = ${value}`).join('，'), 'tried-row'));
      for (const text of said.warnings) lines.push(line(text, 'muted'));
    }
    this.result.replaceChildren(...lines);
  }
}
