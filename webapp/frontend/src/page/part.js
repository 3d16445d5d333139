// A part of a page that is fetched again while the page is open: the server answers 304 until something has changed.
// Nothing is replaced while somebody reads it with the keyboard or a menu is open.
import { all, whenShown } from './tools.js';

const EVERY = 15_000;
const tags = new WeakMap();

async function renew(part) {
  if (document.hidden || part.contains(document.activeElement)) return;
  const tag = tags.get(part);
  try {
    const answer = await fetch(part.dataset.part, { headers: { Accept: 'text/html', ...(tag ? { 'If-None-Match': tag } : {}) }, redirect: 'error' });
    if (answer.status !== 200) return;
    tags.set(part, answer.headers.get('ETag') ?? '');
    part.innerHTML = await answer.text();
    document.dispatchEvent(new CustomEvent('part'));
  } catch { /* the next time */ }
}

whenShown((root) => {
  if (root !== document) return;
  for (const part of all('[data-part]')) setInterval(() => renew(part), EVERY);
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) all('[data-part]').forEach(renew); });
