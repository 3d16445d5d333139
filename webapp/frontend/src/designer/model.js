// Reading and changing what a model says beyond the drawing. Every change is one step of undo.
import { getBusinessObject, is } from 'bpmn-js/lib/util/ModelUtil';

export { getBusinessObject, is };

/** The process that an element of the drawing shows or stands in. */
export function processOf(element) {
  let found = getBusinessObject(element);
  if (found.$type === 'bpmn:Participant') return found.processRef;
  if (found.$type === 'bpmn:Collaboration') return found.participants?.find((one) => one.processRef)?.processRef;
  while (found && found.$type !== 'bpmn:Process') found = found.$parent;
  return found;
}

export const definitionsOf = (bo) => { let found = bo; while (found.$parent) found = found.$parent; return found; };

/** The extension elements of a type. */
export const extensions = (bo, type) => (bo.extensionElements?.values ?? []).filter((one) => one.$type === type);

export class Model {
  constructor(modeler) {
    this.modeling = modeler.get('modeling');
    this.factory = modeler.get('bpmnFactory');
    this.registry = modeler.get('elementRegistry');
    this.modeler = modeler;
  }

  /** Attributes of the element itself; '' takes one away. */
  set(element, values) {
    this.modeling.updateProperties(element, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === '' ? undefined : value])));
  }

  /** Attributes of a part of the element (its event definition, its loop, its process). */
  setPart(element, part, values) {
    this.modeling.updateModdleProperties(element, part, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === '' ? undefined : value])));
  }

  /** Put `made` in the place of all extension elements of these types. */
  setExtensions(element, bo, types, made) {
    const rest = (bo.extensionElements?.values ?? []).filter((one) => !types.includes(one.$type));
    const values = [...rest, ...made];
    const holder = values.length ? this.make('bpmn:ExtensionElements', { values }, bo) : undefined;
    for (const one of values) one.$parent = holder;
    this.modeling.updateModdleProperties(element, bo, { extensionElements: holder });
  }

  make(type, values, parent) {
    const made = this.factory.create(type, values);
    made.$parent = parent;
    return made;
  }

  /** A text in an element of its own: conditionExpression, timeDuration … */
  expression(words, parent) {
    return words ? this.make('bpmn:FormalExpression', { body: words }, parent) : undefined;
  }

  documentation(element, bo, words) {
    this.setPart(element, bo, { documentation: words ? [this.make('bpmn:Documentation', { text: words }, bo)] : [] });
  }

  /** The document's message, signal, error or escalation with this value; made when there is none. */
  root(element, type, key, value) {
    const definitions = definitionsOf(getBusinessObject(element));
    const found = definitions.rootElements.find((one) => one.$type === type && one[key] === value);
    if (found || !value) return found;
    const made = this.make(type, { name: value, ...(key === 'name' ? {} : { [key]: value }) }, definitions);
    this.modeling.updateModdleProperties(element, definitions, { rootElements: [...definitions.rootElements, made] });
    return made;
  }

  roots(type) {
    return this.modeler.getDefinitions().rootElements.filter((one) => one.$type === type);
  }

  /** Everything that may have run before this element, itself left out for flows' targets. */
  before(bo) {
    const seen = new Set();
    const todo = bo.$type === 'bpmn:SequenceFlow' ? [bo.sourceRef] : [...(bo.incoming ?? []).map((flow) => flow.sourceRef), bo.attachedToRef, bo.$parent];
    while (todo.length) {
      const one = todo.pop();
      if (!one?.id || seen.has(one.id) || one.$type === 'bpmn:Definitions') continue;
      seen.add(one.id);
      todo.push(...(one.incoming ?? []).map((flow) => flow.sourceRef), one.attachedToRef, one.$parent);
    }
    return seen;
  }
}
