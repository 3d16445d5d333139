// The source's own words are folded to two lines; the button appears only where something is hidden.
import { all, on, whenShown } from './tools.js';

const measure = (root) => {
  for (const words of all('[data-fold].folded', root)) {
    const button = words.nextElementSibling;
    if (button && words.offsetParent) button.hidden = words.scrollHeight <= words.clientHeight + 1;
  }
};
whenShown(measure);
document.addEventListener('shown', (event) => measure(event.target));
on('click', '[data-unfold]', (_, button) => {
  const folded = button.previousElementSibling.classList.toggle('folded');
  button.dataset.closed ??= button.textContent;
  button.textContent = folded ? button.dataset.closed : button.dataset.open;
  button.setAttribute('aria-expanded', String(!folded));
});
