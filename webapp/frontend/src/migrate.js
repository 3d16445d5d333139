// Moves the chosen cases one after the other; each request is a transaction of its own, and its result stands in its row.
import { send } from './designer/server.js';

const form = document.getElementById('migrate');
const words = form ? JSON.parse(form.dataset.words) : {};
const rows = () => [...document.querySelectorAll('tr[data-case]')].filter((row) => row.querySelector('[data-one]')?.checked);
const address = (row) => form.dataset.url.replace('00000000-0000-0000-0000-000000000000', row.dataset.case);

function tell(row, kind, text, button = null) {
  const status = document.createElement('span');
  status.className = `status status-wrap ${kind && `status-${kind}`}`;
  const inner = document.createElement('span');
  inner.textContent = text;
  status.append(inner);
  row.querySelector('[data-result]').replaceChildren(status, ...(button ? [button] : []));
}

function backButton(row, reason) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'btn btn-small btn-quiet';
  button.textContent = words.back;
  button.addEventListener('click', async () => {
    button.disabled = true;
    const { status, body } = await send('POST', address(row), { back: true, reason });
    if (status === 200) tell(row, '', words.undone);
    else tell(row, 'no', body.message || words.failed);
  });
  return button;
}

async function move(row, reason) {
  tell(row, 'now', words.running);
  const mapping = Object.fromEntries([...document.querySelectorAll('[data-map]')].filter((one) => one.value).map((one) => [one.dataset.map, one.value]));
  const { status, body } = await send('POST', address(row), { definition: row.dataset.target, mapping, reason });
  if (status !== 200) { tell(row, 'no', body.message || words.failed); return false; }
  row.querySelector('[data-one]').checked = false;
  row.querySelector('[data-one]').disabled = true;
  tell(row, 'ok', words.done, backButton(row, reason));
  return true;
}

form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const progress = document.getElementById('progress');
  const chosen = rows();
  const reason = document.getElementById('reason').value.trim();
  if (!chosen.length || !reason) { progress.textContent = chosen.length ? words.reason : words.none; return; }
  const submit = form.querySelector('[type=submit]');
  submit.disabled = true;
  let [done, failed] = [0, 0];
  for (const row of chosen) {
    if (await move(row, reason)) done += 1; else failed += 1;
    progress.textContent = words.count.replace('{done}', done).replace('{failed}', failed);
  }
  submit.disabled = false;
});
document.getElementById('all')?.addEventListener('change', (event) => { for (const box of document.querySelectorAll('[data-one]:not(:disabled)')) box.checked = event.target.checked; });
