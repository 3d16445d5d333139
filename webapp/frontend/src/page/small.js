// Print, copy, fill in; the other language keeps the page's own filters.
import { on } from './tools.js';

on('click', '[data-language]', (event, link) => {
  event.preventDefault();
  const address = new URL(location.href);
  address.searchParams.set('lang', link.dataset.language);
  location.assign(address);
});
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
