// Live counts by conditional polling: the server answers 304 while nothing changed. Pauses while the page is hidden.
// A browser notice of new tasks and reminders when the person asked for it.
import { all, on, whenShown } from './tools.js';

const EVERY = 20_000;
const GIVE_UP_AFTER = 10; // failures in a row: signed out, or the server is gone
const sources = new Map(); // address -> {place, tag, known, failures}
let timer = 0;

const allowed = () => 'Notification' in window && Notification.permission === 'granted';

function show(source, counts) {
  for (const place of all('[data-count]')) {
    const count = counts[place.dataset.count];
    if (count === undefined) continue;
    place.textContent = count;
    if (place.hasAttribute('data-hide-none')) place.hidden = !count;
  }
  const now = counts.open ?? counts.reminders;
  if (source.known !== null && now > source.known) announce(source.place.dataset.noticeText, now - source.known);
  source.known = now;
}

function announce(words, n) {
  if (words && allowed() && document.hidden) new Notification(document.title, { body: words.replace('{n}', n), tag: words });
}

async function look(address, source) {
  try {
    const answer = await fetch(address, { headers: source.tag ? { 'If-None-Match': source.tag, Accept: 'application/json' } : { Accept: 'application/json' }, redirect: 'error' });
    if (answer.status === 200) { source.tag = answer.headers.get('ETag') ?? ''; show(source, await answer.json()); }
    source.failures = answer.ok || answer.status === 304 ? 0 : source.failures + 1;
  } catch { source.failures += 1; }
}

async function poll() {
  for (const place of all('[data-live], [data-bell]')) {
    const address = place.dataset.live ?? place.dataset.bell;
    if (!sources.has(address)) sources.set(address, { place, tag: '', known: null, failures: 0 });
  }
  if (!document.hidden || allowed()) {
    for (const [address, source] of sources) if (source.failures < GIVE_UP_AFTER) await look(address, source);
  }
  clearTimeout(timer);
  const tired = Math.max(0, ...[...sources.values()].map((source) => source.failures));
  if (sources.size && tired < GIVE_UP_AFTER) timer = setTimeout(poll, EVERY * (1 + tired));
}

const wanted = () => document.querySelector('[data-live], [data-bell]');
document.addEventListener('visibilitychange', () => { if (!document.hidden && wanted()) poll(); });
whenShown((root) => { if (root === document && wanted()) poll(); });

whenShown((root) => { for (const button of all('[data-ask-notice]', root)) button.hidden = !('Notification' in window) || Notification.permission !== 'default'; });
on('click', '[data-ask-notice]', async (_, button) => { await Notification.requestPermission(); button.hidden = Notification.permission !== 'default'; });
