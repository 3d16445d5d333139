// A form is sent once, and a page with unsaved words asks before it is left.
import { on } from './tools.js';

const dirty = new Set();

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches('form')) return;
  if (form.matches('[data-once]')) {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = 'true';
    // Marked busy, not disabled: a disabled button would not be sent along.
    event.submitter?.setAttribute('aria-busy', 'true');
  }
  dirty.delete(form);
});
addEventListener('pageshow', () => {
  for (const form of document.forms) { delete form.dataset.sent; for (const button of form.elements) button.removeAttribute('aria-busy'); }
});
document.addEventListener('htmx:afterRequest', (event) => { const form = event.target.closest?.('form'); if (form) delete form.dataset.sent; });

on('input', 'form[data-dirty]', (_, form) => dirty.add(form));
export const clean = (form) => dirty.delete(form);
addEventListener('beforeunload', (event) => { if (dirty.size) event.preventDefault(); });
