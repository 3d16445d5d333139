// What was copied in one diagram can be pasted in another: the clipboard is kept beside the tab.
const PLACE = 'qianyin-diagram-clipboard';

function reviver(moddle) {
  const made = {};
  return (_, value) => {
    if (typeof value !== 'object' || value === null || typeof value.$type !== 'string') return value;
    if (value.id && made[value.id]) return made[value.id];
    const { $type, ...attributes } = value;
    const one = moddle.create($type, attributes);
    if (value.id) made[value.id] = one;
    return one;
  };
}

export function shareClipboard(modeler) {
  const clipboard = modeler.get('clipboard');
  const take = () => {
    const text = localStorage.getItem(PLACE);
    if (text) clipboard.set(JSON.parse(text, reviver(modeler.get('moddle'))));
  };
  modeler.get('eventBus').on('copyPaste.elementsCopied', ({ tree }) => {
    try { localStorage.setItem(PLACE, JSON.stringify(tree)); } catch { /* too large to share: it stays within this diagram */ }
  });
  addEventListener('storage', (event) => { if (event.key === PLACE) take(); });
  try { take(); } catch { localStorage.removeItem(PLACE); }
}
