// The panel's groups for people's and systems' work: what stands behind a task.
import { expression } from './feel.js';
import { h, note, select, several, table, text, tick } from './fields.js';
import { extensions, is, processOf } from './model.js';
import { spoken } from './timing.js';
import { t } from './words.js';

const words = (value) => (value ?? '').split(/[\s,，]+/).filter(Boolean);
const stages = (bo) => extensions(processOf(bo) ?? {}, 'qianyin:Stage').map((one) => ({ id: one.key, name: one.label || one.key }));
const laneOf = (bo) => {
  const lanes = (processOf(bo)?.laneSets ?? []).flatMap((set) => set.lanes ?? []);
  return lanes.find((lane) => lane.flowNodeRef?.includes(bo));
};

export function basis(at) {
  const { element, bo, model, catalogue } = at;
  const chosen = words(bo.get('qianyin:clause'));
  const options = catalogue.clauses.map((one) => ({ id: one.number, name: t('第 {n} 条 {words}', { n: one.number, words: one.words.slice(0, 24) }), words: one.words }));
  const fields = [several('clause', t('条款'), options, chosen, (next) => model.set(element, { 'qianyin:clause': next.join(' ') }), { shown: (one) => t('第 {n} 条', { n: one.id }) })];
  for (const number of chosen) {
    const one = catalogue.clauses.find((clause) => clause.number === number);
    if (one) fields.push(h('blockquote', { class: 'panel-clause' }, one.words));
  }
  if (['true', '1'].includes(bo.get('qianyin:law'))) fields.push(note(t('法定环节：部署时不得删除、换标识或去掉条款，办理时不得跳过。'), 'law'));
  const known = stages(bo);
  if (known.length) fields.push(select('stage', t('阶段'), known, bo.get('qianyin:stage'), (value) => model.set(element, { 'qianyin:stage': value })));
  return { id: 'basis', title: t('依据'), fields };
}

export function people(at) {
  const { element, bo, model, catalogue } = at;
  const lane = laneOf(bo);
  const laneRole = lane && (lane.get('qianyin:role') || lane.id);
  const laneName = catalogue.roles.find((one) => one.id === laneRole)?.name ?? laneRole;
  const others = at.all('bpmn:UserTask').filter((one) => one !== bo).map((one) => ({ id: one.id, name: one.name || one.id }));
  const groups = words(bo.get('camunda:candidateGroups'));
  return { id: 'people', title: t('谁来办'), fields: [
    several('role', t('角色'), catalogue.roles, groups, (next) => model.set(element, { 'camunda:candidateGroups': next.join(',') }), { hint: groups.length ? '' : lane ? t('未设时由泳道的角色办理：{name}', { name: laneName }) : t('选择一个角色，或把任务放进泳道') }),
    text('assignee', t('指定办理人'), bo.get('camunda:assignee'), (value) => model.set(element, { 'camunda:assignee': value }), { hint: t('账号，或 = 开头的 FEEL；一般留空'), mono: true }),
    several('notSameAs', t('须与以下环节不同人'), others, words(bo.get('qianyin:notSameAs')), (next) => model.set(element, { 'qianyin:notSameAs': next.join(' ') })),
    due(at),
    text('priority', t('优先级'), bo.get('camunda:priority'), (value) => model.set(element, { 'camunda:priority': value }), { hint: t('0 至 100，越大越先；默认 50') }),
  ] };
}

/** A number of working days is what people set; anything else that the engine reads may be written out. */
function due(at) {
  const { element, bo, model } = at;
  const value = bo.get('camunda:dueDate') ?? '';
  const days = /^P(\d+)WD$/.exec(value)?.[1] ?? '';
  const write = (next) => model.set(element, { 'camunda:dueDate': next });
  const simple = text('dueDays', t('办理期限（工作日）'), days, (next) => /^\d{0,3}$/.test(next) && write(next ? `P${Number(next)}WD` : ''), { hint: value ? spoken(value) || t('按表达式计算') : t('不设期限') });
  simple.querySelector('input').inputMode = 'numeric';
  const written = text('dueDate', t('期限的写法'), value, write, { hint: t('P5WD、P3D、日期，或 FEEL'), mono: true });
  return h('div', { class: 'pair' }, simple, written);
}

