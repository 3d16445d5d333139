import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';

const MARKS = ['is-done', 'is-active', 'is-incident', 'is-moved', 'heat-1', 'heat-2', 'heat-3', 'heat-4', 'heat-5'];
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const font = () => token('font');
const LEAST = 0.6; // smaller and the words in the boxes cannot be read
const AIR = 16; // around the picture
const MARK_ROOM = 28; // below it, for bpmn.io's mark, which must stay uncovered

/**
 * One drawn process. `show` takes the state of a moment:
 * done: [element id], flows: [sequence flow id] walked, active: {id: how many}, incidents: {id: how many},
 * moved: [element id] to which an operation has put a token,
 * counts: {id: number or words}, clauses: {id: '4.6.2'}, heat: {id: 1..5}, links: {id: address}, unit: '家'.
 */
export class Diagram {
  constructor(element) {
    this.element = element;
    this.state = {};
  }

  /** A click on an element that leads somewhere goes there, as its mark does. */
  follow(element) {
    const address = this.state?.links?.[element.id];
    if (address) window.location.assign(address);
  }

  async load(address) {
    const answer = await fetch(address, { headers: { Accept: 'application/xml, text/xml' } });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    this.xml = await answer.text();
    await this.draw();
  }

  async draw() {
    this.viewer?.destroy();
    this.viewer = new NavigatedViewer({
      container: this.element,
      bpmnRenderer: { defaultFillColor: token('card'), defaultStrokeColor: token('edge'), defaultLabelColor: token('ink') },
      textRenderer: {
        defaultStyle: { fontFamily: font(), fontSize: 14, lineHeight: 1.25 },
        externalStyle: { fontFamily: font(), fontSize: 13, lineHeight: 1.25 },
      },
    });
    await this.viewer.importXML(this.xml);
    this.viewer.get('eventBus').on('element.click', (event) => this.follow(event.element));
    // A wheel over the picture scrolls the page; with Ctrl it zooms, as in other office programs.
    this.viewer.get('zoomScroll').toggle(false);
    this.element.addEventListener('wheel', (event) => this.zoom(event), { passive: false });
    this.viewer.get('elementRegistry').forEach((element) => {
      if (/Participant|Lane/.test(element.type)) this.viewer.get('canvas').addMarker(element, 'is-frame');
    });
  }

  zoom(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const canvas = this.viewer.get('canvas');
    const box = this.element.getBoundingClientRect();
    canvas.zoom(canvas.zoom() * (event.deltaY < 0 ? 1.1 : 0.9), { x: event.clientX - box.left, y: event.clientY - box.top });
  }

  /** The whole picture where it stays readable; else at the least readable size, with the first token in the middle. */
  fit() {
    const canvas = this.viewer.get('canvas');
    const { inner } = canvas.viewbox();
    this.element.style.height = '';
    const width = this.element.clientWidth;
    const most = this.element.clientHeight;
    const scale = Math.min(1, Math.max(LEAST, Math.min(width / (inner.width + 2 * AIR), (most - MARK_ROOM) / (inner.height + 2 * AIR))));
    const height = Math.min(most, (inner.height + 2 * AIR) * scale + MARK_ROOM);
    this.element.style.height = `${height}px`;
    canvas.resized();
    const [across, down] = [width / scale, (height - MARK_ROOM) / scale];
    const place = (from, length, room, middle) => (length + 2 * AIR <= room + 1
      ? from - (room - length) / 2
      : Math.max(from - AIR, Math.min(from + length + AIR - room, middle - room / 2)));
    const token = this.viewer.get('elementRegistry').get(Object.keys(this.state.active ?? {})[0]) ?? { x: inner.x, y: inner.y, width: 0, height: 0 };
    canvas.viewbox({
      x: place(inner.x, inner.width, across, token.x + token.width / 2),
      y: place(inner.y, inner.height, down, token.y + token.height / 2),
      width: across,
      height: height / scale,
    });
  }

  async recolour() {
    if (!this.xml) return; // it is still on its way, and will come in the new colours
    this.fitted = false;
    await this.draw();
    this.show(this.state);
  }

  show(state) {
    this.state = state;
    const registry = this.viewer.get('elementRegistry');
    const canvas = this.viewer.get('canvas');
    this.viewer.get('overlays').clear();
    registry.forEach((element) => { if (element.type !== 'label' && element.parent) for (const mark of MARKS) canvas.removeMarker(element, mark); });
    const mark = (id, name) => { if (registry.get(id)) canvas.addMarker(id, name); };
    const { done = [], flows = [], active = {}, incidents = {}, counts = {}, clauses = {}, heat = {}, moved = [], unit = '' } = state;
    for (const id of done) if (!(id in active)) mark(id, 'is-done');
    for (const id of flows) mark(id, 'is-done');
    for (const id of moved) mark(id, 'is-moved');
    registry.forEach((element) => { if (element.waypoints) this.paint(element, flows.includes(element.id)); });
    for (const [id, n] of Object.entries(active)) {
      mark(id, incidents[id] ? 'is-incident' : 'is-active');
      this.put(id, '', `${n}${unit && ` ${unit}`}`, 'user', 'top right');
    }
    for (const [id, n] of Object.entries(incidents)) this.put(id, 'diagram-mark-incident', String(n), 'alert', 'top left');
    for (const [id, words] of Object.entries(counts)) this.put(id, 'diagram-mark-note', String(words), '', 'bottom');
    for (const [id, clause] of Object.entries(clauses)) this.put(id, 'diagram-mark-clause', clause, 'lock', 'bottom right');
    for (const [id, level] of Object.entries(heat)) mark(id, `heat-${level}`);
    if (!this.fitted) { this.fitted = true; this.fit(); }
  }

  /** Arrow heads take their colour from the element, not from CSS: draw a walked flow anew. */
  paint(flow, walked) {
    flow.di.set('bioc:stroke', token(walked ? 'brand' : 'edge'));
    this.viewer.get('graphicsFactory').update('connection', flow, this.viewer.get('elementRegistry').getGraphics(flow));
  }

  put(id, extra, words, icon, where) {
    const element = this.viewer.get('elementRegistry').get(id);
    if (!element) return;
    const address = this.state.links?.[id];
    const node = document.createElement(address ? 'a' : 'span');
    if (address) node.href = address;
    node.className = `diagram-mark ${extra}`;
    if (icon) {
      node.innerHTML = '<svg class="icon" aria-hidden="true"><use></use></svg>';
      node.querySelector('use').setAttribute('href', `${document.body.dataset.icons}#${icon}`);
    }
    node.append(words);
    const { width, height } = element;
    const small = width < 60;
    const left = where.includes('right') ? width - (small ? 0 : 14) : where.includes('left') ? (small ? 0 : 14) : width / 2;
    const top = where.startsWith('top') ? (small ? -8 : 0) : height + (small ? 10 : 2);
    this.viewer.get('overlays').add(id, { position: { left, top }, html: node, scale: false });
  }
}
