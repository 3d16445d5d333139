// A field for FEEL: checked on the server as one types, and completing the names that are known at this point.
import { framed, h } from './fields.js';
import { later, send } from './server.js';
import { spoken } from './timing.js';
import { t } from './words.js';

const WORD = /[\p{L}_][\p{L}\p{N}_.]*$/u;
let number = 0;

/** known(): the variables known here. write(text) is called when the field is left. */
export function expression(name, label, value, write, { editor, known = () => [], hint = '', rows = 2, plain = false } = {}) {
  const said = h('span', { class: 'feel-said', role: 'status' });
  const box = h('ul', { class: 'feel-names', role: 'listbox', id: `feel-names-${(number += 1)}`, 'aria-label': t('可用的变量'), hidden: true });
  const area = h('textarea', { class: 'control mono', rows, spellcheck: 'false', autocomplete: 'off', role: 'combobox', 'aria-autocomplete': 'list', 'aria-controls': box.id, 'aria-expanded': 'false' });
  area.value = value ?? '';
  let chosen = -1;

  const judge = async () => {
    const source = area.value.trim();
    if (plain && spoken(source)) { said.textContent = spoken(source); said.className = 'feel-said good'; return; }
    const { status, body } = await send('POST', editor.feelUrl, { source });
    if (status !== 200 || area.value.trim() !== source) return;
    tell(source, body);
  };
  const tell = (source, found) => {
    const names = known();
    const strange = (found.names ?? []).filter((one) => !names.includes(one));
    area.toggleAttribute('aria-invalid', !found.ok);
    if (!source) said.textContent = '';
    else if (!found.ok) said.textContent = found.position == null ? found.message : t('第 {n} 个字处：{message}', { n: found.position + 1, message: found.message });
    else if (strange.length && names.length) said.textContent = t('可以计算；但这里之前没有环节设置“{names}”', { names: strange.join('、') });
    else said.textContent = t('写法正确');
    said.className = `feel-said ${!source ? '' : !found.ok ? 'bad' : strange.length && names.length ? 'warn' : 'good'}`;
  };
  const soon = later(350, judge);

  const close = () => { box.hidden = true; chosen = -1; area.setAttribute('aria-expanded', 'false'); area.removeAttribute('aria-activedescendant'); };
  const typed = () => WORD.exec(area.value.slice(0, area.selectionStart))?.[0] ?? '';
  const put = (one) => {
    const at = area.selectionStart;
    const from = at - typed().length;
    area.setRangeText(one, from, at, 'end');
    close();
    area.focus();
    soon();
  };
  const offer = () => {
    const begun = typed();
    const fitting = known().filter((one) => one.startsWith(begun) && one !== begun).slice(0, 12);
    if (!fitting.length) { close(); return; }
    chosen = -1;
    box.replaceChildren(...fitting.map((one, at) => h('li', { role: 'option', id: `${box.id}-${at}`, 'aria-selected': 'false', onmousedown: (event) => { event.preventDefault(); put(one); } }, one)));
    box.hidden = false;
    area.setAttribute('aria-expanded', 'true');
  };
  const move = (step) => {
    const items = [...box.children];
    chosen = (chosen + step + items.length) % items.length;
    items.forEach((item, at) => item.setAttribute('aria-selected', String(at === chosen)));
    area.setAttribute('aria-activedescendant', items[chosen].id);
    items[chosen].scrollIntoView({ block: 'nearest' });
  };
  area.addEventListener('input', () => { soon(); offer(); });
  area.addEventListener('focus', offer);
  area.addEventListener('blur', close);
  area.addEventListener('change', () => write(area.value.trim()));
  area.addEventListener('keydown', (event) => {
    if (box.hidden) { if (event.key === 'ArrowDown' && event.altKey) offer(); return; }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); move(event.key === 'ArrowDown' ? 1 : -1); }
    else if (event.key === 'Escape') { event.stopPropagation(); close(); }
    else if ((event.key === 'Enter' || event.key === 'Tab') && chosen >= 0) { event.preventDefault(); put(box.children[chosen].textContent); }
  });
  if (area.value.trim()) judge();
  const frame = framed(name, label, area, hint);
  frame.classList.add('feel');
  frame.append(box, said);
  return frame;
}
