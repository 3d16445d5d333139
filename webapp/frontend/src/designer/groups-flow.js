// The panel's groups for what moves a case: events, conditions, loops, and the process as a whole.
import { expression } from './feel.js';
import { note, select, several, table, text, tick } from './fields.js';
import { extensions, is, processOf } from './model.js';
import { spoken } from './timing.js';
import { t } from './words.js';

export function general(at) {
  const { element, bo, model } = at;
  const fields = [
    text('name', t('名称'), bo.name ?? bo.text, (value) => model.set(element, is(bo, 'bpmn:TextAnnotation') ? { text: value } : { name: value })),
    text('id', t('标识'), bo.id, (value) => value && at.free(value, bo) && model.set(element, { id: value }), { mono: true, readonly: ['true', '1'].includes(bo.get('qianyin:law')), hint: t('字母开头；已部署的环节改了标识，在办事项迁移时须指明对应') }),
  ];
  if (!is(bo, 'bpmn:TextAnnotation')) fields.push(text('documentation', t('说明'), bo.documentation?.[0]?.text, (value) => model.documentation(element, bo, value), { rows: 3, hint: is(bo, 'bpmn:UserTask') ? t('显示在办理页上') : '' }));
  return { id: 'general', title: t('基本'), fields };
}

export function condition(at) {
  const { element, bo, model } = at;
  const source = bo.sourceRef;
  const splits = is(source, 'bpmn:ExclusiveGateway') || is(source, 'bpmn:InclusiveGateway') || is(source, 'bpmn:Activity');
  if (!splits) return null;
  const isDefault = source.default === bo;
  const shape = model.registry.get(source.id);
  const fields = [tick('default', t('默认连线'), isDefault, (value) => {
    if (value && bo.conditionExpression) model.set(element, { conditionExpression: '' });
    model.setPart(shape, source, { default: value ? bo : undefined });
  }, t('其他条件都不成立时走这里'))];
  if (!isDefault) fields.push(expression('condition', t('条件'), bo.conditionExpression?.body, (value) => model.set(element, { conditionExpression: model.expression(value, bo) }), at.feel(bo)));
  return { id: 'condition', title: t('条件'), fields };
}

export function branches(at) {
  const { element, bo, model } = at;
  if (!is(bo, 'bpmn:ExclusiveGateway') && !is(bo, 'bpmn:InclusiveGateway')) return null;
  const flows = bo.outgoing ?? [];
  if (flows.length < 2) return null;
  const label = (flow) => flow.name || t('到“{name}”', { name: flow.targetRef?.name || flow.targetRef?.id });
  const fields = [select('defaultFlow', t('默认连线'), flows.map((flow) => ({ id: flow.id, name: label(flow) })), bo.default?.id, (value) => model.set(element, { default: flows.find((flow) => flow.id === value) }))];
  for (const flow of flows) {
    if (flow === bo.default) continue;
    const line = model.registry.get(flow.id);
    fields.push(expression(`condition-${flow.id}`, t('条件：{name}', { name: label(flow) }), flow.conditionExpression?.body, (value) => model.set(line, { conditionExpression: model.expression(value, flow) }), at.feel(flow)));
  }
  return { id: 'branches', title: t('分支'), fields };
}

const TIMES = { timeDate: '时刻', timeDuration: '期限', timeCycle: '周期' };

export function event(at) {
  const { element, bo, model } = at;
  const found = bo.eventDefinitions?.[0] ?? (is(bo, 'bpmn:ReceiveTask') || is(bo, 'bpmn:SendTask') ? bo : null);
  if (!found) return null;
  const feel = at.feel(bo);
  const named = (type, ref, label) => text('event-name', label, found[ref]?.name, (value) => model.setPart(element, found, { [ref]: value ? model.root(element, type, 'name', value) : undefined }), { list: model.roots(type).map((one) => one.name).filter(Boolean) });
  const coded = (type, ref, key, label) => text('event-code', label, found[ref]?.[key], (value) => model.setPart(element, found, { [ref]: value ? model.root(element, type, key, value) : undefined }), { list: model.roots(type).map((one) => one[key]).filter(Boolean), hint: t('留空：任何代码') });
  const correlation = () => expression('correlationKey', t('对应的键（FEEL）'), bo.get('qianyin:correlationKey'), (value) => model.set(element, { 'qianyin:correlationKey': value }), { ...feel, hint: t('两边算出的值相同，消息才送到这一件') });
  if (is(found, 'bpmn:MessageEventDefinition') || found === bo) return { id: 'event', title: t('消息'), fields: [named('bpmn:Message', 'messageRef', t('消息名称')), correlation()] };
  if (is(found, 'bpmn:SignalEventDefinition')) return { id: 'event', title: t('信号'), fields: [named('bpmn:Signal', 'signalRef', t('信号名称')), note(t('信号送给所有等待它的事项。'))] };
  if (is(found, 'bpmn:ErrorEventDefinition')) return { id: 'event', title: t('错误'), fields: [coded('bpmn:Error', 'errorRef', 'errorCode', t('错误代码'))] };
  if (is(found, 'bpmn:EscalationEventDefinition')) return { id: 'event', title: t('升级'), fields: [coded('bpmn:Escalation', 'escalationRef', 'escalationCode', t('升级代码'))] };
  if (is(found, 'bpmn:LinkEventDefinition')) return { id: 'event', title: t('链接'), fields: [text('event-name', t('链接名称'), found.name, (value) => model.setPart(element, found, { name: value }))] };
  if (is(found, 'bpmn:ConditionalEventDefinition')) return { id: 'event', title: t('条件'), fields: [expression('event-condition', t('条件'), found.condition?.body, (value) => model.setPart(element, found, { condition: model.expression(value, found) }), feel)] };
  return is(found, 'bpmn:TimerEventDefinition') ? timer(at, found) : null;
}

