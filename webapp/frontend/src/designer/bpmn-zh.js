// The words of bpmn-js and diagram-js in Chinese; a test walks their sources for words that are missing here.
const kinds = { Message: '消息', Timer: '定时', Conditional: '条件', Signal: '信号', Error: '错误', Escalation: '升级', Compensation: '补偿', Cancel: '取消', Terminate: '终止', Link: '链接' };
const places = {
  'start event': '开始事件', 'start event (non-interrupting)': '开始事件（不中断）', 'intermediate catch event': '中间等待事件', 'intermediate throw event': '中间发出事件',
  'boundary event': '边界事件', 'boundary event (non-interrupting)': '边界事件（不中断）', 'end event': '结束事件',
};
const events = {};
for (const [kind, word] of Object.entries(kinds)) for (const [place, where] of Object.entries(places)) events[`${kind} ${place}`] = `${word}${where}`;

export default {
  ...events,
  'Activate create/remove space tool': '增减空白', 'Activate global connect tool': '连线', 'Activate hand tool': '移动画布', 'Activate lasso tool': '框选',
  'Ad-hoc sub-process': '临时子流程', 'Ad-hoc sub-process (collapsed)': '临时子流程（折叠）', 'Ad-hoc sub-process (expanded)': '临时子流程（展开）',
  'Add lane above': '在上方加泳道', 'Add lane below': '在下方加泳道', 'Add text annotation': '加注释', 'Align elements': '对齐', 'Align elements ': '对齐',
  'Align elements left': '左对齐', 'Align elements right': '右对齐', 'Align elements top': '上对齐', 'Align elements bottom': '下对齐', 'Align elements center': '水平居中', 'Align elements middle': '垂直居中',
  'Append compensation activity': '追加补偿活动', 'Append conditional intermediate catch event': '追加等待条件', 'Append end event': '追加结束', 'Append gateway': '追加网关',
  'Append intermediate/boundary event': '追加中间事件', 'Append message intermediate catch event': '追加等待消息', 'Append receive task': '追加接收任务',
  'Append signal intermediate catch event': '追加等待信号', 'Append task': '追加任务', 'Append timer intermediate catch event': '追加定时等待',
  'Boundary event': '边界事件', 'Business rule task': '决策任务', 'Call activity': '调用流程', 'Change element': '更换种类', 'Close minimap': '收起缩略图', 'Open minimap': '展开缩略图',
  'Collection': '集合', 'Complex gateway': '复杂网关', 'Conditional flow': '条件连线', 'Connect to other element': '连到另一元素', 'Connect using association': '用关联线连接',
  'Connect using data input association': '用数据输入连接', 'Create data object reference': '数据对象', 'Create data store reference': '数据存储', 'Create end event': '结束事件',
  'Create expanded sub-process': '子流程', 'Create gateway': '网关', 'Create group': '分组', 'Create intermediate/boundary event': '中间或边界事件', 'Create pool/participant': '泳池',
  'Create start event': '开始事件', 'Create task': '任务', 'Data object reference': '数据对象', 'Data store reference': '数据存储', 'Default flow': '默认连线', 'Delete': '删除',
  'Distribute elements horizontally': '水平等距', 'Distribute elements vertically': '垂直等距', 'Divide into three lanes': '分成三个泳道', 'Divide into two lanes': '分成两个泳道',
  'Empty pool/participant': '空泳池', 'Empty pool/participant (removes content)': '空泳池（清除内容）', 'End event': '结束事件', 'Event based instantiating Gateway': '启动流程的事件网关', 'Event sub-process': '事件子流程', 'Event-based gateway': '事件网关',
  'Exclusive gateway': '排他网关', 'Expanded pool/participant': '展开的泳池', 'Inclusive gateway': '包容网关', 'Intermediate throw event': '中间事件', 'Loop': '循环',
  'Manual task': '人工任务', 'Open {element}': '打开“{element}”', 'Parallel Event based instantiating Gateway': '启动流程的并行事件网关', 'Parallel gateway': '并行网关', 'Parallel multi-instance': '多实例（同时）',
  'Participant multiplicity': '多方参与', 'Receive task': '接收任务', 'Script task': '计算任务', 'Search in diagram': '在图中查找', 'Send task': '发送任务', 'Sequence flow': '普通连线',
  'Sequential multi-instance': '多实例（依次）', 'Service task': '系统任务', 'Start event': '开始事件', 'Sub-process': '子流程', 'Sub-process (collapsed)': '子流程（折叠）', 'Sub-process (expanded)': '子流程（展开）',
  'Task': '任务', 'Toggle non-interrupting': '切换是否中断', 'Transaction': '事务子流程', 'User task': '办理任务', 'No results': '没有结果', 'Create user task': '办理任务', 'Append user task': '追加办理任务',
};
