// Our own namespace in models (api.md): what has no counterpart among the camunda: attributes.
const attribute = (name) => ({ name, isAttr: true, type: 'String' });
const extend = (name, types, attributes) => ({ name, extends: types, properties: attributes.map(attribute) });

export default {
  name: 'Qianyin', prefix: 'qianyin', uri: 'https://qianyin.example/schema/bpmn', xml: { tagAlias: 'lowerCase' }, associations: [],
  types: [
    extend('OnNode', ['bpmn:FlowNode'], ['clause', 'law', 'stage', 'outcomeVariable', 'notSameAs', 'validator', 'provider', 'correlationKey']),
    extend('OnProcess', ['bpmn:Process'], ['clause', 'title', 'searchable', 'startVariables']),
    extend('OnLane', ['bpmn:Lane'], ['role']),
    extend('OnMessage', ['bpmn:Message'], ['correlationKey']),
    extend('OnLoop', ['bpmn:MultiInstanceLoopCharacteristics'], ['outputCollection', 'outputElement']),
    { name: 'Outcome', superClass: ['Element'], properties: ['value', 'label', 'style', 'asksReason'].map(attribute) },
    { name: 'Stage', superClass: ['Element'], properties: ['key', 'label'].map(attribute) },
  ],
};
