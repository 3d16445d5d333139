// Saving of an editor's text: by button, Ctrl+S and by itself; a later save that has not seen an earlier one is told of it.
const WAIT = 4000;

export const data = JSON.parse(document.getElementById('editor-data').textContent);
export const english = data.lang === 'en';
const words = english
  ? { saving: 'Saving…', saved: 'Draft saved at', dirty: 'Not saved yet', failed: 'Not saved:', network: 'the server does not answer; it is tried again', kept: 'Your text is kept here', reopen: 'Open the newer draft' }
  : { saving: '正在保存…', saved: '草稿已存', dirty: '尚未保存', failed: '没有保存：', network: '服务器没有应答，稍后再试', kept: '您的内容另存在这里', reopen: '打开较新的草稿' };

/** POST or PUT of JSON; gives {status, body}. */
export async function send(url, body, method = 'POST') {
  const token = document.querySelector('meta[name=csrf-token]').content;
  const answer = await fetch(url, { method, headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token }, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json().catch(() => ({})) };
}

/** Calls `act` when nothing has happened for a while; of overlapping answers only the last one counts. */
export function later(act, wait = 400) {
  let timer = 0;
  return (...given) => { clearTimeout(timer); timer = setTimeout(act, wait, ...given); };
}

export class Draft {
  /** text: async function that gives the editor's content. */
  constructor(text) {
    this.text = text;
    this.version = data.version;
    this.stopped = false;
    this.dirty = false;
    this.saving = null;
    this.told = document.querySelector('[data-saved]');
    document.querySelector('[data-save]').addEventListener('click', () => this.save());
    document.addEventListener('keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') { event.preventDefault(); this.save(); }
    });
    window.addEventListener('beforeunload', (event) => { if (this.dirty) event.preventDefault(); });
    document.addEventListener('visibilitychange', () => { if (document.hidden && this.dirty) this.save(); });
    this.soon = later(() => this.save(), WAIT);
  }

  changed() {
    this.dirty = true;
    if (this.stopped) return;
    this.told.textContent = words.dirty;
    this.soon();
  }

  async save() {
    if (this.saving) { await this.saving; if (!this.dirty) return; }
    if (this.stopped) return;
    this.saving = this.put();
    await this.saving;
    this.saving = null;
  }

  async put() {
    this.dirty = false;
    this.told.textContent = words.saving;
    try {
      const content = await this.text();
      const { status, body } = await send(data.save, { content, version: this.version }, 'PUT');
      if (status === 200) { this.version = body.version; this.told.textContent = `${words.saved} ${body.saved_at}`; return; }
      this.dirty = true;
      if (status === 409) this.stale(body);
      this.told.textContent = `${words.failed}${body.message || status}`;
    } catch {
      this.dirty = true;
      this.told.textContent = `${words.failed}${words.network}`;
      this.soon();
    }
  }

  /** Somebody else was first: nothing is overwritten, this text is kept on the server. */
  stale(body) {
    this.stopped = true;
    const place = document.querySelector('[data-stale]');
    const line = document.createElement('p');
    line.className = 'hint hint-warn';
    line.setAttribute('role', 'alert');
    line.append(body.message || '', ' ');
    const link = (url, text) => { const made = document.createElement('a'); made.href = url; made.textContent = text; line.append(made, ' '); };
    if (body.kept) link(body.kept, words.kept);
    link(data.reload, words.reopen);
    place.replaceChildren(line);
    place.hidden = false;
    this.dirty = false;
  }
}

/** The list of findings of a check: [{severity, where, message, mend}] or sentences. */
export function findings(list, found, none) {
  list.replaceChildren(...found.map((one) => {
    const item = document.createElement('li');
    const line = document.createElement('span');
    line.className = `status status-wrap status-${one.severity === 'warning' ? 'fix' : 'no'}`;
    const inner = document.createElement('span');
    inner.textContent = one.message ?? one;
    line.append(inner);
    item.append(line);
    for (const more of [one.where, one.mend]) if (more) { const small = document.createElement('small'); small.className = 'muted'; small.textContent = more; item.append(small); }
    return item;
  }));
  if (!found.length) {
    const item = document.createElement('li');
    item.innerHTML = '<span class="status status-ok"><span></span></span>';
    item.querySelector('span span').textContent = none;
    list.append(item);
  }
}
