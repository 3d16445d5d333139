// Puts the fixed words of a library that knows English alone into Chinese, as they appear on the page.
// Only whole texts that stand in the table are changed; what people write is never in it as a key of theirs.
const ATTRIBUTES = ['title', 'placeholder', 'aria-label', 'data-placeholder'];

export function speak(root, table, { skip = '' } = {}) {
  const text = (node) => {
    const known = table[node.data.trim()];
    if (known && node.data !== known && !(skip && node.parentElement?.closest(skip))) node.data = node.data.replace(node.data.trim(), known);
  };
  const attributes = (element) => {
    for (const name of ATTRIBUTES) {
      const known = table[element.getAttribute(name)?.trim()];
      if (known) element.setAttribute(name, known);
    }
  };
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return text(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return undefined;
    attributes(node);
    for (const child of node.childNodes) walk(child);
    return undefined;
  };
  walk(root);
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === 'childList') addedNodes.forEach(walk);
      else if (type === 'characterData') text(target);
      else attributes(target);
    }
  }).observe(root, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
}
