// The editor's own words. Chinese stands in the code; this table has the English. A test holds the two against each other.
import EN from './words-en.js';

let english = false;

/** Which language the page speaks: 'zh' or 'en'. */
export function speak(language) { english = language === 'en'; }
export const isEnglish = () => english;

/** The sentence in the page's language, `{name}` filled in. */
export function t(words, values = {}) {
  const said = english ? EN[words] ?? words : words;
  return said.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}
