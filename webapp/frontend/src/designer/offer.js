// Only what the engine carries out is offered: the menus are cut down by the engine's own table, sent with the page.
import * as options from 'bpmn-js/lib/features/replace/ReplaceOptions';

const targets = {};
for (const list of Object.values(options)) {
  for (const option of Array.isArray(list) ? list : Object.values(list).flat()) if (option?.actionName && option.target) targets[option.actionName] = option.target;
}
const lower = (type) => type.charAt(0).toLowerCase() + type.slice(1);

/** Where an event of this type stands, as the engine's table names it. */
function place(type, parent) {
  if (type !== 'startEvent') return type;
  if (parent?.triggeredByEvent) return 'event start';
  return { 'bpmn:SubProcess': 'subProcess start', 'bpmn:Transaction': 'transaction start' }[parent?.$type] ?? 'process start';
}

/** Whether the engine carries out what an entry of the menu would make of the element. */
export function carriedOut(engine, action, element) {
  const target = targets[action];
  if (!target?.type) return true;
  const type = lower(target.type.replace('bpmn:', ''));
  if (engine.unsupported.includes(type) || target.instantiate) return false;
  if (!type.endsWith('Event')) return true;
  const kind = target.eventDefinitionType ? lower(target.eventDefinitionType.replace(/bpmn:|EventDefinition/g, '')) : 'none';
  const where = place(type, element.businessObject?.$parent);
  return !engine.events[where] || engine.events[where].includes(kind);
}

class Offer {
  constructor(popupMenu, palette, contextPad, elementFactory, create, autoPlace, translate, engine) {
    Object.assign(this, { elementFactory, create, autoPlace, translate, engine });
    popupMenu.registerProvider('bpmn-replace', 500, { getPopupMenuEntries: (element) => (entries) => this.cut(entries, element), getPopupMenuHeaderEntries: () => (entries) => this.header(entries) });
    palette.registerProvider(500, { getPaletteEntries: () => (entries) => this.tools(entries) });
    contextPad.registerProvider(500, { getContextPadEntries: () => (entries) => this.pad(entries) });
  }

  cut(entries, element) {
    return Object.fromEntries(Object.entries(entries).filter(([action]) => carriedOut(this.engine, action, element)));
  }

  header(entries) {
    const { 'toggle-participant-multiplicity': _, ...rest } = entries;
    return rest;
  }

  /** A task that somebody does is what people draw most: it takes the place of the task without a kind. */
  tools(entries) {
    const start = (event) => this.create.start(event, this.elementFactory.createShape({ type: 'bpmn:UserTask' }));
    return Object.fromEntries(Object.entries(entries).map(([name, entry]) => (name === 'create.task'
      ? ['create.user-task', { ...entry, className: 'bpmn-icon-user-task', title: this.translate('Create user task'), action: { dragstart: start, click: start } }]
      : [name, entry])));
  }

  pad(entries) {
    const make = () => this.elementFactory.createShape({ type: 'bpmn:UserTask' });
    return Object.fromEntries(Object.entries(entries).map(([name, entry]) => (name === 'append.append-task'
      ? ['append.user-task', { ...entry, className: 'bpmn-icon-user-task', title: this.translate('Append user task'), action: { ...entry.action, click: (_, element) => this.autoPlace.append(element, make()), dragstart: (event, element) => this.create.start(event, make(), { source: element }) } }]
      : [name, entry])));
  }
}
Offer.$inject = ['popupMenu', 'palette', 'contextPad', 'elementFactory', 'create', 'autoPlace', 'translate', 'config.engine'];

export default { __init__: ['offer'], offer: ['type', Offer] };
