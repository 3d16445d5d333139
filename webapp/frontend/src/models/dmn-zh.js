// What dmn-js says, in Chinese. Keys are its own English sentences; what is missing here is shown as it is.
export const zh = {
  'Add rule': '添加规则', 'Add input': '添加输入列', 'Add output': '添加输出列', 'Add annotation': '添加备注列', 'Hit policy': '命中策略', 'Hit policy:': '命中策略：', 'Edit hit policy': '修改命中策略', 'Hit Policy': '命中策略',
  Unique: '唯一', First: '首个', Priority: '优先级', Any: '任意', Collect: '收集', 'Rule order': '按规则顺序', 'Output order': '按输出顺序', 'Collect (Sum)': '收集（求和）', 'Collect (Min)': '收集（最小）', 'Collect (Max)': '收集（最大）', 'Collect (Count)': '收集（计数）',
  Sum: '求和', Min: '最小', Max: '最大', Count: '计数', None: '无',
  'No overlap is possible and all rules are disjoint. Only a single rule can be matched': '规则互不重叠，只能命中一条。', 'Rules may overlap. The first matching rule will be chosen': '规则可以重叠，取第一条命中的。',
  'Multiple rules can be satisfied. Rules with the same output are matched': '可命中多条，但结果须相同。', 'Multiple rules can match, with different output entries. This policy returns the matching rule with the highest output priority': '可命中多条，取输出优先级最高的。',
  'Returns all hits in decreasing output priority order': '返回全部命中，按输出优先级排列。', 'Returns all hits in rule order': '返回全部命中，按规则顺序排列。', 'Collects the values of all satisfied rules': '收集所有命中规则的值。',
  'Sums up all values': '把值相加。', 'Returns the smallest value': '取最小的值。', 'Returns the largest value': '取最大的值。', 'Counts the number of satisfied rules': '数命中了几条。',
  When: '当', And: '且', Then: '则', Annotations: '备注', Annotation: '备注', Input: '输入', Output: '输出', 'Input Label': '输入列名称', 'Output Label': '输出列名称', 'Input label': '输入列名称', 'Output label': '输出列名称', 'Output Name': '输出变量', 'Output name': '输出变量', 'Input Expression': '输入表达式', 'Input expression': '输入表达式', Expression: '表达式', 'Input Variable': '输入变量', Label: '名称', Name: '变量', Type: '类型',
  'View DRD': '查看决策图', 'Edit input': '修改输入列', 'Edit output': '修改输出列', 'Edit annotation': '修改备注', 'Predefined values': '可取的值', 'Predefined Values': '可取的值', 'Add predefined values': '添加可取的值', 'Enter value': '填写值', 'Add values': '添加值', 'Type of input': '输入类型', 'Allowed Values': '可取的值',
  Rule: '规则', Rules: '规则', 'Add rule above': '在上面加一条', 'Add rule below': '在下面加一条', 'Remove rule': '删除规则', 'Copy rule': '复制规则', 'Cut rule': '剪切规则', 'Paste rule above': '粘贴到上面', 'Paste rule below': '粘贴到下面', 'Add Rule Above': '在上面加一条', 'Add Rule Below': '在下面加一条',
  'Add input left': '在左边加输入列', 'Add input right': '在右边加输入列', 'Remove input': '删除输入列', 'Copy input': '复制输入列', 'Cut input': '剪切输入列', 'Paste input left': '粘贴到左边', 'Paste input right': '粘贴到右边', 'Add output left': '在左边加输出列', 'Add output right': '在右边加输出列', 'Remove output': '删除输出列', 'Copy output': '复制输出列', 'Cut output': '剪切输出列', 'Paste output left': '粘贴到左边', 'Paste output right': '粘贴到右边',
  Add: '添加', Remove: '删除', Copy: '复制', Cut: '剪切', Paste: '粘贴', Above: '上面', Below: '下面', Left: '左边', Right: '右边', Clear: '清除', 'Rule above': '上面的规则', 'Rule below': '下面的规则', 'Input column left': '左边的输入列', 'Input column right': '右边的输入列', 'Output column left': '左边的输出列', 'Output column right': '右边的输出列', 'Rule description': '规则说明', 'Cell description': '单元格说明', 'Add description': '添加说明', 'Remove description': '删除说明', 'Enter description': '填写说明', Description: '说明', Close: '关闭', Delete: '删除', Edit: '编辑',
  'Change cell expression language': '更改单元格的表达式语言', 'Expression language': '表达式语言', 'Expression Language': '表达式语言', Language: '语言',
  Yes: '是', No: '否', string: '文字', boolean: '是否', number: '数字', date: '日期', time: '时间', dateTime: '日期时间', dayTimeDuration: '时长', yearMonthDuration: '年月时长', integer: '整数', long: '长整数', double: '小数', Any_: '任意',
  'Comparison': '比较', Between: '之间', Equals: '等于', Less: '小于', 'Less or equal': '不大于', Greater: '大于', 'Greater or equal': '不小于', include: '含', exclude: '不含', Before: '早于', After: '晚于', Exactly: '就在', 'Today': '今天', 'Now': '现在', 'Use today': '用今天', 'Use now': '用现在', 'Values': '值', 'Match one': '其一', 'Match none': '都不', Disjunction: '其一', Negation: '都不', 'Start value': '起始值', 'End value': '结束值', 'Set value': '设值', Value: '值', 'Input is not a valid number': '不是有效的数字', 'Dates must match pattern yyyy-MM-dd.': '日期须写作 yyyy-MM-dd。', 'Add Predefined Values': '添加可取的值',
  'Edit FEEL': '编辑 FEEL', 'Drag to move': '拖动以移动', 'Resize': '调整宽度', 'Decision name': '决策名称', 'Id': '标识', 'Table name': '表名', 'Decision id': '决策标识', 'Edit decision table': '编辑决策表', 'Edit literal expression': '编辑表达式', 'Edit boxed expression': '编辑表达式', 'Show overview': '显示总览', 'Hide overview': '隐藏总览', 'Toggle overview': '总览',
  'Create decision': '画决策', 'Create input data': '画输入数据', 'Create knowledge source': '画知识来源', 'Create knowledge model': '画业务知识模型', 'Activate lasso tool': '框选', 'Activate hand tool': '移动画布', 'Activate the hand tool': '移动画布', 'Activate the lasso tool': '框选', 'Change type': '更换类型', 'Connect using information/knowledge/authority requirement or association': '连线', 'Add text annotation': '添加文字备注', 'Append {type}': '后接{type}', Decision: '决策', 'Decision table': '决策表', 'Literal expression': '文字表达式', Empty: '空',
};

/** A module for dmn-js; in English it says what dmn-js says. */
export const translate = (english) => ({
  translate: ['value', (sentence, values = {}) => {
    const said = english ? sentence : zh[sentence] ?? sentence;
    return said.replace(/{([^}]+)}/g, (whole, name) => values[name] ?? whole);
  }],
});
