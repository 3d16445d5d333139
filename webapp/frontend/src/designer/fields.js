// Labelled fields of the panel, in plain DOM. Everything that a model says goes in as text, never as markup.
import { t } from './words.js';

/** An element with attributes and children; a string becomes text. `on*` are listeners. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The frame of a field: label, control, hint. The control is found again by its data-field after a redraw. */
export function framed(name, label, control, hint = '') {
  const id = `prop-${name}`;
  const field = control.matches('input, select, textarea') ? control : control.querySelector('input, select, textarea');
  field.id = id;
  field.dataset.field = name;
  if (hint) field.setAttribute('aria-describedby', `${id}-hint`);
  return h('div', { class: 'field' }, h('label', { for: id }, label), control, hint ? h('span', { class: 'hint', id: `${id}-hint` }, hint) : null);
}

export function text(name, label, value, write, { hint = '', rows = 0, readonly = false, list = null, mono = false } = {}) {
  const control = h(rows ? 'textarea' : 'input', { class: `control${mono ? ' mono' : ''}`, rows: rows || null, readonly, autocomplete: 'off', spellcheck: 'false', onchange: (event) => write(event.target.value.trim()) });
  control.value = value ?? '';
  const frame = framed(name, label, control, hint);
  if (list) {
    control.setAttribute('list', `${control.id}-list`);
    frame.append(h('datalist', { id: `${control.id}-list` }, list.map((one) => h('option', { value: one }))));
  }
  return frame;
}

/** options: [{id, name}]; the present value stays, even when nobody knows it any more. */
export function select(name, label, options, value, write, { hint = '', empty = t('（不设）') } = {}) {
  const known = options.some((one) => one.id === value) || !value;
  const all = [...(empty === null ? [] : [{ id: '', name: empty }]), ...options, ...(known ? [] : [{ id: value, name: t('{value}（不存在）', { value }) }])];
  const control = h('select', { class: 'control select', onchange: (event) => write(event.target.value) }, all.map((one) => h('option', { value: one.id, selected: one.id === (value ?? '') }, one.name === one.id || !one.id ? one.name : `${one.name}（${one.id}）`)));
  return framed(name, label, control, hint);
}

export function tick(name, label, checked, write, hint = '') {
  const box = h('input', { type: 'checkbox', 'data-field': name, id: `prop-${name}`, onchange: (event) => write(event.target.checked) });
  box.checked = Boolean(checked);
  return h('div', { class: 'field check-field' }, h('label', {}, box, h('span', {}, label, hint ? h('small', {}, hint) : null)));
}

/** Several of a list: those chosen stand as removable words, a select adds one. */
export function several(name, label, options, chosen, write, { hint = '', shown = (one) => one.name } = {}) {
  const left = options.filter((one) => !chosen.includes(one.id));
  const control = h('select', { class: 'control select', onchange: (event) => event.target.value && write([...chosen, event.target.value]) }, h('option', { value: '' }, t('添加…')), left.map((one) => h('option', { value: one.id }, one.name)));
  const frame = framed(name, label, control, hint);
  const words = chosen.map((id) => {
    const one = options.find((option) => option.id === id);
    const said = one ? shown(one) : t('{value}（不存在）', { value: id });
    return h('li', {}, h('span', {}, said), h('button', { type: 'button', class: 'btn btn-quiet btn-icon', 'aria-label': t('去掉 {name}', { name: one?.name ?? id }), 'data-field': `${name}-${id}`, onclick: () => write(chosen.filter((other) => other !== id)) }, '×'));
  });
  if (words.length) frame.append(h('ul', { class: 'chosen' }, words));
  return frame;
}

/** A small table that one writes in. columns: [{key, label, options?}]; a change of a cell writes all rows. */
export function table(name, label, columns, rows, write, { add = t('加一行'), hint = '' } = {}) {
  const changed = (number, key, value) => write(rows.map((row, at) => (at === number ? { ...row, [key]: value } : row)));
  const cell = (row, number, column) => {
    const field = { class: 'control', 'data-field': `${name}-${number}-${column.key}`, 'aria-label': `${label} ${number + 1} ${column.label}` };
    if (column.kind === 'tick') {
      const box = h('input', { ...field, class: '', type: 'checkbox', onchange: (event) => changed(number, column.key, event.target.checked ? 'true' : undefined) });
      box.checked = row[column.key] === 'true';
      return h('td', { class: 'tick-cell' }, h('label', { class: 'tick' }, box));
    }
    if (column.options) return h('td', {}, h('select', { ...field, class: 'control select', onchange: (event) => changed(number, column.key, event.target.value) }, column.options.map((one) => h('option', { value: one.id, selected: one.id === (row[column.key] ?? '') }, one.name))));
    const input = h('input', { ...field, autocomplete: 'off', spellcheck: 'false', onchange: (event) => changed(number, column.key, event.target.value.trim()) });
    input.value = row[column.key] ?? '';
    return h('td', {}, input);
  };
  const remove = (number) => h('td', {}, h('button', { type: 'button', class: 'btn btn-quiet btn-icon', 'data-field': `${name}-${number}-remove`, 'aria-label': t('移除第 {n} 行', { n: number + 1 }), onclick: () => write(rows.filter((_, at) => at !== number)) }, '×'));
  const body = rows.map((row, number) => h('tr', {}, columns.map((column) => cell(row, number, column)), remove(number)));
  return h('div', { class: 'field' }, h('span', { class: 'label' }, label), hint ? h('span', { class: 'hint' }, hint) : null,
    rows.length ? h('table', { class: 'rows-table' }, h('thead', {}, h('tr', {}, columns.map((column) => h('th', { scope: 'col' }, column.label)), h('th', {}, h('span', { class: 'visually-hidden' }, t('移除'))))), h('tbody', {}, body)) : null,
    h('button', { type: 'button', class: 'btn btn-small btn-dashed', 'data-field': `${name}-add`, onclick: () => write([...rows, {}]) }, `+ ${add}`));
}

/** A sentence that is only read. */
export const note = (words, tone = '') => h('p', { class: `panel-note ${tone}` }, words);
