// ISO 8601 as people say it: P5WD -> 5 个工作日后. WD, working days, is our own unit.
import { t } from './words.js';

const UNITS = { Y: '{n} 年', M: '{n} 个月', W: '{n} 周', D: '{n} 天', TH: '{n} 小时', TM: '{n} 分钟', TS: '{n} 秒' };

function parts(words) {
  const found = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(words);
  if (!found || words === 'P' || words.endsWith('T')) return '';
  const names = Object.keys(UNITS);
  return found.slice(1).map((n, at) => (n ? t(UNITS[names[at]], { n }) : '')).filter(Boolean).join(' ');
}

/** What a date, duration or cycle means; '' when it is no such text (FEEL, or wrong). */
export function spoken(written) {
  const words = (written ?? '').trim().replace(/^=\s*/, '').replace(/^"(.*)"$/, '$1');
  const working = /^P(\d+)WD$/.exec(words);
  if (working) return t('{n} 个工作日后', { n: working[1] });
  const cycle = /^R(\d*)\/(?:([\dT:.Z+-]+)\/)?(P[\dA-Z.]+)$/.exec(words);
  if (cycle) {
    const every = parts(cycle[3]);
    if (!every) return '';
    const often = cycle[1] ? t('每 {every}一次，共 {n} 次', { every, n: cycle[1] }) : t('每 {every}一次，不限次数', { every });
    return cycle[2] ? t('自 {day} 起，{often}', { day: day(cycle[2]) || cycle[2], often }) : often;
  }
  const length = parts(words);
  if (length) return t('{length}后', { length });
  return day(words);
}

function day(words) {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::\d{2})?(Z|[+-]\d{2}:\d{2})?)?$/.exec(words);
  if (!found) return '';
  const [, year, month, date, hour, minute, zone] = found;
  const said = t('{year} 年 {month} 月 {date} 日', { year, month: Number(month), date: Number(date) });
  if (!hour) return t('{said}结束时', { said });
  return `${said} ${hour}:${minute}${zone === 'Z' ? ' UTC' : zone && zone !== '+08:00' ? ` ${zone}` : ''}`;
}
