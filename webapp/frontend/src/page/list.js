// Picking rows of a list: the bulk bar takes the place of the filter line while something is picked.
import { all, fill, on, whenShown } from './tools.js';

export function refresh(list) {
  const boxes = all('[data-pick]', list);
  const picked = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest('tr')?.toggleAttribute('data-selected', box.checked);
  for (const box of all('[data-pick-all]', list)) {
    box.checked = boxes.length > 0 && picked.length === boxes.length;
    box.indeterminate = picked.length > 0 && !box.checked;
  }
  const bar = list.querySelector('[data-bulk]');
  if (!bar) return;
  const focused = document.activeElement?.matches('[data-pick-all]') && list.contains(document.activeElement);
  bar.hidden = picked.length === 0;
  list.toggleAttribute('data-selected', picked.length > 0);
  const words = bar.querySelector('[data-picked-text]');
  if (words) words.textContent = fill(words.dataset.pickedText, { n: picked.length });
  if (focused) all('[data-pick-all]', list).find((box) => box.offsetParent)?.focus();
}

const setAll = (list, state) => { for (const box of all('[data-pick]', list)) box.checked = state; refresh(list); };

let last = null;
on('click', '[data-pick]', (event, box) => {
  const list = box.closest('[data-list]');
  const boxes = all('[data-pick]', list);
  if (event.shiftKey && last && boxes.includes(last)) {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
  }
  last = box;
  refresh(list);
});
on('change', '[data-pick-all]', (_, box) => setAll(box.closest('[data-list]'), box.checked));
on('click', '[data-pick-none]', (_, button) => setAll(button.closest('[data-list]'), false));
document.addEventListener('keydown', (event) => {
  const list = document.querySelector('[data-list][data-selected]');
  if (event.key === 'Escape' && list && !document.querySelector('dialog[open], details[data-menu][open]')) setAll(list, false);
});
// The browser restores ticks when one goes back.
whenShown((root) => { for (const list of all('[data-list]', root)) refresh(list); });
addEventListener('pageshow', () => { for (const list of all('[data-list]')) refresh(list); });
