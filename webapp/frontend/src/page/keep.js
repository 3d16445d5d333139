// What is typed while the server answers stays: a part that is swapped in takes over the values, the cursor and the
// files that stand in the part it replaces.
import { all } from './tools.js';

const controls = (root) => all('input[name]:not([type=hidden]), select[name], textarea[name]', root);
const files = (root) => all('[data-upload] input[type=hidden]', root).map((input) => input.value).join();

document.addEventListener('htmx:oobBeforeSwap', (event) => {
  const { target, fragment } = event.detail;
  if (target.querySelector('[data-upload]') && fragment.querySelector('[data-upload]') && files(target) !== files(fragment)) { event.detail.shouldSwap = false; return; }
  const fresh = controls(fragment);
  for (const old of controls(target)) {
    const same = fresh.filter((one) => one.name === old.name);
    if (old.matches('[type=radio], [type=checkbox]')) { for (const one of same) if (one.value === old.value) one.checked = old.checked; }
    else if (same.length === 1 && !old.multiple && (!same[0].options || [...same[0].options].some((option) => option.value === old.value))) same[0].value = old.value;
  }
  const focused = document.activeElement;
  if (!target.contains(focused) || !focused.id) return;
  const [from, to] = focused.matches('textarea, input') ? [focused.selectionStart, focused.selectionEnd] : [null, null];
  queueMicrotask(() => {
    const again = document.getElementById(focused.id);
    again?.focus({ preventScroll: true });
    if (from !== null) again?.setSelectionRange(from, to);
  });
});
