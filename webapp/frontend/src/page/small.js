// Print, copy, fill in.
import { on } from './tools.js';

on('click', '[data-print]', () => print());
on('click', '[data-copy]', async (_, button) => {
  await navigator.clipboard.writeText(button.dataset.copy);
  const words = button.querySelector('span') ?? button;
  words.textContent = button.dataset.copied;
});
on('click', '[data-fill]', (_, button) => {
  const box = document.getElementById(button.dataset.fill);
  if (box) { box.value = button.dataset.value; document.getElementById('f-password')?.focus(); }
});
