// The panel at the right: what the chosen element says, in groups of labelled fields. Each change is one step of undo.
import { h } from './fields.js';
import * as flow from './groups-flow.js';
import * as node from './groups-node.js';
import { getBusinessObject, is } from './model.js';
import { t } from './words.js';

const opened = new Set(['general', 'people', 'form', 'condition', 'branches', 'event', 'handler', 'decision', 'call', 'script', 'loop', 'lane', 'process', 'outcomes']);

function groups(at) {
  const { bo, element } = at;
  if (is(bo, 'bpmn:Process') || is(bo, 'bpmn:Participant') || is(bo, 'bpmn:Collaboration')) return [is(bo, 'bpmn:Collaboration') ? null : flow.general(at), flow.process(at)];
  if (is(bo, 'bpmn:Lane')) return [flow.general(at), flow.lane(at)];
  if (is(bo, 'bpmn:SequenceFlow')) return [flow.general(at), flow.condition(at)];
  if (!is(bo, 'bpmn:FlowNode')) return [flow.general(at)];
  const found = [flow.general(at)];
  if (is(bo, 'bpmn:UserTask')) found.push(node.people(at), node.form(at), node.outcomes(at));
  if (is(bo, 'bpmn:ServiceTask') || is(bo, 'bpmn:SendTask')) found.push(node.handler(at));
  if (is(bo, 'bpmn:BusinessRuleTask')) found.push(node.decision(at));
  if (is(bo, 'bpmn:ScriptTask')) found.push(node.script(at));
  if (is(bo, 'bpmn:CallActivity')) found.push(node.call(at));
  found.push(flow.event(at), flow.branches(at), flow.loop(at));
  if (is(bo, 'bpmn:Activity') || is(bo, 'bpmn:Event')) found.push(node.basis(at));
  if (is(bo, 'bpmn:Activity') && !is(bo, 'bpmn:SubProcess') && !is(bo, 'bpmn:CallActivity')) found.push(node.mapping(at));
  return element ? found : [];
}

const KINDS = {
  UserTask: '办理任务', ServiceTask: '系统任务', SendTask: '发送任务', ReceiveTask: '接收任务', BusinessRuleTask: '决策任务', ScriptTask: '计算任务', ManualTask: '人工任务', Task: '任务',
  CallActivity: '调用流程', SubProcess: '子流程', Transaction: '事务子流程', StartEvent: '开始事件', EndEvent: '结束事件', IntermediateCatchEvent: '中间等待事件', IntermediateThrowEvent: '中间发出事件',
  BoundaryEvent: '边界事件', ExclusiveGateway: '排他网关', ParallelGateway: '并行网关', InclusiveGateway: '包容网关', EventBasedGateway: '事件网关', SequenceFlow: '连线', Lane: '泳道',
  Participant: '泳池', Process: '流程', Collaboration: '协作', TextAnnotation: '注释', DataObjectReference: '数据对象', DataStoreReference: '数据存储', Group: '分组', MessageFlow: '消息流', Association: '关联线',
};
export const kindOf = (bo) => { const name = bo.$type.replace('bpmn:', ''); return t(KINDS[name] ?? name); };

export class Panel {
  constructor(holder, modeler, model, editor) {
    Object.assign(this, { holder, modeler, model, editor, kept: {}, element: null });
    const bus = modeler.get('eventBus');
    bus.on('selection.changed', ({ newSelection }) => this.show(newSelection.length === 1 ? newSelection[0] : newSelection.length ? null : this.rootElement()));
    bus.on(['elements.changed', 'root.set'], () => this.soon());
    bus.on('import.done', () => this.show(this.rootElement()));
  }

  rootElement() { return this.modeler.get('canvas').getRootElement(); }

  /** Redrawn after the browser has moved the focus on: otherwise Tab would lead out of a field that is gone. */
  soon() {
    if (this.waiting) return;
    this.waiting = setTimeout(() => { this.waiting = 0; this.draw(); }, 0);
  }

  show(element) {
    if (this.element !== element) this.kept = {};
    this.element = element;
    this.soon();
  }

  context() {
    const element = this.element.labelTarget ?? this.element;
    const bo = getBusinessObject(element);
    const known = (where) => () => this.editor.known(this.model.before(where));
    return {
      element, bo, model: this.model, catalogue: this.editor.catalogue, kept: this.kept,
      all: (type) => this.modeler.get('elementRegistry').filter((one) => is(one, type) && !one.labelTarget).map(getBusinessObject),
      feel: (where) => ({ editor: this.editor, known: known(where) }),
      free: (id, own) => this.editor.free(id, own),
    };
  }

  draw() {
    const active = this.holder.contains(document.activeElement) ? document.activeElement : null;
    const held = active?.dataset.field && { field: active.dataset.field, from: active.selectionStart, to: active.selectionEnd };
    const scroll = this.holder.scrollTop;
    if (!this.element) {
      this.holder.replaceChildren(h('p', { class: 'panel-note' }, t('选中了多个元素：可以移动、对齐、复制或删除。')));
      return;
    }
    const at = this.context();
    const parts = groups(at).filter(Boolean).map((group) => h('details', { class: 'panel-group', open: opened.has(group.id), ontoggle: (event) => opened[event.target.open ? 'add' : 'delete'](group.id) }, h('summary', {}, group.title), h('div', { class: 'panel-fields' }, group.fields)));
    const findings = this.editor.findingsOf?.(at.bo.id) ?? [];
    this.holder.replaceChildren(h('div', { class: 'panel-head' }, h('h2', {}, at.bo.name || kindOf(at.bo)), h('span', { class: 'muted' }, kindOf(at.bo))),
      ...findings.map((one) => h('div', { class: `panel-finding ${one.severity}` }, h('b', {}, one.message), one.mend ? h('span', {}, one.mend) : null)), ...parts);
    this.holder.scrollTop = scroll;
    if (held) this.restore(held);
  }

  restore(held) {
    const field = this.holder.querySelector(`[data-field="${CSS.escape(held.field)}"]`);
    if (!field) { this.holder.querySelector('input, select, textarea, button')?.focus({ preventScroll: true }); return; }
    field.focus({ preventScroll: true });
    if (held.from != null && field.setSelectionRange && field.type !== 'checkbox') field.setSelectionRange(held.from, held.to);
  }
}
