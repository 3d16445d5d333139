// The diagram as a file: BPMN as it stands, SVG with the colours of paper.
function hand(name, type, content) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const PAPER = { '--card': '#ffffff', '--edge': '#3b4652', '--ink': '#1b2430' };

export async function exportBpmn(modeler, name) {
  hand(name, 'application/xml', (await modeler.saveXML({ format: true })).xml);
}

export async function exportSvg(modeler, name) {
  const { svg } = await modeler.saveSVG();
  hand(name.replace(/\.bpmn$/, '.svg'), 'image/svg+xml', svg.replace(/var\((--[\w-]+)\)/g, (whole, token) => PAPER[token] ?? whole));
}