function timer(at, found) {
  const { element, bo, model } = at;
  const kind = Object.keys(TIMES).find((one) => found[one]) ?? at.kept.timer ?? 'timeDuration';
  const written = found[kind]?.body ?? '';
  const write = (which, value) => model.setPart(element, found, { ...Object.fromEntries(Object.keys(TIMES).map((one) => [one, undefined])), [which]: model.expression(value, found) });
  return { id: 'event', title: t('定时'), fields: [
    select('timer-kind', t('定时的种类'), Object.entries(TIMES).map(([id, name]) => ({ id, name: t(name) })), kind, (value) => { at.kept.timer = value; write(value, written); }, { empty: null }),
    expression('timer', t('时间'), written, (value) => write(kind, value), { ...at.feel(bo), rows: 1, plain: true, hint: spoken(written) || t('P5WD（5 个工作日）、PT1H、R3/P1D、2026-03-01，或 FEEL') }),
  ] };
}

export function loop(at) {
  const { element, bo, model } = at;
  const held = bo.loopCharacteristics;
  if (!held) return null;
  const feel = at.feel(bo);
  if (is(held, 'bpmn:StandardLoopCharacteristics')) return { id: 'loop', title: t('循环'), fields: [
    expression('loopCondition', t('继续的条件'), held.loopCondition?.body, (value) => model.setPart(element, held, { loopCondition: model.expression(value, held) }), feel),
    tick('testBefore', t('先判断再执行'), held.testBefore, (value) => model.setPart(element, held, { testBefore: value })),
    text('loopMaximum', t('最多次数'), held.loopMaximum, (value) => model.setPart(element, held, { loopMaximum: value ? Number(value) : undefined })),
  ] };
  const plain = (name, label, hint = '') => text(name, label, held.get(name), (value) => model.setPart(element, held, { [name]: value }), { mono: true, hint });
  return { id: 'loop', title: held.isSequential ? t('多实例（依次）') : t('多实例（同时）'), fields: [
    expression('collection', t('对列表中的每一项'), held.get('camunda:collection'), (value) => model.setPart(element, held, { 'camunda:collection': value }), feel),
    plain('camunda:elementVariable', t('这一项的变量名')),
    expression('cardinality', t('或固定次数'), held.loopCardinality?.body, (value) => model.setPart(element, held, { loopCardinality: model.expression(value, held) }), feel),
    expression('completionCondition', t('提前结束的条件'), held.completionCondition?.body, (value) => model.setPart(element, held, { completionCondition: model.expression(value, held) }), { ...feel, hint: t('可用 nrOfInstances、nrOfCompletedInstances') }),
    plain('qianyin:outputCollection', t('各项结果存入列表')),
    plain('qianyin:outputElement', t('每项的结果（FEEL）')),
  ] };
}

export function lane(at) {
  const { element, bo, model, catalogue } = at;
  return { id: 'lane', title: t('谁来办'), fields: [select('lane-role', t('角色'), catalogue.roles, bo.get('qianyin:role'), (value) => model.set(element, { 'qianyin:role': value }), { hint: t('泳道内没有另设角色的任务都由它办理') })] };
}

export function process(at) {
  const { element, model, catalogue } = at;
  const bo = processOf(element);
  if (!bo) return null;
  const write = (values) => model.setPart(element, bo, values);
  const split = (value) => (value ?? '').split(/[\s,，]+/).filter(Boolean);
  const stages = extensions(bo, 'qianyin:Stage').map(({ key, label }) => ({ key, label }));
  return { id: 'process', title: t('流程'), fields: [
    bo === at.bo ? null : text('process-name', t('流程名称'), bo.name, (value) => write({ name: value })),
    text('process-id', t('流程标识'), bo.id, (value) => value && at.free(value, bo) && write({ id: value }), { mono: true, readonly: catalogue.processes.some((one) => one.id === bo.id), hint: t('已部署的流程不能改标识') }),
    tick('executable', t('可执行'), bo.isExecutable, (value) => write({ isExecutable: value })),
    several('starters', t('谁可以发起'), catalogue.roles, split(bo.get('camunda:candidateStarterGroups')), (next) => write({ 'camunda:candidateStarterGroups': next.join(',') }), { hint: t('不设：设计人员和监控人员') }),
    expression('title', t('事项标题（FEEL）'), bo.get('qianyin:title'), (value) => write({ 'qianyin:title': value }), at.feel(bo)),
    text('startVariables', t('发起时给出的变量'), bo.get('qianyin:startVariables'), (value) => write({ 'qianyin:startVariables': value }), { mono: true, hint: t('用空格分开') }),
    text('searchable', t('可查找的变量'), bo.get('qianyin:searchable'), (value) => write({ 'qianyin:searchable': value }), { mono: true, hint: t('用空格分开') }),
    table('stages', t('办理阶段'), [{ key: 'key', label: t('标识') }, { key: 'label', label: t('名称') }], stages, (next) => model.setExtensions(element, bo, ['qianyin:Stage'], next.map((row) => model.make('qianyin:Stage', row))), { add: t('加一个阶段') }),
  ] };
}
