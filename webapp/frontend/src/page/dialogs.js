// Confirm dialogs: native <dialog>, the decisive button waits for the reason and the typed word.
import { all, on } from './tools.js';

function ready(dialog) {
  const typed = all('[data-typed]', dialog).every((box) => box.value.trim() === box.dataset.typed);
  const written = all('[data-required]', dialog).every((box) => box.value.trim() !== '');
  for (const button of all('[data-confirmed]', dialog)) button.disabled = !(typed && written);
}

on('click', '[data-confirm], [data-open-dialog]', (event, button) => {
  const dialog = document.getElementById(button.dataset.confirm ?? button.dataset.openDialog);
  if (!dialog) return;
  event.preventDefault();
  ready(dialog);
  dialog.showModal();
  (dialog.querySelector('textarea, input:not([type=hidden]), select') ?? dialog.querySelector('[data-close]'))?.focus();
});
on('input', 'dialog', (_, dialog) => ready(dialog));
on('click', '[data-close]', (_, button) => button.closest('dialog').close());
// A click beside the dialog closes it, unless something was written.
on('click', 'dialog', (event, dialog) => {
  if (event.target === dialog && all('textarea', dialog).every((box) => !box.value)) dialog.close();
});
