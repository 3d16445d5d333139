// Light or dark. The choice is a cookie, so that the server draws the next page in it and nothing flashes.
import { on } from './tools.js';

const root = document.documentElement;
const known = /(?:^|; )theme=/.test(document.cookie);

function choose(theme) {
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  document.dispatchEvent(new CustomEvent('theme'));
}

if (!known && matchMedia('(prefers-color-scheme: dark)').matches) choose('dark');
on('click', '[data-theme-switch]', () => choose(root.dataset.theme === 'dark' ? 'light' : 'dark'));
