// Tabs after the ARIA pattern: arrows move, the panel follows. A panel with data-source is fetched when first shown.
import htmx from 'htmx.org';
import { all, on, whenShown } from './tools.js';

export function show(tab, focus = false) {
  const list = tab.closest('[role=tablist]');
  for (const other of all('[role=tab]', list)) {
    const chosen = other === tab;
    other.setAttribute('aria-selected', String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(other.getAttribute('aria-controls'));
    if (panel) panel.hidden = !chosen;
  }
  if (focus) tab.focus();
  const panel = document.getElementById(tab.getAttribute('aria-controls'));
  if (panel?.dataset.source) {
    htmx.ajax('GET', panel.dataset.source, { target: panel, swap: 'innerHTML' });
    delete panel.dataset.source;
  }
  panel?.dispatchEvent(new CustomEvent('shown', { bubbles: true }));
}

on('click', '[role=tab]', (_, tab) => show(tab));
on('keydown', '[role=tab]', (event, tab) => {
  const tabs = all('[role=tab]', tab.closest('[role=tablist]'));
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) { show(tabs.at((tabs.indexOf(tab) + step) % tabs.length), true); event.preventDefault(); }
});
on('click', '[data-open-tab]', (_, link) => { const tab = document.getElementById(`tab-${link.dataset.openTab}`); if (tab) show(tab); });

// #panel-record in the address opens that tab.
whenShown((root) => {
  const panel = root === document && location.hash.startsWith('#panel-') && document.getElementById(location.hash.slice(1));
  const tab = panel && document.getElementById(panel.getAttribute('aria-labelledby'));
  if (tab) show(tab);
});
