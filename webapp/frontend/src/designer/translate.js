import zh from './bpmn-zh.js';
import { isEnglish } from './words.js';

/** bpmn-js's words, by the page's language; what it says in English is its own. */
export default {
  translate: ['value', (template, values = {}) => {
    const said = isEnglish() ? template : zh[template] ?? template;
    return String(said ?? '').replace(/\{([^}]+)\}/g, (_, name) => values[name] ?? `{${name}}`);
  }],
};
