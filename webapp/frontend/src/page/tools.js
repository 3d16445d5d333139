// What several modules need.

/** Call `handler(event, element)` for events whose target lies in an element matching `selector`. */
export function on(type, selector, handler, capture = false) {
  document.addEventListener(type, (event) => {
    const element = event.target instanceof Element ? event.target.closest(selector) : null;
    if (element) handler(event, element);
  }, capture);
}

export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Now, and again for whatever htmx swaps in. */
export function whenShown(action) {
  const start = () => action(document);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start); else start();
  document.addEventListener('htmx:afterSettle', (event) => action(event.target));
}

export const csrfToken = () => document.querySelector('meta[name=csrf-token]')?.content ?? '';

/** "已选 {n} 件" with {n: 3} -> "已选 3 件". The sentence comes translated from the template. */
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');

export const typing = (element) => Boolean(element?.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]'));
