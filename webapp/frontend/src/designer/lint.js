// What deployment would say, asked while one draws: a list to go along, and marks on the elements.
import { h } from './fields.js';
import { later, send } from './server.js';
import { t } from './words.js';

const WORDS = { error: '须改', warning: '提示', info: '说明' };

export class Lint {
  constructor(modeler, data, editor) {
    Object.assign(this, { modeler, data, editor, findings: [], asked: 0 });
    this.list = document.getElementById('findings-list');
    this.head = document.getElementById('findings-state');
    this.soon = later(500, () => this.ask());
    modeler.get('eventBus').on('commandStack.changed', this.soon);
  }

  async ask() {
    const asked = (this.asked += 1);
    const { xml } = await this.modeler.saveXML({ format: true });
    const { status, body } = await send('POST', this.data.check, { content: xml });
    if (asked !== this.asked) return;
    if (status !== 200) { this.head.textContent = body.message || t('暂时不能检查，请稍后再试。'); return; }
    this.findings = body.findings;
    this.editor.names = body.names;
    this.show();
    this.editor.checked();
  }

  shape(id) { return id ? this.modeler.get('elementRegistry').get(id) : null; }

  name(one) {
    const shape = this.shape(one.element_id);
    return shape?.businessObject.name || one.where || t('整个流程');
  }

  show() {
    const canvas = this.modeler.get('canvas');
    const overlays = this.modeler.get('overlays');
    overlays.remove({ type: 'finding' });
    this.modeler.get('elementRegistry').forEach((element) => { if (element.parent) for (const mark of ['has-error', 'has-warning']) canvas.removeMarker(element, mark); });
    const errors = this.findings.filter((one) => one.severity === 'error').length;
    this.head.textContent = this.findings.length ? t('{errors} 处须改，{warnings} 处提示', { errors, warnings: this.findings.length - errors }) : t('没有发现问题');
    this.head.className = errors ? 'bad' : this.findings.length ? 'warn' : 'good';
    this.list.replaceChildren(...this.findings.map((one) => this.row(one)));
    const seen = new Set();
    for (const one of this.findings) {
      const shape = this.shape(one.element_id);
      if (!shape?.parent || seen.has(shape)) continue;
      seen.add(shape);
      canvas.addMarker(shape, `has-${one.severity}`);
      if (!shape.waypoints) overlays.add(shape, 'finding', { position: { top: -10, left: -10 }, html: h('span', { class: `finding-mark ${one.severity}`, title: one.message }, one.severity === 'error' ? '✕' : '▲') });
    }
  }

  row(one) {
    const shape = this.shape(one.element_id);
    const parts = [h('b', { class: one.severity }, t(WORDS[one.severity])), h('span', { class: 'where' }, this.name(one)), h('span', {}, one.message), one.mend ? h('span', { class: 'muted' }, one.mend) : null];
    return h('li', {}, shape ? h('button', { type: 'button', onclick: () => this.editor.go(one.element_id) }, parts) : h('div', {}, parts));
  }

  of(id) { return this.findings.filter((one) => one.element_id === id); }
}
