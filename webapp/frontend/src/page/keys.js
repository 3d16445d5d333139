// Keys of a list page: J K move, X picks, Enter opens, S claims; / searches and ? explains on every page.
import { all, typing } from './tools.js';
import { refresh } from './list.js';

const rows = () => all('[data-list] tr[data-row]');
const current = () => document.querySelector('[data-list] tr.cursor');

function move(step) {
  const list = rows();
  const at = list.indexOf(current());
  const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? (step > 0 ? 0 : list.length - 1) : at + step))];
  current()?.classList.remove('cursor');
  next?.classList.add('cursor');
  // Focus follows, so that a screen reader reads the row and Enter is the link's own.
  next?.querySelector('a.title, a')?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest' });
}

function pick(row) {
  const box = row.querySelector('[data-pick]');
  if (!box) return;
  box.checked = !box.checked;
  refresh(row.closest('[data-list]'));
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  x: (row) => row && pick(row),
  s: (row) => row?.querySelector('[data-claim]')?.click(),
  Enter: (row) => { if (row && !document.activeElement?.closest('a, button, summary')) location.assign(row.dataset.row); },
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target) || document.querySelector('dialog[open]')) return;
  if (event.key === '/') {
    const box = document.querySelector('[data-search]');
    if (box) { event.preventDefault(); box.focus(); box.select(); }
  } else if (event.key === '?') {
    document.getElementById('shortcuts')?.showModal();
  } else if (rows().length) {
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action) action(current());
  }
});
document.addEventListener('focusin', (event) => {
  const row = event.target.closest('[data-list] tr[data-row]');
  if (row && row !== current()) { current()?.classList.remove('cursor'); if (event.target.matches(':focus-visible')) row.classList.add('cursor'); }
});
