// A menu is a <details>: it opens without script. Here it closes by Escape, by a click elsewhere and when one is chosen.
import { all, on } from './tools.js';

const open = () => all('details[data-menu][open]');

document.addEventListener('click', (event) => {
  for (const menu of open()) if (!menu.contains(event.target) || event.target.closest('.menu-list :is(a, button)')) menu.open = false;
});
document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('details[data-menu][open]');
  if (event.key === 'Escape') {
    for (const one of open()) { one.open = false; if (one === menu) one.querySelector('summary').focus(); }
  } else if (menu && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    const items = all('.menu-list :is(a, button:not(:disabled))', menu).filter((item) => item.offsetParent);
    const at = items.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1);
    items.at(at % items.length)?.focus();
    event.preventDefault();
  }
});
on('toggle', 'details[data-menu]', (_, menu) => {
  if (menu.open) for (const other of open()) if (other !== menu) other.open = false;
}, true);
