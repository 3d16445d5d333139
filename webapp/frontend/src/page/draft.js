// Drafts are saved on the server while one writes: two seconds after the last key, and when the page is hidden.
import { csrfToken, fill, on } from './tools.js';
import { clean } from './once.js';

const PAUSE = 2_000;
const timers = new Map();

const say = (words) => { const place = document.querySelector('[data-draft-state]'); if (place && words) place.textContent = words; };

async function save(form, leaving = false) {
  clearTimeout(timers.get(form));
  timers.delete(form);
  if (form.dataset.sent) return;
  const fields = new FormData(form);
  for (const [name, value] of [...fields]) if (value instanceof File) fields.delete(name); // files were sent on their own
  try {
    const answer = await fetch(form.dataset.draft, { method: 'POST', body: fields, headers: { 'X-CSRFToken': csrfToken(), Accept: 'application/json' }, keepalive: leaving, redirect: 'error' });
    if (answer.status === 409) { form.removeAttribute('data-draft'); say((await answer.json().catch(() => ({}))).message || form.dataset.unsaved); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    const time = told.saved_at || new Date().toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit', hour12: false });
    clean(form);
    say(fill(form.dataset.saved, { time }));
  } catch { say(form.dataset.unsaved); }
}

const later = (_, form) => { clearTimeout(timers.get(form)); timers.set(form, setTimeout(() => save(form), PAUSE)); };
on('input', 'form[data-draft]', later);
on('change', 'form[data-draft]', later);
document.addEventListener('visibilitychange', () => { if (document.hidden) for (const form of timers.keys()) save(form, true); });
