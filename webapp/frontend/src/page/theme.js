// Light or dark. The choice is a cookie, so that the server draws the next page in it and nothing flashes; "auto" follows
// the system in the style sheet itself. With an account the server keeps the choice as well.
import { csrfToken, on } from './tools.js';

const root = document.documentElement;
const system = matchMedia('(prefers-color-scheme: dark)');
const redraw = () => document.dispatchEvent(new CustomEvent('theme'));

on('click', '[data-theme-switch]', (_, button) => {
  const dark = root.dataset.theme === 'auto' ? system.matches : root.dataset.theme === 'dark';
  const theme = dark ? 'light' : 'dark';
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  const address = button.dataset.themeSwitch;
  if (address) fetch(address, { method: 'POST', body: new URLSearchParams({ theme }), headers: { 'X-CSRFToken': csrfToken() }, keepalive: true }).catch(() => {});
  redraw();
});
system.addEventListener('change', () => { if (root.dataset.theme === 'auto') redraw(); });
