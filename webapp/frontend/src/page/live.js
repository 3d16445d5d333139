// Live counts by conditional polling: the server answers 304 while nothing changed. Pauses while the page is hidden.
// A browser notice of new tasks when the person asked for it.
import { all, on, whenShown } from './tools.js';

const EVERY = 20_000;
const GIVE_UP_AFTER = 10; // failures in a row: signed out, or the server is gone
let tag = '';
let known = null;
let failures = 0;
let timer = 0;

function showCounts(counts) {
  for (const place of all('[data-count]')) {
    const count = counts[place.dataset.count];
    if (count !== undefined) place.textContent = count;
  }
  if (known && counts.open > known.open) announce(counts.open - known.open);
  known = counts;
}

function announce(n) {
  const words = document.querySelector('[data-live]')?.dataset.noticeText;
  if (words && 'Notification' in window && Notification.permission === 'granted' && document.hidden) {
    new Notification(document.title, { body: words.replace('{n}', n), tag: 'tasks' });
  }
}

async function poll() {
  const source = document.querySelector('[data-live]');
  if (source && !document.hidden || source && 'Notification' in window && Notification.permission === 'granted') {
    try {
      const answer = await fetch(source.dataset.live, { headers: tag ? { 'If-None-Match': tag, Accept: 'application/json' } : { Accept: 'application/json' }, redirect: 'error' });
      if (answer.status === 200) { tag = answer.headers.get('ETag') ?? ''; showCounts(await answer.json()); }
      failures = answer.ok || answer.status === 304 ? 0 : failures + 1;
    } catch { failures += 1; }
  }
  clearTimeout(timer);
  if (source && failures < GIVE_UP_AFTER) timer = setTimeout(poll, EVERY * (1 + failures));
}

document.addEventListener('visibilitychange', () => { if (!document.hidden && document.querySelector('[data-live]')) poll(); });
whenShown((root) => { if (root === document && document.querySelector('[data-live]')) poll(); });

whenShown((root) => { for (const button of all('[data-ask-notice]', root)) button.hidden = !('Notification' in window) || Notification.permission !== 'default'; });
on('click', '[data-ask-notice]', async (_, button) => { await Notification.requestPermission(); button.hidden = Notification.permission !== 'default'; });