export function form(at) {
  const { element, bo, model, catalogue } = at;
  const chosen = catalogue.forms.find((one) => one.id === bo.get('camunda:formRef'));
  const fields = [select('form', t('表单'), catalogue.forms, bo.get('camunda:formRef'), (value) => model.set(element, { 'camunda:formRef': value }), { empty: t('（没有表单，只有办理结果）') })];
  if (chosen && catalogue.formUrl) fields.push(h('a', { class: 'btn btn-small', href: catalogue.formUrl.replace('forms/__form__.json', chosen.path) }, t('打开表单')));
  const named = (names) => names.map((one) => ({ id: one, name: one }));
  const hooks = (name, label, names) => names.length && select(name, label, named(names), bo.get(`qianyin:${name}`), (value) => model.set(element, { [`qianyin:${name}`]: value }));
  fields.push(hooks('validator', t('校验程序'), catalogue.validators), hooks('provider', t('数据提供程序'), catalogue.providers));
  return { id: 'form', title: t('表单'), fields };
}

export function outcomes(at) {
  const { element, bo, model } = at;
  const rows = extensions(bo, 'qianyin:Outcome').map(({ value, label, style, asksReason }) => ({ value, label, style, asksReason }));
  const columns = [
    { key: 'value', label: t('值') }, { key: 'label', label: t('按钮') },
    { key: 'style', label: t('样式'), options: [{ id: 'plain', name: t('普通') }, { id: 'primary', name: t('主要') }, { id: 'danger', name: t('慎用') }] },
    { key: 'asksReason', label: t('须写理由'), kind: 'tick' },
  ];
  const write = (next) => model.setExtensions(element, bo, ['qianyin:Outcome'], next.map((row) => model.make('qianyin:Outcome', clean(row))));
  return { id: 'outcomes', title: t('办理结果'), fields: [
    table('outcomes', t('办理结果'), columns, rows, write, { add: t('加一个结果'), hint: t('每个结果是办理页上的一个按钮') }),
    text('outcomeVariable', t('存入变量'), bo.get('qianyin:outcomeVariable'), (value) => model.set(element, { 'qianyin:outcomeVariable': value }), { hint: t('留空为 outcome'), mono: true }),
  ] };
}

const clean = (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined && value !== ''));

export function handler(at) {
  const { element, bo, model, catalogue } = at;
  const holder = is(bo, 'bpmn:Event') ? bo.eventDefinitions?.find((one) => is(one, 'bpmn:MessageEventDefinition')) : bo;
  const topic = catalogue.topics.find((one) => one.name === holder.get('camunda:topic'));
  const fields = [select('topic', t('处理程序'), catalogue.topics.map((one) => ({ id: one.name, name: one.name })), holder.get('camunda:topic'), (value) => model.setPart(element, holder, { 'camunda:topic': value }))];
  if (topic) {
    fields.push(note(topic.words), topic.external ? note(t('在后台执行，不占用办理人的时间。')) : null);
    for (const [title, names] of [[t('读取的变量'), topic.inputs], [t('写入的变量'), topic.outputs]]) {
      if (Object.keys(names).length) fields.push(h('div', { class: 'documented' }, h('h4', {}, title), h('dl', {}, Object.entries(names).flatMap(([name, said]) => [h('dt', {}, name), h('dd', {}, said)]))));
    }
  }
  return { id: 'handler', title: t('处理程序'), fields };
}

export function decision(at) {
  const { element, bo, model, catalogue } = at;
  const kinds = [['resultList', t('全部结果的列表')], ['singleResult', t('一条结果，含各输出')], ['singleEntry', t('一个值')], ['collectEntries', t('各值的列表')]];
  return { id: 'decision', title: t('决策'), fields: [
    select('decision', t('决策表'), catalogue.decisions, bo.get('camunda:decisionRef'), (value) => model.set(element, { 'camunda:decisionRef': value })),
    text('resultVariable', t('结果存入变量'), bo.get('camunda:resultVariable'), (value) => model.set(element, { 'camunda:resultVariable': value }), { mono: true }),
    select('mapDecisionResult', t('结果的形式'), kinds.map(([id, name]) => ({ id, name })), bo.get('camunda:mapDecisionResult') ?? 'resultList', (value) => model.set(element, { 'camunda:mapDecisionResult': value }), { empty: null }),
  ] };
}

