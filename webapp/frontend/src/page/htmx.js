import htmx from 'htmx.org';
import { csrfToken } from './tools.js';

// No evaluation of strings: the Content-Security-Policy forbids it, and nothing here needs it.
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.includeIndicatorStyles = false;
// A refused form comes back as 422 with its errors in place: show it.
htmx.config.responseHandling = [
  { code: '204', swap: false },
  { code: '[23]..', swap: true },
  { code: '422', swap: true },
  { code: '[45]..', swap: false, error: true },
];

document.addEventListener('htmx:configRequest', (event) => {
  event.detail.headers['X-CSRFToken'] = csrfToken();
});
