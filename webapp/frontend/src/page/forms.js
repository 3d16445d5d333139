// Counting characters, inserting stock phrases, parts that a choice shows, filters that act at once, focus on errors.
import { all, fill, on, whenShown } from './tools.js';

function count(box) {
  const place = document.querySelector(`[data-count-for="${CSS.escape(box.id)}"]`);
  if (!place) return;
  const length = [...box.value].length;
  place.textContent = fill(place.dataset.words, { n: length, max: box.dataset.max });
  place.classList.toggle('over', length > Number(box.dataset.max));
}
on('input', '[data-max]', (_, box) => count(box));

on('click', '[data-phrase]', (_, button) => {
  const box = document.getElementById(button.dataset.target);
  if (!box) return;
  const before = box.value.slice(0, box.selectionStart);
  const joint = before && !/[，。；、\s]$/.test(before) ? '；' : '';
  box.setRangeText(joint + button.dataset.phrase, box.selectionStart, box.selectionEnd, 'end');
  box.focus();
  box.dispatchEvent(new Event('input', { bubbles: true }));
});

function shown(part) {
  const [name, values] = part.dataset.shownWhen.split('=');
  const field = all(`[name="${CSS.escape(name)}"]`, part.closest('form') ?? document);
  const chosen = field.filter((f) => !f.matches('[type=radio], [type=checkbox]') || f.checked).map((f) => f.value);
  part.hidden = !chosen.some((value) => values.split(',').includes(value));
}
document.addEventListener('change', () => { for (const part of all('[data-shown-when]')) shown(part); });

on('change', 'select[data-submit]', (_, select) => select.form.requestSubmit());
on('change', '.segmented input', (_, input) => input.closest('.segmented').classList.remove('segmented-todo'));

on('click', '.error-summary a', (event, link) => {
  const target = document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  for (let parent = target; parent; parent = parent.parentElement.closest('details')) { if (parent.matches('details')) parent.open = true; if (!parent.parentElement) break; }
  target.scrollIntoView({ block: 'center' });
  (target.matches('input, select, textarea, button, a') ? target : target.querySelector('input:not([type=hidden]), select, textarea, button, summary') ?? target).focus({ preventScroll: true });
});

whenShown((root) => {
  for (const part of all('[data-shown-when]', root)) shown(part);
  root.querySelector('[data-focus]')?.focus();
});
