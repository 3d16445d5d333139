// Talking to the server: JSON both ways, with the page's token.
const token = () => document.querySelector('meta[name=csrf-token]').content;

/** Gives {status, body}; a network that fails is status 0. */
export async function send(method, address, body) {
  try {
    const answer = await fetch(address, { method, headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token() }, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json().catch(() => ({})) };
  } catch {
    return { status: 0, body: {} };
  }
}

/** Calls `work` when nothing has asked for a while; the newest arguments count. */
export function later(milliseconds, work) {
  let timer = 0;
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => work(...given), milliseconds); };
}
