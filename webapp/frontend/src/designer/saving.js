// Drafts save themselves. When somebody else's save came first, nothing is overwritten: the page says so and offers the ways on.
import { h } from './fields.js';
import { later, send } from './server.js';
import { t } from './words.js';

export class Saving {
  constructor(modeler, data) {
    Object.assign(this, { modeler, data, version: data.version, dirty: false, busy: false, stopped: false });
    this.state = document.getElementById('save-state');
    this.soon = later(1200, () => this.save());
    modeler.get('eventBus').on('commandStack.changed', () => {
      this.dirty = true;
      if (!this.stopped) this.state.textContent = t('正在编辑…');
      this.soon();
    });
    addEventListener('beforeunload', (event) => { if (this.dirty) event.preventDefault(); });
    document.addEventListener('visibilitychange', () => { if (document.hidden && this.dirty) this.save(); });
    document.addEventListener('keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 's') { event.preventDefault(); this.save(); }
    });
  }

  async save(version = this.version) {
    if (this.busy) { this.soon(); return false; }
    if (this.stopped && version === this.version) return false;
    this.busy = true;
    this.dirty = false;
    const { xml } = await this.modeler.saveXML({ format: true });
    const { status, body } = await send('PUT', this.data.save, { content: xml, version });
    this.busy = false;
    if (status === 200) {
      this.version = body.version;
      this.stopped = false;
      this.state.textContent = t('{at} 已存为草稿', { at: body.saved_at });
      document.getElementById('save-conflict').replaceChildren();
      return true;
    }
    this.dirty = true;
    if (status === 409) this.conflict(body);
    else {
      this.state.textContent = body.message || t('没有保存：网络中断，稍后自动重试。');
      if (status === 0 || status >= 500) setTimeout(this.soon, 4000);
    }
    return false;
  }

  conflict({ message, detail = {}, kept, compare }) {
    this.stopped = true;
    this.state.textContent = t('没有保存');
    const mine = h('button', { type: 'button', class: 'btn btn-small', onclick: () => this.save(detail.version) }, t('用我的内容'));
    const theirs = h('button', { type: 'button', class: 'btn btn-small', onclick: () => { this.dirty = false; location.reload(); } }, t('打开对方的草稿'));
    document.getElementById('save-conflict').replaceChildren(h('div', { class: 'note note-warn', role: 'alert' }, h('span', {}, message), compare ? h('a', { class: 'btn btn-small', href: compare, target: '_blank' }, t('比较两份')) : null, kept ? h('a', { class: 'btn btn-small', href: kept }, t('下载我的内容')) : null, detail.version ? mine : null, theirs));
  }
}
