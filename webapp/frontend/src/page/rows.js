// Rows of a dynamic list. A new row is the <template> with __index__ and __number__ filled in; the index only grows,
// so that a removed row never gives its number to another. What was removed comes back until the page is left.
import htmx from 'htmx.org';
import { all, fill, on, whenShown } from './tools.js';

const bounds = (box) => ({ least: Number(box.dataset.min || 0), most: Number(box.dataset.maxRows || Infinity) });
const items = (box) => all(':scope > [data-row-item]', box);

function renumber(box) {
  items(box).forEach((item, i) => { const place = item.querySelector('[data-row-number]'); if (place) place.textContent = i + 1; });
  const { least, most } = bounds(box);
  for (const item of items(box)) for (const button of all('[data-row-remove]', item)) if (button.closest('[data-rows]') === box) button.disabled = items(box).length <= least;
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
  box.dataset.next ??= items(box).length;
  const way = wayBack(item, box);
  item.replaceWith(way);
  renumber(box);
  way.querySelector('button').focus();
  box.dispatchEvent(new Event('input', { bubbles: true }));
});

function wayBack(item, box) {
  const line = document.createElement('p');
  line.className = 'row-gone';
  line.setAttribute('role', 'status');
  const title = item.querySelector('summary b')?.textContent.trim().replace(/\s+/g, ' ') ?? '';
  line.append(fill(box.dataset.removed ?? '', { title }));
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: 'btn btn-quiet btn-small', textContent: box.dataset.undo ?? '' });
  button.addEventListener('click', () => {
    if (items(box).length >= bounds(box).most) return;
    line.replaceWith(item);
    renumber(box);
    item.querySelector('summary')?.focus();
    box.dispatchEvent(new Event('input', { bubbles: true }));
  });
  line.append(button);
  return line;
}

// The head of a row says what it is called while one types.
on('input', '[data-row-item] input[name]', (_, input) => {
  const item = input.closest('[data-row-item]');
  for (const place of all('[data-row-shows]', item)) if (place.dataset.rowShows === input.name) place.textContent = input.value.trim() || place.dataset.blank || '';
});

whenShown((root) => all('[data-rows]', root).forEach(renumber));
