// Rows of a dynamic list. A new row is the <template> with __index__ and __number__ filled in; the index only grows,
// so that a removed row never gives its number to another.
import htmx from 'htmx.org';
import { all, on } from './tools.js';

const bounds = (box) => ({ least: Number(box.dataset.min || 0), most: Number(box.dataset.maxRows || Infinity) });
const items = (box) => all(':scope > [data-row-item]', box);

function renumber(box) {
  items(box).forEach((item, i) => { const place = item.querySelector('[data-row-number]'); if (place) place.textContent = i + 1; });
  const { most } = bounds(box);
  for (const button of all(`[data-row-add="${box.dataset.rows}"]`)) button.disabled = items(box).length >= most;
}

on('click', '[data-row-add]', (_, button) => {
  const name = button.dataset.rowAdd;
  const box = document.querySelector(`[data-rows="${name}"]`);
  const template = document.querySelector(`template[data-row-template="${name}"]`);
  if (!box || !template || items(box).length >= bounds(box).most) return;
  const index = Number(box.dataset.next ?? items(box).length);
  box.dataset.next = index + 1;
  box.insertAdjacentHTML('beforeend', template.innerHTML.replaceAll('__index__', index).replaceAll('__number__', items(box).length + 1));
  renumber(box);
  const added = box.lastElementChild;
  htmx.process(added);
  (added.querySelector('input:not([type=hidden]), select, textarea') ?? added).focus();
  box.dispatchEvent(new Event('input', { bubbles: true }));
});

on('click', '[data-row-remove]', (_, button) => {
  const item = button.closest('[data-row-item]');
  const box = item?.closest('[data-rows]');
  if (!box || items(box).length <= bounds(box).least) return;
  const next = item.nextElementSibling ?? item.previousElementSibling;
  box.dataset.next ??= items(box).length;
  item.remove();
  renumber(box);
  (next?.querySelector('summary, input') ?? document.querySelector(`[data-row-add="${box.dataset.rows}"]`))?.focus();
  box.dispatchEvent(new Event('input', { bubbles: true }));
});