export function script(at) {
  const { element, bo, model } = at;
  return { id: 'script', title: t('计算'), fields: [
    expression('script', t('FEEL 表达式'), bo.script, (value) => model.set(element, { script: value, scriptFormat: value ? 'feel' : '' }), { ...at.feel(bo), rows: 4 }),
    text('resultVariable', t('结果存入变量'), bo.get('camunda:resultVariable'), (value) => model.set(element, { 'camunda:resultVariable': value }), { mono: true }),
  ] };
}

export function call(at) {
  const { element, bo, model, catalogue } = at;
  const binding = bo.get('camunda:calledElementBinding') ?? 'latest';
  const fields = [
    select('called', t('调用的流程'), catalogue.processes, bo.calledElement, (value) => model.set(element, { calledElement: value })),
    select('binding', t('版本'), [{ id: 'latest', name: t('最新版') }, { id: 'deployment', name: t('同一次部署') }, { id: 'version', name: t('指定版本') }], binding, (value) => model.set(element, { 'camunda:calledElementBinding': value === 'latest' ? '' : value, ...(value === 'version' ? {} : { 'camunda:calledElementVersion': '' }) }), { empty: null }),
  ];
  if (binding === 'version') fields.push(text('version', t('第几版'), bo.get('camunda:calledElementVersion'), (value) => model.set(element, { 'camunda:calledElementVersion': value })));
  for (const [type, name, label, all] of [['camunda:In', 'in', t('传入的变量'), t('传入全部变量')], ['camunda:Out', 'out', t('带回的变量'), t('带回全部变量')]]) {
    const held = extensions(bo, type);
    const every = held.some((one) => one.variables === 'all');
    const keys = held.filter((one) => one.businessKey);
    const rows = held.filter((one) => !one.variables && !one.businessKey).map((one) => ({ source: one.sourceExpression ?? one.source, target: one.target }));
    const write = (next, whole) => model.setExtensions(element, bo, [type], [
      ...keys, ...(whole ? [model.make(type, { variables: 'all' })] : []),
      ...next.map((row) => model.make(type, clean({ target: row.target, [/^[\w]+$/u.test(row.source ?? '') ? 'source' : 'sourceExpression']: row.source }))),
    ]);
    fields.push(tick(`all-${name}`, all, every, (value) => write(rows, value)), table(name, label, [{ key: 'source', label: t('来自（FEEL）') }, { key: 'target', label: t('成为') }], rows, (next) => write(next, every)));
  }
  return { id: 'call', title: t('调用'), fields };
}

export function mapping(at) {
  const { element, bo, model } = at;
  const holder = extensions(bo, 'camunda:InputOutput')[0];
  const read = (list) => (list ?? []).map((one) => ({ name: one.name, value: one.value }));
  const now = { inputParameters: read(holder?.inputParameters), outputParameters: read(holder?.outputParameters) };
  const write = (which, next) => {
    const both = { ...now, [which]: next };
    const made = {};
    if (both.inputParameters.length) made.inputParameters = both.inputParameters.map((row) => model.make('camunda:InputParameter', clean(row)));
    if (both.outputParameters.length) made.outputParameters = both.outputParameters.map((row) => model.make('camunda:OutputParameter', clean(row)));
    model.setExtensions(element, bo, ['camunda:InputOutput'], Object.keys(made).length ? [model.make('camunda:InputOutput', made)] : []);
  };
  const columns = [{ key: 'name', label: t('变量') }, { key: 'value', label: t('值（FEEL）') }];
  return { id: 'mapping', title: t('变量的传入与传出'), fields: [
    table('inputs', t('传入'), columns, now.inputParameters, (next) => write('inputParameters', next)),
    table('outputs', t('传出'), columns, now.outputParameters, (next) => write('outputParameters', next), { hint: t('设了传出，只有这些变量留下') }),
  ] };
}
