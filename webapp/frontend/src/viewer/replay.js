// Step by step through what happened: picture, variables and record of that moment.
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** `frame` holds the controls; steps are [{at, who, text, state, variables}], see Diagram.show for state. */
export class Replay {
  constructor(frame, diagram) {
    this.frame = frame;
    this.diagram = diagram;
    this.present = diagram.state;
    this.find = (name) => frame.querySelector(`[data-replay-${name}]`);
    this.at = 0;
  }

  async load(address) {
    const answer = await fetch(address, { headers: { Accept: 'application/json' } });
    if (!answer.ok) return;
    this.steps = await answer.json();
    if (!this.steps.length) return;
    this.find('bar').hidden = false;
    this.range = this.find('range');
    this.range.max = this.steps.length - 1;
    this.range.value = this.range.max;
    this.at = this.steps.length - 1;
    this.words();
    this.range.addEventListener('input', () => this.go(Number(this.range.value)));
    this.find('previous').addEventListener('click', () => this.go(this.at - 1));
    this.find('next').addEventListener('click', () => this.go(this.at + 1));
    this.find('play').addEventListener('click', () => this.play());
    this.find('live').addEventListener('click', () => this.stop());
    for (const entry of document.querySelectorAll('.timeline [data-step]')) entry.addEventListener('click', () => this.go(Number(entry.dataset.step)));
  }

  go(to) {
    this.at = Math.max(0, Math.min(this.steps.length - 1, to));
    const step = this.steps[this.at];
    this.range.value = this.at;
    this.range.setAttribute('aria-valuetext', `${step.at} ${step.text}`);
    this.diagram.show({ ...this.present, counts: {}, incidents: {}, ...step.state });
    this.find('note').hidden = false;
    for (const place of document.querySelectorAll('[data-replay-at]')) place.textContent = step.at;
    for (const entry of document.querySelectorAll('.timeline [data-step]')) entry.classList.toggle('selected', Number(entry.dataset.step) === this.at);
    this.variables();
    this.words();
  }

  words() {
    const place = this.find('words');
    const step = this.steps[this.at];
    place.textContent = `${fill(place.dataset.words, { n: this.at + 1, all: this.steps.length })}，${step.at}${step.who ? `，${step.who}` : ''}`;
    const what = document.createElement('b');
    what.textContent = step.text;
    place.append(what);
  }

  variables() {
    const [now, before] = [this.steps[this.at].variables ?? {}, this.steps[this.at - 1]?.variables ?? {}];
    for (const row of document.querySelectorAll('[data-replay-variables] tr')) {
      const { key } = row.dataset;
      const changed = key in before && before[key] !== now[key];
      row.classList.toggle('changed', changed);
      row.querySelector('del')?.remove();
      const value = row.querySelector('[data-value]');
      value.textContent = now[key] ?? '—';
      if (changed) { const old = document.createElement('del'); old.textContent = before[key]; value.before(old); }
    }
  }

  play() {
    if (this.timer) { clearInterval(this.timer); this.timer = 0; return; }
    if (this.at === this.steps.length - 1) this.go(0);
    this.timer = setInterval(() => {
      if (this.at === this.steps.length - 1) { clearInterval(this.timer); this.timer = 0; } else this.go(this.at + 1);
    }, 900);
  }

  /** Back to the present: the page itself is drawn from it. */
  stop() { location.reload(); }
}
